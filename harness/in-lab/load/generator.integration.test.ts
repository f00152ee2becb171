import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { noConnectionFree, serverHeldAll } from '../../run/failure-words.ts';
import { monotonicUs } from '../../base/clock.ts';
import { prepareLoad } from './generator.ts';
import type { LoadPlan } from './plan.ts';
import { anyGet, listen, outcomes, testPlan } from './testing.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';

/** What a raw server does with one request, of which it has read everything. */
type Behaviour = (socket: Socket, request: { method: string; path: string; body: string; nth: number }) => void;

interface Witness {
  readonly port: number;
  /** How often each request id arrived. */
  readonly arrivals: Map<string, number>;
}

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server that counts what arrives and then behaves as told. */
async function witness(behaviour: Behaviour): Promise<Witness> {
  const arrivals = new Map<string, number>();
  let nth = 0;
  const port = await rawServer((socket) => {
    let read = '';
    socket.on('data', (part) => {
      read += part.toString('latin1');
      for (;;) {
        const end = read.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = read.slice(0, end);
        const length = Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? 0);
        if (read.length < end + 4 + length) return;
        const body = read.slice(end + 4, end + 4 + length);
        read = read.slice(end + 4 + length);
        const [method = '', path = ''] = head.split(' ');
        const id = /x-request-id: (\S+)/iu.exec(head)?.[1] ?? '';
        arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
        behaviour(socket, { method, path, body, nth: nth++ });
      }
    });
  });
  return { port, arrivals };
}

/** A server that does this with each connection. */
async function rawServer(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  servers.push(server);
  return await listen(server);
}

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

