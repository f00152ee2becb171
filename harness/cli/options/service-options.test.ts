import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../base/errors.ts';
import type { MeasureOptions } from './measure-options.ts';
import { targetOf } from './service-options.ts';

const url = 'http://127.0.0.1:8080/orders?x=1';

describe('the options of measure', () => {
  it('name a service, with defaults for what is not said', async () => {
    expect((await targetOf({ url })).service).toEqual({
      url,
      address: '127.0.0.1',
      port: 8_080,
      tls: null,
      method: 'GET',
      path: '/orders?x=1',
      headers: [['Host', '127.0.0.1:8080']],
      bodyBytes: null,
      expectedStatus: null,
      ratePerSecond: 100,
      connections: 'mixed',
      timeoutMs: 30_000,
      maxConnections: 3_000,
      maxHeadBytes: 307_200,
      maxAnswerBytes: 1_073_741_824,
      whileCommand: null,
      maxDropped: 0,
      maxGapMs: null,
      maxWaitMs: null,
      mustChange: false,
    });
  });

  it('take a series of deploys, of which the record tells nothing where none was asked for', async () => {
    const asked = { url, while: './deploy.sh' };
    const series = async (more: MeasureOptions): Promise<object> => {
      const { restarts, everyMs, claimPercent } = (await targetOf({ ...asked, ...more })).service;
      return { restarts, everyMs, claimPercent };
    };
    expect(await series({ restarts: '20', every: '4s', claim: '99' })).toEqual({
      restarts: 20,
      everyMs: 4_000,
      claimPercent: 99,
    });
    expect(Object.keys((await targetOf(asked)).service)).not.toContain('restarts');
  });

  it.each([
    [{ restarts: '3' }, '--restarts is about --while, which is missing.'],
    [{ claim: '99' }, '--claim is about --while, which is missing.'],
    [{ while: 'true', every: '4s' }, '--every is about --restarts, which is missing.'],
    [{ while: 'true', restarts: '0' }, '--restarts takes a whole number from 1 to 4000, not "0".'],
    [{ while: 'true', restarts: '2', every: '0s' }, '--every takes a duration'],
    [{ while: 'true', claim: '100' }, '--claim takes a percentage from 50 to 99.9, not "100".'],
  ] as const)('refuse of a series %j', async (options, sentence) => {
    await expect(targetOf({ url, ...options })).rejects.toThrow(sentence);
  });

  it('take headers, of which the last Host wins, a body and IPv6', async () => {
    const { service, request } = await targetOf({
      url: 'http://[::1]/',
      header: ['Host: shop.test', 'A: b: c'],
      body: 'ü',
      method: 'post',
    });
    expect(service).toMatchObject({ address: '::1', port: 80, method: 'POST', bodyBytes: 2 });
    expect(request.body).toEqual(Buffer.from([0xc3, 0xbc]));
    expect(service.headers).toEqual([
      ['Host', '[::1]'],
      ['Host', 'shop.test'],
      ['A', 'b: c'],
    ]);
  });

  it('take a body from a file byte for byte, and an empty one as a body', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'body-'));
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    writeFileSync(join(folder, 'bytes'), bytes);
    const { request } = await targetOf({ url, method: 'PUT', body: `@${join(folder, 'bytes')}` });
    rmSync(folder, { recursive: true });
    expect(request.body).toEqual(bytes);
    expect((await targetOf({ url, method: 'PUT', body: '' })).request.body).toEqual(Buffer.alloc(0));
  });

  it.each<[MeasureOptions, RegExp]>([
    [{}, /needs --url/u],
    [{ url: 'nonsense' }, /is not a URL/u],
    [{ url, http: '3' }, /--http must be 1.1 or 2/u],
    [{ url, http: '2', capacity: true }, /autocannon, which speaks HTTP\/1.1 only/u],
    [{ url, http: '2', header: ['Keep-Alive: 5'] }, /Keep-Alive is about one connection/u],
    [{ url, insecure: true }, /--insecure is about https/u],
    [{ url, tlsResume: 'on' }, /--tls-resume is about https/u],
    [{ url: 'https://127.0.0.1/', tlsResume: 'yes' }, /--tls-resume must be on or off/u],
    [{ url: 'https://127.0.0.1/', ca: '/no/such/file' }, /--ca \/no\/such\/file does not exist\./u],
    [{ url: 'https://127.0.0.1/', ca: import.meta.filename }, /--ca has no PEM/u],
    [{ url: 'https://127.0.0.1/', ca: 'a', insecure: true }, /Leave out|--insecure accepts any/u],
    [{ url: 'https://127.0.0.1/', cert: 'a' }, /--cert needs --key/u],
    [{ url: 'https://127.0.0.1/', key: 'a' }, /--key needs --cert/u],
    [{ url: 'https://127.0.0.1/', capacity: true }, /autocannon/u],
    [{ url: 'ftp://127.0.0.1/' }, /must begin with http/u],
    [{ url: 'http://me:secret@127.0.0.1/' }, /user name/u],
    [{ url: 'http://:secret@127.0.0.1/' }, /user name/u],
    [{ url: 'http://no-such-host.invalid/' }, /has no address/u],
    [{ url, rate: '0' }, /--rate takes a whole number/u],
    [{ url, rate: '1e3' }, /--rate takes a whole number/u],
    [{ url, timeout: '5' }, /--timeout takes a duration/u],
    [{ url, method: 'BREW' }, /--method must be GET, HEAD, /u],
    [{ url, connections: 'keep-alive' }, /--connections must be/u],
    [{ url, header: ['no colon'] }, /is not of the form/u],
    [{ url, header: ['A: b\r\nC: d'] }, /is not of the form/u],
    [{ url, header: ['X-Request-Id: 1'] }, /set by the instrument/u],
    [{ url, body: '@/no/such/file' }, /--body @\/no\/such\/file does not exist\./u],
    [{ url, maxAnswer: '1GB' }, /--max-answer takes a size/u],
    [{ url, maxHead: '10' }, /--max-head takes a size/u],
    [{ url, maxDropped: '-1' }, /--max-dropped takes/u],
    [{ url, expectStatus: '99' }, /--expect-status takes/u],
    [{ url: 'http://192.0.2.1/', rate: '1001' }, /not this machine/u],
    [{ url: 'http://192.0.2.1/', capacity: true }, /not this machine/u],
  ])('%j is refused in a sentence', async (options, sentence) => {
    await expect(targetOf(options)).rejects.toMatchObject({
      message: expect.stringMatching(sentence) as string,
      exitCode: exitCodes.usage,
    });
  });

  it('allow a high rate to loopback, and elsewhere to whom says that it is theirs', async () => {
    expect((await targetOf({ url, rate: '20000' })).service.ratePerSecond).toBe(20_000);
    const elsewhere = { url: 'http://192.0.2.1/', rate: '2000', yesIOwnThis: true } as const;
    expect((await targetOf(elsewhere)).service.ratePerSecond).toBe(2_000);
  });
});
