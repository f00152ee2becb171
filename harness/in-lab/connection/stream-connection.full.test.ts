/** Every server that fails in a known way, over TLS and in plain text, on kept and new connections. */
import type { Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomes } from '../load/testing.ts';
import { stopServers } from '../load/testing-server.ts';
import { cases, longHead } from './testing-h2-cases.ts';
import { expectTold, loadOf, streamRowsOf, serve } from './testing-h2-load.ts';
import { frames, head, maxStreams, type StreamRequest } from './testing-h2.ts';

afterAll(stopServers);

const kinds = ['plain', 'tls'] as const;

describe.each(kinds)('the generator over HTTP/2, %s', (kind) => {
  describe.each(['kept', 'new'] as const)('%s connections', (connections) => {
    it.each(cases)('$name', async (given) => {
      const load = await loadOf(given, kind, { connections });
      expectTold(load, given);
      expect(load.rows.length).toBe(100);
    });
  });

  const [step, stepped] = kind === 'plain' ? (['wait', null] as const) : (['handshake', 'tls'] as const);
  it.each<[name: string, accept: (raw: Socket) => boolean, outcome: string, error: string]>([
    ['says nothing', () => true, stepped ?? 'timeout', `deadline, ${step}`],
    ['closes at once', (raw) => (raw.resume(), raw.end(), true), stepped ?? 'closed', `FIN, ${step}`],
    [
      'speaks something else',
      (raw) => (raw.resume(), raw.write('HTTP/1.0 400 no\r\n\r\n'), true),
      stepped ?? 'parse',
      kind === 'plain' ? 'HTTP/2 is not what the server speaks' : 'TLS is not what the server speaks, handshake',
    ],
  ])('a server that accepts and %s', async (_, accept, outcome, error) => {
    const server = await serve({ accept }, kind);
    const rows = await streamRowsOf(server.port, kind, { connections: 'mixed', deadlineMs: 600 });
    expect(outcomes(rows)).toEqual({ [outcome]: 100 });
    expect([...new Set(rows.map((row) => row.error))]).toEqual([error]);
    expect(server.arrivals.size).toBe(0);
  });

  it('a port that is closed', async () => {
    const server = await serve({}, kind);
    server.close();
    expect(outcomes(await streamRowsOf(server.port, kind, { connections: 'mixed' }))).toEqual({ refused: 100 });
  });

  it.each([
    ['raises', 2, 20],
    ['lowers', 20, 1],
  ])('a server that %s the number of streams', async (_, first, then) => {
    const behave = ({ socket, id, streams }: StreamRequest): void => {
      if (streams.length === 2) socket.write(frames.settings([maxStreams, then]));
      setTimeout(() => socket.write(frames.ok(id)), 20);
    };
    const server = await serve({ greeting: frames.settings([maxStreams, first]), behave }, kind);
    expect(outcomes(await streamRowsOf(server.port, kind, { maxConnections: 3 }))).toEqual({ ok: 100 });
    expect(server.arrivals.size).toBe(100);
  });

  it('a server that answers before it has read the upload', async () => {
    const bodyBase64 = Buffer.alloc(1 << 20).toString('base64');
    const fixed = { headers: [], bodyBase64, expectedStatus: 413 };
    const behave = ({ socket, id, nthRequest }: StreamRequest): void => {
      const answer = frames.headers(id, head(413), true);
      socket.write(nthRequest % 2 === 0 ? answer : Buffer.concat([answer, frames.rst(id, 0)]));
    };
    const server = await serve({ behave }, kind);
    const mix = [{ method: 'POST', path: '/', weight: 1, fixed }] as const;
    expect(outcomes(await streamRowsOf(server.port, kind, { mix, ratePerSecond: 80 }))).toEqual({ ok: 20 });
    expect(server.arrivals.size).toBe(20);
  });

  it('a head in more frames than nghttp2 takes, which is a limit of the client', async () => {
    const long = head(200, Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`x-${at}`, 'y'.repeat(100)])));
    const server = await serve(
      { behave: ({ socket, id }) => void socket.write(Buffer.concat(longHead(id, long))) },
      kind,
    );
    const rows = await streamRowsOf(server.port, kind, { connections: 'new', ratePerSecond: 80 });
    expect(outcomes(rows)).toEqual({ local: 20 });
    expect(rows[0]?.error).toBe('limit: a head has too many frames');
  });
});
