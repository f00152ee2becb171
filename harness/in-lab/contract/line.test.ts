import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openKept } from './kept.ts';
import { askOnce, Line } from './line.ts';
import type { ContractPlan, Measured } from './messages.ts';
import { quickRequest, rememberQuickest } from './requests.ts';
import { beginHalf } from './stop.ts';

const asked = (path: string) => ({ whole: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`), isHead: false });
const request = asked('/');
const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const last = answer.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
const servers: { server: Server; sockets: Socket[] }[] = [];

afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

/** A server that does this with what it reads. */
async function serve(onData: (socket: Socket, text: string) => void): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => onData(socket, bytes.toString('latin1')));
  });
  servers.push({ server, sockets });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, sockets };
}

function planFor(port: number): ContractPlan {
  const fixed = { headers: [], bodyBase64: null, expectedStatus: 200 };
  const get = (path: string): ContractPlan['mix'][number] => ({ method: 'GET', path, weight: 1, fixed });
  return {
    ...{ id: 'x', hostHeader: 'a', unit: '', socket: '', publicPort: port, internalPort: port },
    ...{ live: null, ready: null, version: null, writes: null, startMs: 1000, stopMs: 1000 },
    mix: [
      get('/slow'),
      get('/quick'),
      {
        ...{ method: 'POST', path: '/orders', weight: 1 },
        fixed: { headers: [], bodyBase64: Buffer.from('{"id": 1}').toString('base64'), expectedStatus: 201 },
      },
    ],
  };
}

describe('a line', () => {
  it('tells an answer, and whether the connection stays', async () => {
    const { port } = await serve((socket, text) => socket.write(text.startsWith('GET /last') ? last : answer));
    const line = new Line(port);
    expect(await line.ask(request, 5000)).toMatchObject({ result: 200, keepsOpen: true });
    expect(line.isOpen()).toBe(true);
    expect(await line.ask(asked('/last'), 5000)).toMatchObject({ result: 200, keepsOpen: false });
    line.close();
  });

  it('tells how a request was lost', async () => {
    const told = async (onData: (socket: Socket) => void, timeoutMs = 5000) =>
      (await askOnce((await serve(onData)).port, request, timeoutMs)).result;
    expect(await told((socket) => socket.end())).toBe('closed');
    expect(await told((socket) => socket.resetAndDestroy())).toBe('reset');
    expect(await told(() => undefined, 20)).toBe('timeout');
    expect(await told((socket) => socket.write('SSH-2.0\r\n'))).toBe('garbled');
    const gone = await serve(() => undefined);
    servers.pop()?.server.close();
    expect((await askOnce(gone.port, request, 5000)).result).toBe('refused');
  });

  it('sends half of a request, and the rest when it is told', async () => {
    let got = '';
    const { port } = await serve((socket, text) => {
      got += text;
      if (got.endsWith('{"id": 1}')) socket.write(answer.replace('200 OK', '201 Created'));
    });
    const plan = planFor(port);
    const [, , order] = plan.mix;
    if (order === undefined) throw new Error('no order');
    const finish = await beginHalf(plan, order);
    await expect.poll(() => got).toMatch(/\r\n\r\n\{"id$/u);
    expect(await finish()).toMatchObject({ kind: 'half', expected: 201, told: { result: 201 } });
  });
});

describe('kept connections', () => {
  it('tell those that were ended without a word from those that were told', async () => {
    const { port, sockets } = await serve((socket) => socket.write(answer));
    const kept = await openKept(planFor(port));
    await kept.beforeSignal();
    expect(sockets).toHaveLength(9);
    for (const socket of sockets) socket.end();
    await expect.poll(() => sockets.every((socket) => socket.closed)).toBe(true);
    const seen = kept.end();
    expect(seen.filter(({ kind }) => kind === 'silent')).toHaveLength(3);
    for (const { endedUs, isAnnounced, lastAnswerUs } of seen) {
      expect(isAnnounced).toBe(false);
      expect(endedUs).toBeGreaterThan(lastAnswerUs);
    }
  });

  it('are announced where each answer says that it is the last', async () => {
    const told = new Set<Socket>();
    let isDraining = false;
    const { port } = await serve((socket) => {
      if (!isDraining) return void socket.write(answer);
      told.add(socket);
      socket.end(last);
    });
    const kept = await openKept(planFor(port));
    await kept.beforeSignal();
    isDraining = true;
    await expect.poll(() => [...told].filter(({ closed }) => closed).length).toBe(6);
    const used = kept.end().filter(({ kind }) => kind === 'used');
    expect(used.map(({ isAnnounced, isRequestLost }) => ({ isAnnounced, isRequestLost }))).toEqual(
      Array(6).fill({ isAnnounced: true, isRequestLost: false }),
    );
  });

  it('are none where the service keeps none', async () => {
    const { port } = await serve((socket) => socket.end(last));
    expect((await openKept(planFor(port))).end()).toEqual([]);
  });
});

describe('any request', () => {
  it('is the first GET, and once the mix was measured the quickest that is answered', () => {
    const plan = planFor(1);
    const took = (medianMs: number, ...results: Measured['results']): Measured => ({
      ...{ name: '', results, expected: 200, medianMs },
    });
    expect(quickRequest(plan).name).toBe('GET /slow');
    rememberQuickest(plan, [took(300, 200), took(1, 200, 200), took(0.5, 200)]);
    expect(quickRequest(plan).whole.toString()).toMatch(/^GET \/quick HTTP\/1\.1\r\n/u);
    rememberQuickest(plan, [took(300, 200), took(1, 200, 500)]);
    expect(quickRequest(plan).name).toBe('GET /slow');
    rememberQuickest(plan, []);
  });

  it('may be a HEAD where the mix has nothing else, and its answer has no body', async () => {
    const { port } = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'));
    const plan = planFor(port);
    const [entry] = plan.mix.map((one) => ({ ...one, method: 'HEAD' as const }));
    if (entry === undefined) throw new Error('no entry');
    expect((await askOnce(port, quickRequest({ ...plan, mix: [entry] }), 300)).result).toBe(200);
  });
});
