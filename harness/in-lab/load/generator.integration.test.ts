import { createServer, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { noConnectionFree, serverHeldAll } from '../../run/failure-words.ts';
import { monotonicUs } from '../../base/clock.ts';
import { prepareLoad } from './generator.ts';
import type { LoadPlan } from './plan.ts';
import { anyGet, listen, outcomes, rowsOf, testPlan } from './testing.ts';
import {
  expectBalanced,
  rawServer,
  stopServers,
  witness,
  type Behaviour,
  type TestRequest,
  type Witness,
} from './testing-server.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';

afterAll(stopServers);

/** A body that no buffer of the kernel holds. */
const upload = {
  method: 'POST',
  path: '/upload',
  weight: 1,
  fixed: { headers: [], bodyBase64: Buffer.alloc(4 << 20).toString('base64'), expectedStatus: null },
} as const;

function unsentWords(rows: readonly LedgerRow[]): Set<string | null> {
  return new Set(rows.filter(({ outcome }) => outcome === 'unsent').map(({ error }) => error));
}

function answer({ socket, method, path, body: sent }: TestRequest, more = ''): void {
  const id = path.split('/')[2] ?? '';
  const body = method === 'POST' ? sent : JSON.stringify({ id, text: `note ${id} ${'.'.repeat(32)}` });
  const status = method === 'POST' ? '201 Created' : '200 OK';
  socket.write(`HTTP/1.1 ${status}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** The rows of a load against this server: so many slots, each with one row, and no request twice. */
async function balancedRows(server: Witness, over: Partial<LoadPlan> = {}, count = 100): Promise<LedgerRow[]> {
  const rows = await rowsOf(testPlan(server.port, over));
  expect(rows).toHaveLength(count);
  expectBalanced(rows, server);
  return rows;
}

const everyTenth =
  (fault: Behaviour): Behaviour =>
  (request) =>
    (request.nth % 10 === 9 ? fault : answer)(request);

describe.concurrent('the generator against servers with known answers', () => {
  it('reads the version from the header that the plan names', async () => {
    const { port } = await witness((request) => answer(request, 'X-Release: v7\r\nX-App-Version: v1\r\n'));
    const versionsOf = async (over: Partial<LoadPlan>): Promise<unknown> =>
      new Set((await rowsOf(testPlan(port, over))).map(({ version }) => version));
    expect(await versionsOf({ versionHeader: 'x-release' })).toEqual(new Set(['v7']));
    expect(await versionsOf({})).toEqual(new Set(['v1']));
  });

  it('settles every slot once, on kept and new connections', async () => {
    const server = await witness(answer);
    const rows = await balancedRows(server, { maxConnections: 20 });
    expect(outcomes(rows)).toEqual({ ok: 100 });
    expect(server.arrivals.size).toBe(100);
    const fresh = rows.filter(({ connection }) => connection === 'new');
    expect(fresh).toHaveLength(50);
    expect(fresh.every(({ connectedUs }) => connectedUs !== null)).toBe(true);
    expect(
      rows.filter(({ connection, connectedUs }) => connection === 'kept' && connectedUs === null).length,
    ).toBeGreaterThan(0);
  });

  it.each<[string, string, Behaviour]>([
    ['a reset', 'reset', ({ socket }) => socket.resetAndDestroy()],
    ['a close before the answer', 'closed', ({ socket }) => socket.end()],
    ['a cut body', 'truncated', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf')],
    ['a 503', 'status-503', ({ socket }) => socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n')],
    ['another’s body', 'wrong', (request) => answer({ ...request, path: '/notes/another', body: '{"id":"another"}' })],
    ['no HTTP', 'parse', ({ socket }) => socket.write('hello there\r\n\r\n')],
  ])('counts %s as such, exactly as often as it was met', async (_, outcome, fault) => {
    for (const connections of ['kept', 'new'] as const) {
      const server = await witness(everyTenth(fault));
      const rows = await balancedRows(server, { connections });
      expect(outcomes(rows)).toEqual({ ok: 90, [outcome]: 10 });
    }
  });

  it('loses nothing to a server that says Connection: close', async () => {
    const server = await witness((request) => {
      answer(request, request.nth % 3 === 0 ? 'Connection: close\r\n' : '');
      if (request.nth % 3 === 0) request.socket.end();
    });
    const rows = await balancedRows(server, { connections: 'kept' });
    expect(outcomes(rows)).toEqual({ ok: 100 });
  });

  it('gives a request that hangs its own deadline, from its due time', async () => {
    const server = await witness(everyTenth(() => undefined));
    const rows = await balancedRows(server, { deadlineMs: 3_000 });
    expect(outcomes(rows)).toEqual({ ok: 90, timeout: 10 });
    for (const row of rows.filter(({ outcome }) => outcome === 'timeout')) {
      expect(row.doneUs - row.dueUs).toBeGreaterThanOrEqual(3_000_000);
    }
  });

  it('counts a port that nobody listens on as refused', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(outcomes(await rowsOf(testPlan(port)))).toEqual({ refused: 100 });
  });

  it('calls a request that finds no free connection before its deadline unsent, never dropped by the server', async () => {
    const server = await witness(() => undefined);
    const rows = await balancedRows(server, { maxConnections: 3, deadlineMs: 600 });
    const counts = outcomes(rows);
    expect((counts['unsent'] ?? 0) + (counts['timeout'] ?? 0) + (counts['connect-timeout'] ?? 0)).toBe(100);
    expect(counts['unsent']).toBeGreaterThan(60);
    for (const row of rows) expect(row.outcome === 'unsent').toBe(row.sentUs === null);
  });

  it('says of one that found none free whether the server answered anything meanwhile', async () => {
    const silent = await witness(() => undefined);
    const held = await rowsOf(testPlan(silent.port, { maxConnections: 3, deadlineMs: 200 }));
    expect(unsentWords(held)).toEqual(new Set([serverHeldAll]));
    const slow = await witness((request) => setTimeout(() => answer(request), 50));
    // Two at a time of 50 ms each: 40 of 200 a second.
    const tooFew = await rowsOf(testPlan(slow.port, { maxConnections: 2, deadlineMs: 2_000 }));
    expect(unsentWords(tooFew)).toContain(noConnectionFree);
  });

  it.each<[string, Behaviour]>([
    ['an answer', answer],
    ['what is no HTTP', ({ socket }) => socket.write('hello there\r\n\r\n')],
  ])('gives up %s after the deadline, however soon after it', async (_, late) => {
    const server = await witness((request) => setTimeout(() => late(request), 105));
    const rows = await balancedRows(server, { deadlineMs: 100 });
    const { timeout = 0, 'connect-timeout': unconnected = 0 } = outcomes(rows);
    expect([timeout > 0, timeout + unconnected]).toEqual([true, 100]);
  });

  it('reads the answer to a request that the server does not read to its end', async () => {
    const server = await rawServer((socket) => {
      socket.once('data', () => {
        socket.pause();
        // What was not read makes the close a reset.
        socket.write('HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nbig', () => socket.destroy());
      });
    });
    const rows = await rowsOf(testPlan(server.port, { mix: [upload], ratePerSecond: 50 }));
    expect(outcomes(rows)).toEqual({ 'status-413': 25 });
  });

  it('reads an answer that was there before the request, of a server that closes at once', async () => {
    const answered = 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n';
    const server = await rawServer((socket) => void socket.write(answered, () => socket.destroy()));
    const rows = await rowsOf(testPlan(server.port, { mix: [upload], ratePerSecond: 50, connections: 'new' }));
    expect(outcomes(rows)).toEqual({ 'status-503': 25 });
  });

  it('sends the rest of a request that was answered early, and keeps the connection', async () => {
    let connections = 0;
    const server = await rawServer((socket) => {
      connections++;
      socket.on('data', (part) => {
        if (part.includes('POST ')) socket.write('HTTP/1.1 201 Yes\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const rows = await rowsOf(
      testPlan(server.port, { mix: [upload], ratePerSecond: 20, connections: 'kept', maxConnections: 5 }),
    );
    expect(outcomes(rows)).toEqual({ ok: 10 });
    expect(connections).toBeLessThanOrEqual(5);
  });

  it('takes no interim answer for the beginning of the answer', async () => {
    const server = await witness((request) => {
      request.socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      if (request.nth % 10 === 9) request.socket.end();
      else setTimeout(() => answer(request), 50);
    });
    const rows = await balancedRows(server);
    expect(outcomes(rows)).toEqual({ ok: 90, closed: 10 });
    for (const { outcome, sentUs, firstByteUs } of rows) {
      if (outcome === 'closed') expect(firstByteUs).toBeNull();
      else expect((firstByteUs ?? 0) - (sentUs ?? 0)).toBeGreaterThan(45_000);
    }
  });

  it('takes the body behind a 204 for nobody’s answer, also where it arrives after the next request was sent', async () => {
    const server = await rawServer((socket) => {
      let stray = '';
      socket.on('data', () => {
        socket.write(`${stray}HTTP/1.1 204 No Content\r\n\r\n`);
        stray = '{"done":true}';
      });
    });
    const mix = [{ ...anyGet, fixed: { ...anyGet.fixed, expectedStatus: 204 } }];
    const rows = await rowsOf(testPlan(server.port, { mix, connections: 'kept' }));
    expect(outcomes(rows)).toEqual({ ok: 100 });
  });

  it('writes on no connection that its server has closed, though the close has not been read yet', async () => {
    const server = await witness((request) =>
      setTimeout(() => {
        answer(request);
        request.socket.destroy();
      }, 20),
    );
    // With one connection the next request waits for the answer, and its time has come with it.
    const one = { connections: 'kept', maxConnections: 1, ratePerSecond: 100, durationMs: 200 } as const;
    const rows = await balancedRows(server, one, 20);
    expect(outcomes(rows)).toEqual({ ok: 20 });
  });

  it('notes the round trip where a used connection ends without an answer, and an answer without a length', async () => {
    const server = await witness((request) => {
      if (request.nth < 5) answer(request);
      else request.socket.end('HTTP/1.0 200 OK\r\n\r\nall of it');
    });
    const kept = { mix: [anyGet], durationMs: 50, connections: 'kept' } as const;
    const rows = await rowsOf(testPlan(server.port, kept));
    expect(rows.map(({ hasNoLength }) => hasNoLength)).toEqual([...Array<undefined>(5), ...Array<true>(5).fill(true)]);
    expect(rows.some((row) => 'rttUs' in row)).toBe(false);

    const resetting = await witness((request) =>
      request.nth % 2 === 0 ? answer(request) : request.socket.resetAndDestroy(),
    );
    // One connection: every second request is written on it behind an answer.
    const cut = await rowsOf(testPlan(resetting.port, { ...kept, maxConnections: 1 }));
    expect(outcomes(cut)).toEqual({ ok: 5, reset: 5 });
    for (const { outcome, rttUs, connectedUs } of cut) {
      expect(outcome === 'reset').toBe(rttUs !== undefined);
      if (outcome === 'reset') expect([connectedUs, (rttUs ?? 0) > 0]).toEqual([null, true]);
    }
  });

  it('heeds the time for which a server says that it keeps a connection', async () => {
    const used = new Set<Socket>();
    const server = await rawServer((socket) => {
      socket.on('data', () => {
        used.add(socket);
        socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=100\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const kept = { mix: [anyGet], connections: 'kept' } as const;
    // Of one second half is used: 0.6 s apart none is used again, 0.05 s apart few serve all.
    const seldom = await rowsOf(testPlan(server.port, { ...kept, ratePerSecond: 1 / 0.6, durationMs: 1_800 }));
    expect(outcomes(seldom)).toEqual({ ok: 3 });
    expect(used.size).toBeGreaterThan(1);
    used.clear();
    await rowsOf(testPlan(server.port, { ...kept, ratePerSecond: 20, durationMs: 1_000 }));
    expect(used.size).toBeLessThan(20);
  });

  it('calls an answer that is larger than it reads its own fault', async () => {
    const server = await witness(answer);
    const rows = await balancedRows(server, { maxAnswerBytes: 20 });
    expect(outcomes(rows)).toEqual({ local: 100 });
    expect(rows[0]?.error).toBe('limit: the answer is above 20 bytes (--max-answer)');
  });

  it('never has more connections open than it may', async () => {
    let open = 0;
    let most = 0;
    const accept = (raw: Socket): boolean => {
      most = Math.max(most, ++open);
      raw.on('close', () => open--);
      return false;
    };
    const server = await witness((request) => setTimeout(() => answer(request), 30), { accept });
    const rows = await balancedRows(server, { maxConnections: 5, deadlineMs: 20_000 });
    expect(outcomes(rows)).toEqual({ ok: 100 });
    // The server hears of a close a moment after the client has opened the next.
    expect(most).toBeLessThanOrEqual(7);
  });

  it('keeps what it recorded when it is cut short', async () => {
    const server = await witness(answer);
    const rows: LedgerRow[] = [];
    const load = await prepareLoad(testPlan(server.port, { durationMs: 10_000 }), (row) => rows.push(row));
    setTimeout(() => load.stop(), 300);
    const { unfinished } = await load.run(monotonicUs() + 20_000);
    expectBalanced(rows, server);
    expect(unfinished).toBe(0);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(2_000);
  });
});
