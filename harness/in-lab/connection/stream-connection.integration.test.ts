import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from './testing-h2-cases.ts';
import { expectTold, loadOf, serve, streamRowsOf } from './testing-h2-load.ts';
import { frames, maxStreams, type StreamRequest } from './testing-h2.ts';
import { outcomes } from '../load/testing.ts';
import { stopServers } from '../load/testing-server.ts';
import { certificates } from './testing-tls.ts';

beforeAll(() => void certificates());
afterAll(stopServers);

/** A hundred requests in a tenth of a second. */
const quick = { ratePerSecond: 1_000, durationMs: 100 } as const;
const alone = { concurrent: false } as const;
const some = [
  'GOAWAY with code 2, and answers to the streams below its last id',
  'is reset by REFUSED_STREAM',
  'is reset by 0 in its body',
  'has a body shorter than its Content-Length',
];

// The others, over TLS and on new connections too, are in the full test.
describe('the generator over HTTP/2', () => {
  it.each(cases.filter(({ name }) => some.includes(name)))('$name', async (given) => {
    const load = await loadOf(given, 'plain', quick);
    expectTold(load, given);
    expect(load.rows.length).toBe(100);
  });

  it('over TLS: GOAWAY, and answers to the streams below its last id', async () => {
    const [given] = cases;
    if (given === undefined) throw new Error('there are no cases');
    expectTold(await loadOf(given, 'tls', quick), given);
  });

  it('opens few connections for kept requests, and one each for new ones', alone, async () => {
    const server = await serve({}, 'plain');
    const rows = await streamRowsOf(server.port, 'plain', { ...quick, connections: 'mixed' });
    expect(outcomes(rows)).toEqual({ ok: 100 });
    const own = rows.filter(({ connection }) => connection === 'new');
    expect(own.every(({ streamId, connectedUs }) => streamId === 1 && connectedUs !== null)).toBe(true);
    expect(server.counts.connections).toBeGreaterThan(own.length);
    expect(server.counts.connections).toBeLessThan(own.length + 10);
  });

  it('opens no more streams than the server allows, and lets the others wait', async () => {
    const open = new Map<unknown, number>();
    let most = 0;
    const behave = ({ raw, socket, id, heard }: StreamRequest): void => {
      const now = (open.get(raw) ?? 0) + 1;
      open.set(raw, now);
      // The client begins before the server has spoken.
      if (heard.isAcknowledged) most = Math.max(most, now);
      setTimeout(() => {
        open.set(raw, (open.get(raw) ?? 0) - 1);
        socket.write(frames.ok(id));
      }, 5);
    };
    const server = await serve({ greeting: frames.settings([maxStreams, 3]), behave }, 'tls');
    const rows = await streamRowsOf(server.port, 'tls', { ...quick, maxConnections: 2 });
    expect(outcomes(rows)).toEqual({ ok: 100 });
    expect(server.counts.connections).toBeLessThanOrEqual(2);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(3);
  });

  it.each([
    ['any more, and says so', null],
    ['for a moment', 100],
  ])('waits for a place where the server allows no streams %s', async (_, allowed) => {
    const behave = ({ socket, id }: StreamRequest): void => {
      socket.write(Buffer.concat([frames.settings([maxStreams, 0]), frames.ok(id)]));
      if (allowed !== null) setTimeout(() => socket.write(frames.settings([maxStreams, allowed])), 20);
    };
    const server = await serve({ behave }, 'plain');
    const deadlineMs = allowed === null ? 300 : 20_000;
    const rows = await streamRowsOf(server.port, 'plain', { ...quick, maxConnections: 1, deadlineMs });
    const { ok = 0, unsent = 0 } = outcomes(rows);
    expect([...server.arrivals.values()]).toEqual(Array(ok).fill(1));
    // Those as well whose streams were opened in the moment in which the server took back its leave.
    expect(ok + unsent).toBe(100);
    expect(unsent > 0).toBe(allowed === null);
  });

  it('refuses a server that does not choose h2, or speaks something else', async () => {
    const behave = (): void => undefined;
    const noAlpn = await serve({ tls: { ALPNProtocols: [] }, behave }, 'tls');
    const rows = await streamRowsOf(noAlpn.port, 'tls', quick);
    expect(outcomes(rows)).toEqual({ tls: 100 });
    expect(rows[0]?.error).toMatch(
      /h2 is not what the server speaks \(ALPN\), handshake|alert no_application_protocol/u,
    );
    const greeting = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
    const old = await streamRowsOf((await serve({ greeting, behave }, 'plain')).port, 'plain', quick);
    expect(outcomes(old)).toEqual({ parse: 100 });
    expect(old[0]?.error).toBe('HTTP/2 is not what the server speaks');
    const expired = await serve({ tls: certificates().expired }, 'tls');
    expect(outcomes(await streamRowsOf(expired.port, 'tls', quick))).toEqual({ tls: 100 });
  });

  it('opens no stream on a connection that goes away', async () => {
    const greeting = Buffer.concat([frames.settings(), frames.goaway(0)]);
    const server = await serve({ greeting, behave: () => undefined }, 'tls');
    const rows = await streamRowsOf(server.port, 'tls', quick);
    expect(outcomes(rows)).toEqual({ 'refused-stream': 100 });
  });

  // A machine that stands still for a tenth of a second sends two at once.
  it('does not use an idle connection that its server has closed', { ...alone, retry: 3 }, async () => {
    for (const farewell of [Buffer.alloc(0), frames.goaway(2 ** 31 - 1)]) {
      const behave = async ({ socket, id }: StreamRequest): Promise<void> => {
        socket.write(frames.ok(id));
        await sleep(2);
        socket.end(farewell);
      };
      const server = await serve({ behave: (request) => void behave(request) }, 'plain');
      const rows = await streamRowsOf(server.port, 'plain', { ratePerSecond: 10, durationMs: 500 });
      expect(outcomes(rows)).toEqual({ ok: 5 });
      expect(server.counts.connections).toBe(5);
    }
  });

  it('answers none of a stalled upload, and ends it alone', async () => {
    const bodyBase64 = Buffer.alloc(1 << 20).toString('base64');
    const upload = {
      method: 'POST',
      path: '/',
      weight: 1,
      fixed: { headers: [], bodyBase64, expectedStatus: null },
    } as const;
    const get = { ...upload, method: 'GET', fixed: { ...upload.fixed, bodyBase64: null } } as const;
    const behave = ({ socket, id, headers }: StreamRequest): void => {
      if (headers[':method'] === 'GET') socket.write(frames.ok(id));
    };
    const server = await serve({ behave }, 'plain');
    const rows = await streamRowsOf(server.port, 'plain', {
      mix: [upload, get],
      ratePerSecond: 100,
      durationMs: 100,
      deadlineMs: 300,
    });
    const posts = rows.filter(({ method }) => method === 'POST');
    expect(posts.length).toBeGreaterThan(0);
    expect(posts.every(({ outcome, error }) => outcome === 'timeout' && error === 'deadline, wait')).toBe(true);
    expect(outcomes(rows)).toEqual({ ok: 10 - posts.length, timeout: posts.length });
    expect(server.counts.connections).toBe(1);
  });
});
