import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicUs } from '../../base/clock.ts';
import type { HoldKind } from '../../experiment/hold.ts';
import type { HoldRow } from '../../run/files/holds.ts';
import { stopServers, witness, type Behaviour, type TestRequest } from '../load/testing-server.ts';
import { certificates, tlsPlan } from '../connection/testing-tls.ts';
import { chunk, headServer, hold, serverFrame, streamHead, upgraded, type Behave } from './testing-holds.ts';

afterAll(stopServers);

/** The port of a server for one test. */
const serve = async (behave: Behave): Promise<number> => (await headServer(behave)).port;

/** The first life of a holder. */
async function lifeOf(port: number, kind: HoldKind, options: Parameters<typeof hold>[2] = {}): Promise<HoldRow> {
  const held = hold(port, kind, options);
  const [row] = await held.ended(1);
  held.holders.end();
  return row ?? expect.fail('no row');
}

/** Writes all, and then ends in this way. */
const then = (end: (socket: Socket) => void, ...parts: (string | Buffer)[]): Behave => {
  return (socket) => void socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))), () => end(socket));
};
const fin = (socket: Socket): void => void socket.end();
const rst = (socket: Socket): void => void socket.resetAndDestroy();
const nothing = (): void => undefined;
const onWebSocket =
  (end: (socket: Socket) => void, ...frames: Buffer[]): Behave =>
  (socket, head, nth) =>
    then(end, upgraded(head), ...frames)(socket, head, nth);