function answer(socket: Socket, request: { method: string; path: string; body: string }, more = ''): void {
  const id = request.path.split('/')[2] ?? '';
  const body = request.method === 'POST' ? request.body : JSON.stringify({ id, text: `note ${id} ${'.'.repeat(32)}` });
  const status = request.method === 'POST' ? '201 Created' : '200 OK';
  socket.write(`HTTP/1.1 ${status}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

async function load(
  asked: LoadPlan,
  during?: (stop: () => void) => void,
): Promise<{ rows: LedgerRow[]; unfinished: number }> {
  const rows: LedgerRow[] = [];
  const prepared = await prepareLoad(asked, (row) => rows.push(row));
  const running = prepared.run(monotonicUs() + 20_000);
  during?.(() => prepared.stop());
  const { unfinished } = await running;
  return { rows, unfinished };
}

/** Every slot has one row; nothing arrived twice. */
function expectBalanced(rows: readonly LedgerRow[], count: number, { arrivals }: Witness): void {
  expect(rows.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, seq) => seq));
  expect([...arrivals.values()].filter((times) => times !== 1)).toEqual([]);
}

const everyTenth =
  (fault: (socket: Socket, request: Parameters<Behaviour>[1]) => void): Behaviour =>
  (socket, request) => {
    if (request.nth % 10 === 9) fault(socket, request);
    else answer(socket, request);
  };

describe.concurrent('the generator against servers with known answers', () => {
  it('reads the version from the header that the plan names', async () => {
    const server = await witness((socket, request) =>
      answer(socket, request, 'X-Release: v7\r\nX-App-Version: v1\r\n'),
    );
    const versionsOf = async (over: Partial<LoadPlan>): Promise<unknown> =>
      new Set((await load(testPlan(server.port, over))).rows.map(({ version }) => version));
    expect(await versionsOf({ versionHeader: 'x-release' })).toEqual(new Set(['v7']));
    expect(await versionsOf({})).toEqual(new Set(['v1']));
  });

  it('settles every slot once, on kept and new connections', async () => {
    const server = await witness(answer);
    const { rows } = await load(testPlan(server.port, { maxConnections: 20 }));
    expectBalanced(rows, 100, server);
    expect(outcomes(rows)).toEqual({ ok: 100 });
    expect(server.arrivals.size).toBe(100);
    const fresh = rows.filter(({ connection }) => connection === 'new');
    expect(fresh).toHaveLength(50);
    expect(fresh.every(({ connectedUs }) => connectedUs !== null)).toBe(true);
    expect(
      rows.filter(({ connection, connectedUs }) => connection === 'kept' && connectedUs === null).length,
    ).toBeGreaterThan(0);
  });

  it.each([
    ['a reset', 'reset', (socket: Socket) => socket.resetAndDestroy()],
    ['a close before the answer', 'closed', (socket: Socket) => socket.end()],
    ['a cut body', 'truncated', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf')],
    ['a 503', 'status-503', (socket: Socket) => socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n')],
    [
      'another’s body',
      'wrong',
      (socket: Socket, { method }: { method: string }) =>
        socket.write(`HTTP/1.1 ${method === 'POST' ? 201 : 200} OK\r\nContent-Length: 16\r\n\r\n{"id":"another"}`),
    ],
    ['no HTTP', 'parse', (socket: Socket) => socket.write('hello there\r\n\r\n')],
  ] as const)('counts %s as such, exactly as often as it was met', async (_, outcome, fault) => {
    for (const connections of ['kept', 'new'] as const) {
      const server = await witness(everyTenth(fault));
      const { rows } = await load(testPlan(server.port, { connections }));
      expectBalanced(rows, 100, server);
      expect(outcomes(rows)).toEqual({ ok: 90, [outcome]: 10 });
    }
  });

  it('loses nothing to a server that says Connection: close', async () => {
    const server = await witness((socket, request) => {
      answer(socket, request, request.nth % 3 === 0 ? 'Connection: close\r\n' : '');
      if (request.nth % 3 === 0) socket.end();
    });
    const { rows } = await load(testPlan(server.port, { connections: 'kept' }));
    expectBalanced(rows, 100, server);
    expect(outcomes(rows)).toEqual({ ok: 100 });
  });

  it('gives a request that hangs its own deadline, from its due time', async () => {
    const server = await witness(everyTenth(() => undefined));
    const { rows } = await load(testPlan(server.port, { deadlineMs: 3_000 }));
    expectBalanced(rows, 100, server);
    expect(outcomes(rows)).toEqual({ ok: 90, timeout: 10 });
    for (const row of rows.filter(({ outcome }) => outcome === 'timeout')) {
      expect(row.doneUs - row.dueUs).toBeGreaterThanOrEqual(3_000_000);
    }
  });

  it('counts a port that nobody listens on as refused', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const { rows } = await load(testPlan(port));
    expect(outcomes(rows)).toEqual({ refused: 100 });
  });

  it('calls a request that finds no free connection before its deadline unsent, never dropped by the server', async () => {
    const server = await witness(() => undefined);
    const { rows } = await load(testPlan(server.port, { maxConnections: 3, deadlineMs: 600 }));
    expectBalanced(rows, 100, server);
    const counts = outcomes(rows);
    expect((counts['unsent'] ?? 0) + (counts['timeout'] ?? 0) + (counts['connect-timeout'] ?? 0)).toBe(100);
    expect(counts['unsent']).toBeGreaterThan(60);
    for (const row of rows) expect(row.outcome === 'unsent').toBe(row.sentUs === null);
  });

  it('says of one that found none free whether the server answered anything meanwhile', async () => {
    const silent = await witness(() => undefined);
    const held = await load(testPlan(silent.port, { maxConnections: 3, deadlineMs: 200 }));
    expect(unsentWords(held.rows)).toEqual(new Set([serverHeldAll]));
    const slow = await witness((socket, request) => setTimeout(() => answer(socket, request), 50));
    // Two at a time of 50 ms each: 40 of 200 a second.
    const tooFew = await load(testPlan(slow.port, { maxConnections: 2, deadlineMs: 2_000 }));
    expect(unsentWords(tooFew.rows)).toContain(noConnectionFree);
  });

  it.each([
    ['an answer', answer],
    ['what is no HTTP', (socket: Socket) => void socket.write('hello there\r\n\r\n')],
  ])('gives up %s after the deadline, however soon after it', async (_, late) => {
    const server = await witness((socket, request) => setTimeout(() => late(socket, request), 105));
    const { rows } = await load(testPlan(server.port, { deadlineMs: 100 }));
    expectBalanced(rows, 100, server);
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
    const { rows } = await load(testPlan(server, { mix: [upload], ratePerSecond: 50 }));
    expect(outcomes(rows)).toEqual({ 'status-413': 25 });
  });

  it('reads an answer that was there before the request, of a server that closes at once', async () => {
    const answered = 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n';
    const server = await rawServer((socket) => void socket.write(answered, () => socket.destroy()));
    const { rows } = await load(testPlan(server, { mix: [upload], ratePerSecond: 50, connections: 'new' }));
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
    const { rows } = await load(
      testPlan(server, { mix: [upload], ratePerSecond: 20, connections: 'kept', maxConnections: 5 }),
    );
    expect(outcomes(rows)).toEqual({ ok: 10 });
    expect(connections).toBeLessThanOrEqual(5);
  });

  it('takes no interim answer for the beginning of the answer', async () => {
    const server = await witness((socket, request) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      if (request.nth % 10 === 9) socket.end();
      else setTimeout(() => answer(socket, request), 50);
    });
    const { rows } = await load(testPlan(server.port));
    expectBalanced(rows, 100, server);
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
    const { rows } = await load(testPlan(server, { mix, connections: 'kept' }));
    expect(outcomes(rows)).toEqual({ ok: 100 });
  });

  it('writes on no connection that its server has closed, though the close has not been read yet', async () => {
    const server = await witness((socket, request) =>
      setTimeout(() => {
        answer(socket, request);
        socket.destroy();
      }, 20),
    );
    // With one connection the next request waits for the answer, and its time has come with it.
    const asked = testPlan(server.port, {
      connections: 'kept',
      maxConnections: 1,
      ratePerSecond: 100,
      durationMs: 200,
    });
    const { rows } = await load(asked);
    expectBalanced(rows, 20, server);
    expect(outcomes(rows)).toEqual({ ok: 20 });
  });

  it('notes the round trip where a used connection ends without an answer, and an answer without a length', async () => {
    const server = await witness((socket, request) => {
      if (request.nth < 5) answer(socket, request);
      else socket.end('HTTP/1.0 200 OK\r\n\r\nall of it');
    });
    const mix = [anyGet];
    const { rows } = await load(testPlan(server.port, { mix, durationMs: 50, connections: 'kept' }));
    expect(rows.map(({ hasNoLength }) => hasNoLength)).toEqual([...Array<undefined>(5), ...Array<true>(5).fill(true)]);
    expect(rows.some((row) => 'rttUs' in row)).toBe(false);

    const resetting = await witness((socket, request) =>
      request.nth % 2 === 0 ? answer(socket, request) : socket.resetAndDestroy(),
    );
    // One connection: every second request is written on it behind an answer.
    const asked = testPlan(resetting.port, { mix, durationMs: 50, connections: 'kept', maxConnections: 1 });
    const cut = await load(asked);
    expect(outcomes(cut.rows)).toEqual({ ok: 5, reset: 5 });
    for (const { outcome, rttUs, connectedUs } of cut.rows) {
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
    const mix = [anyGet];
    // Of one second half is used: 0.6 s apart none is used again, 0.05 s apart few serve all.
    const seldom = await load(
      testPlan(server, { mix, connections: 'kept', ratePerSecond: 1 / 0.6, durationMs: 1_800 }),
    );
    expect(outcomes(seldom.rows)).toEqual({ ok: 3 });
    expect(used.size).toBeGreaterThan(1);
    used.clear();
    await load(testPlan(server, { mix, connections: 'kept', ratePerSecond: 20, durationMs: 1_000 }));
    expect(used.size).toBeLessThan(20);
  });

  it('calls an answer that is larger than it reads its own fault', async () => {
    const server = await witness(answer);
    const { rows } = await load(testPlan(server.port, { maxAnswerBytes: 20 }));
    expectBalanced(rows, 100, server);
    expect(outcomes(rows)).toEqual({ local: 100 });
    expect(rows[0]?.error).toBe('limit: the answer is above 20 bytes (--max-answer)');
  });

  it('never has more connections open than it may', async () => {
    let open = 0;
    let most = 0;
    const server = await witness((socket, request) => setTimeout(() => answer(socket, request), 30));
    servers.at(-1)?.on('connection', (socket: Socket) => {
      most = Math.max(most, ++open);
      socket.on('close', () => open--);
    });
    const { rows } = await load(testPlan(server.port, { maxConnections: 5, deadlineMs: 20_000 }));
    expectBalanced(rows, 100, server);
    expect(outcomes(rows)).toEqual({ ok: 100 });
    // The server hears of a close a moment after the client has opened the next.
    expect(most).toBeLessThanOrEqual(7);
  });

  it('keeps what it recorded when it is cut short', async () => {
    const server = await witness(answer);
    const { rows, unfinished } = await load(testPlan(server.port, { durationMs: 10_000 }), (stop) =>
      setTimeout(stop, 300),
    );
    expectBalanced(rows, rows.length, server);
    expect(unfinished).toBe(0);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(2_000);
  });
});
