import { describe, expect, it } from 'vitest';
import type { Method } from '../../base/methods.ts';
import { prepareRequest } from './request.ts';

const plan = { runId: 'r', trial: 1, hostHeaders: ['demo.test'] as const, primedNotes: 0 };

function written(method: Method, bodyBase64: string | null): Buffer {
  const fixed = { headers: [['A', 'ü']] as const, bodyBase64, expectedStatus: null };
  const { bytes, body } = prepareRequest(plan, { method, path: '/x', weight: 1, fixed }, 7, 'kept');
  return Buffer.concat([bytes, body ?? Buffer.alloc(0)]);
}

describe('the bytes of a request to a service of one’s own', () => {
  it('end with the body, byte for byte', () => {
    const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const bytes = written('PUT', body.toString('base64'));
    const head =
      'PUT /x HTTP/1.1\r\nHost: demo.test\r\nX-Request-Id: r-1-7\r\nConnection: keep-alive\r\nA: ü\r\nContent-Length: 256\r\n\r\n';
    expect(bytes).toEqual(Buffer.concat([Buffer.from(head), body]));
  });

  it.each<[Method, string | null, boolean]>([
    ['POST', null, true],
    ['PUT', null, true],
    ['PATCH', null, true],
    ['POST', '', true],
    ['DELETE', '', true],
    ['DELETE', null, false],
    ['GET', null, false],
  ])('of %s with the body %j: say a length of 0 where one is anticipated or given', (method, body, isSaid) => {
    expect(written(method, body).toString().includes('\r\nContent-Length: 0\r\n\r\n')).toBe(isSaid);
  });
});