const answer = (body: string, length = body.length): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`;
const away = serverFrame(8, Buffer.from([0x03, 0xe9]));

const noType = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n';
const event = chunk('data: a\n\n');
const halfFrame = serverFrame(1, 'hello').subarray(0, 4);
const halfPing = serverFrame(9, 'ping').subarray(0, 4);
const endInEvent = then(nothing, streamHead, chunk('data: a\n\ndata: b'), '0\r\n\r\n');
const awayInMessage = onWebSocket(fin, serverFrame(1, 'hi', false), away);
const wrongFrame = onWebSocket(nothing, Buffer.from([0xc1, 0]));
const inChunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Its end and why, and of what came before it the messages and the bytes. */
type Case = [kind: HoldKind, what: string, behave: Behave, end: string, messages?: number, bytes?: number];
const opened: Case[] = [
  ['sse', 'closed between events', then(fin, streamHead, chunk('data: a\n\n: b\n\n')), 'fin FIN, open', 1, 14],
  ['sse', 'reset between events', then(rst, streamHead, event), 'rst ECONNRESET, open', 1],
  ['sse', 'ended by its last chunk', then(nothing, streamHead, event, '0\r\n\r\n'), 'complete', 1],
  ['sse', 'closed in an event', then(fin, streamHead, chunk('data: a\n\ndata: b')), 'cut FIN, open', 1],
  ['sse', 'ended by its last chunk in an event', endInEvent, 'cut end of the answer, open', 1],
  ['sse', 'reset in a chunk', then(rst, streamHead, '40\r\ndata: a\n\n'), 'cut ECONNRESET, open', 1],
  ['sse', 'closed without a length', then(fin, noType), 'fin FIN, open', 1],
  ['websocket', 'that says goodbye', onWebSocket(fin, serverFrame(1, 'hi'), away), 'close-frame 1001', 1, 2],
  ['websocket', 'that says goodbye in a message', awayInMessage, 'cut close frame 1001, open', 0],
  ['websocket', 'closed in a ping', onWebSocket(fin, serverFrame(1, 'hi'), halfPing), 'fin FIN, open', 1],
  ['websocket', 'closed without goodbye', onWebSocket(fin, serverFrame(1, 'hi')), 'fin FIN, open', 1],
  ['websocket', 'reset', onWebSocket(rst, serverFrame(2, 'x'.repeat(300))), 'rst ECONNRESET, open', 1, 300],
  ['websocket', 'closed in a frame', onWebSocket(fin, halfFrame), 'cut FIN, open', 0],
  ['websocket', 'reset between fragments', onWebSocket(rst, serverFrame(1, 'a', false)), 'cut ECONNRESET, open'],
  ['websocket', 'with a wrong frame', wrongFrame, 'parse a frame with an extension that was not asked for'],
  ['idle', 'closed while it rests', then(fin, answer('ok')), 'fin FIN, open', 0, 2],
  ['idle', 'reset while it rests', then(rst, answer('ok')), 'rst ECONNRESET, open'],
  ['slow-response', 'that comes to its end', then(nothing, answer('slow')), 'complete', 0, 4],
  ['slow-response', 'closed in its answer', then(fin, answer('sl', 4)), 'cut FIN, open', 0, 2],
  ['slow-response', 'reset in its answer', then(rst, answer('sl', 4)), 'cut ECONNRESET, open', 0, 2],
  ['slow-response', 'closed between chunks', then(fin, inChunks, chunk('ab')), 'cut FIN, open', 0, 2],
  ['slow-response', 'closed without a length', then(fin, 'HTTP/1.1 200 OK\r\n\r\nab'), 'fin FIN, open', 0, 2],
];
const otherKey: Behave = (socket) => void socket.write(upgraded('Sec-WebSocket-Key: x\r\n'));
const neverOpened: Case[] = [
  ['sse', 'of another status', then(nothing, 'HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno'), 'status 503'],
  ['sse', 'of no type', then(nothing, answer('ok')), 'parse the answer is no event stream (without a Content-Type)'],
  ['sse', 'closed without an answer', then(fin, ''), 'fin FIN, wait'],
  ['sse', 'that is no HTTP', then(nothing, 'hello\r\n\r\n'), 'parse the answer does not begin with HTTP/1.'],
  ['websocket', 'that is answered as a page', then(nothing, answer('ok')), 'status 200'],
  ['websocket', 'with another key', otherKey, 'parse the web socket was accepted with another key'],
  ['idle', 'cut in its answer', then(fin, answer('ok', 9)), 'fin FIN, wait'],
];

describe('a held connection', () => {
  describe.each([
    ['open', opened],
    ['never open', neverOpened],
  ])('%s', (state, cases) => {
    it.concurrent.each(cases)('%s, %s', async (kind, _, behave, end, messages, bytes) => {
      const row = await lifeOf(await serve(behave), kind);
      const { ending, error, status, closeCode } = row;
      expect([ending, error ?? status ?? closeCode].join(' ').trim()).toBe(end);
      expect(row.openedUs !== null).toBe(state === 'open');
      const counts = { messages: messages ?? row.messages, bytes: bytes ?? row.bytes };
      expect(row).toMatchObject({ holder: 1, generation: 1, kind, ...counts });
    });
  });

  it.concurrent('that nobody takes is refused; one that is not answered in time has timed out', async () => {
    const server = await headServer(nothing);
    server.close();
    expect(await lifeOf(server.port, 'idle')).toMatchObject({ ending: 'refused', error: 'ECONNREFUSED, connect' });
    const silent = await serve(nothing);
    expect(await lifeOf(silent, 'sse', { deadlineMs: 50 })).toMatchObject({
      ending: 'timeout',
      error: 'deadline, wait',
    });
  });

  it.concurrent('asks as its kind does, with the headers of the user', async () => {
    const heads: string[] = [];
    const port = await serve((socket, head) => {
      heads.push(head);
      socket.end();
    });
    for (const kind of ['sse', 'websocket', 'idle'] as const) await lifeOf(port, kind);
    const [sse, websocket, idle] = heads;
    expect(sse).toMatch(/^GET \/events HTTP\/1\.1\r\nHost: shop\.test\r\nX-Request-Id: run-hold-1-1\r\n/u);
    expect(sse).toContain('Accept: text/event-stream\r\n');
    expect(websocket).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n');
    expect(idle).toContain('Connection: keep-alive\r\n');
    for (const head of heads) expect(head).toContain('X-Shop: yes\r\n');
  });
});

describe('a held connection over TLS', () => {
  beforeAll(() => void certificates());

  it.concurrent.each<[string, string, Behaviour, Partial<HoldRow>]>([
    ['close_notify', 'data: a\n\n', ({ socket }) => void socket.end(), { ending: 'fin', error: 'close_notify, open' }],
    ['a bare FIN', 'data: a\n\n', ({ raw }) => void raw.end(), { ending: 'fin', error: 'FIN, open' }],
    ['RST', 'data: a\n\n', ({ raw }) => void raw.resetAndDestroy(), { ending: 'rst', error: 'ECONNRESET, open' }],
    [
      'close_notify in an event',
      'data: a',
      ({ socket }) => void socket.end(),
      { ending: 'cut', error: 'close_notify, open' },
    ],
  ])('that ends with %s', async (_, text, end, expected) => {
    const behave = (of: TestRequest): void => void of.socket.write(`${streamHead}${chunk(text)}`, () => end(of));
    const server = await witness(behave, { tls: certificates().valid });
    expect(await lifeOf(server.port, 'sse', { tls: tlsPlan() })).toMatchObject(expected);
  });

  it('is not held where the certificate is not accepted', async () => {
    const server = await witness(nothing, { tls: certificates().expired });
    const row = await lifeOf(server.port, 'sse', { tls: tlsPlan() });
    expect(row).toMatchObject({ ending: 'tls', error: 'certificate expired, handshake', openedUs: null });
  });
});

describe('holders', () => {
  it.concurrent(
    'open again after each end, later when it did not last, and are never more than asked for',
    async () => {
      let [open, most] = [0, 0];
      const port = await serve((socket) => {
        most = Math.max(most, ++open);
        socket.once('close', () => open--);
        then(rst, streamHead, chunk('data: a\n\n'))(socket, '', 0);
      });
      const held = hold(port, 'sse', { count: 5 });
      await held.ended(15);
      const counts = held.holders.end();
      expect(most).toBeLessThanOrEqual(5);
      const all = held.rows.length;
      expect(counts).toEqual({ lives: all, opened: all, endedByService: all, cut: 0 });
      for (let holder = 1; holder <= 5; holder++) {
        const own = held.rows.filter((row) => row.holder === holder);
        expect(own.map(({ generation }) => generation)).toEqual(own.map((__, index) => index + 1));
        const waits = own.slice(1).map(({ begunUs }, index) => (begunUs - (own[index]?.endedUs ?? 0)) / 1000);
        expect(waits[0]).toBeGreaterThanOrEqual(99);
        expect(waits[1]).toBeGreaterThanOrEqual(199);
      }
    },
  );

  it.concurrent('end with the load, each with one row, and open nothing more', async () => {
    let asked = 0;
    const opened = Promise.withResolvers<undefined>();
    const port = await serve((socket, head) => {
      socket.write(upgraded(head));
      if (++asked === 3) opened.resolve(undefined);
    });
    const held = hold(port, 'websocket', { count: 3 });
    await opened.promise;
    expect(held.holders.end()).toMatchObject({ lives: 3, endedByService: 0 });
    expect(held.rows.map(({ ending }) => ending)).toEqual(['end-of-load', 'end-of-load', 'end-of-load']);
    expect(held.holders.end()).toMatchObject({ lives: 3 });
    expect(asked).toBe(3);
  });

  it.concurrent('begin one after another over the first second', async () => {
    const arrivals: number[] = [];
    const done = Promise.withResolvers<undefined>();
    const port = await serve(() => {
      if (arrivals.push(monotonicUs()) === 10) done.resolve(undefined);
    });
    const begunUs = monotonicUs();
    const held = hold(port, 'sse', { count: 10, isAtOnce: false });
    await done.promise;
    held.holders.end();
    // Each may come late on a busy machine, and none too early: a timer of Node's may be a millisecond early.
    for (const [nth, atUs] of arrivals.entries()) expect(atUs - begunUs).toBeGreaterThan(nth * 100_000 - 2_000);
  });
});
