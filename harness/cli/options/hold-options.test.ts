import { describe, expect, it } from 'vitest';
import type { MeasureOptions } from './measure-options.ts';
import { targetOf } from './service-options.ts';

const url = 'http://127.0.0.1:8080/shop';

describe('--hold', () => {
  it('asks for the path of --url unless another is given, whose secrets are not written down', async () => {
    const plain = await targetOf({ url, hold: '20', holdKind: 'idle' });
    expect(plain.service.hold).toEqual({ count: 20, kind: 'idle', path: '/shop', maxCut: null });
    expect(plain.request.holdTarget).toBe('/shop');
    const holdPath = '/events?topic=a&token=${TOKEN}&access_token=abc';
    const asked = { url, hold: '1', holdKind: 'sse', holdPath, maxCut: '0' };
    const { service, request } = await targetOf(asked, { TOKEN: 'secret' });
    expect(request.holdTarget).toBe('/events?topic=a&token=secret&access_token=abc');
    expect(service.hold).toMatchObject({
      maxCut: 0,
      path: '/events?topic=a&token=${TOKEN}&access_token=${ACCESS_TOKEN}',
    });
  });

  it('is left out where nothing is held', async () => {
    const { service, request } = await targetOf({ url });
    expect([service.hold, request.holdTarget]).toEqual([undefined, undefined]);
  });

  it.each<[MeasureOptions, string, RegExp]>([
    [{ hold: '20' }, 'option-value', /--hold-kind is missing: it must be one of sse, websocket, idle, slow-response/u],
    [{ hold: '20', holdKind: 'smoke' }, 'option-value', /--hold-kind is "smoke"/u],
    [{ hold: '0', holdKind: 'sse' }, 'option-value', /--hold/u],
    [{ hold: '1001', holdKind: 'sse' }, 'option-value', /--hold/u],
    [{ holdKind: 'sse' }, 'option-value', /--hold-kind is about --hold, which is missing/u],
    [{ maxCut: '0' }, 'option-value', /--max-cut is about --hold, which is missing/u],
    [{ hold: '1', holdKind: 'sse', holdPath: 'events' }, 'option-value', /--hold-path must begin with \//u],
    [{ hold: '1', holdKind: 'sse', holdPath: '/a\r\nX: y' }, 'option-value', /--hold-path must begin with \//u],
    [{ url: 'http://192.0.2.1/', hold: '101', holdKind: 'sse' }, 'service-not-yours', /101 connections held to 192/u],
  ])('refuses %o', async (options, code, sentence) => {
    const refused: unknown = await targetOf({ url, ...options }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });
});
