/** A mix of requests against a real server that keeps what it read. */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { ResponseParser } from '../connection/response-parser.ts';
import { answerCheck } from './mixed-request.ts';
import type { ExpectedAnswer, LoadPlan, MixedRequest, PlanMixEntry } from './plan.ts';
import { listen, outcomes, rowsOf, testPlan } from './testing.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly socket: Socket;
}

const seen: Seen[] = [];
const anyStatus: ExpectedAnswer = { status: null, headers: [], body: null, json: [] };
/** Every byte there is, none of them filled in. */
const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('{id}')]);
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers, socket } = request;
      seen.push({ method, url, headers, body: Buffer.concat(parts), socket });
      response.setHeader('X-Shop', 'open');
      if (method === 'HEAD') response.setHeader('Content-Length', 500_000);
      response.end(method === 'HEAD' ? undefined : '{"order": {"state": "new", "n": 5}, "note": null}');
    });
  });
  port = await listen(server);
});
afterAll(() => server.close());

function entry(mixed: Partial<MixedRequest>, over: Partial<PlanMixEntry> = {}): PlanMixEntry {
  const whole = { name: 'home', target: ['/'], headers: [], body: null, expected: anyStatus, ...mixed };
  return { method: 'GET', path: '/', weight: 1, mixed: whole, ...over };
}

async function load(mix: readonly PlanMixEntry[], over: Partial<LoadPlan> = {}): Promise<LedgerRow[]> {
  seen.length = 0;
  const rows = await rowsOf(testPlan(port, { ratePerSecond: 1000, durationMs: 300, mix, ...over }));
  return rows.sort((a, b) => a.seq - b.seq);
}

describe('a mix of requests', () => {
  const mix = [
    entry({}, { weight: 6 }),
    entry({ name: 'upload', target: ['/up'], body: { base64: bytes.toString('base64') } }, { method: 'PUT' }),
    entry(
      {
        name: 'order',
        target: ['/orders?seq=', 'seq', ''],
        headers: [['Idempotency-Key', ['k-', 'id', '']]],
        body: { text: ['{"id": "', 'id', '", "é": ', 'seq', '}'] },
      },
      { method: 'POST', path: '/orders?seq={seq}', weight: 2 },
    ),
    entry({ name: 'probe', target: ['/'] }, { method: 'HEAD' }),
  ];
  let all: LedgerRow[];
  beforeAll(async () => {
    all = await load(mix);
  });

  it('is sent in its exact shares in each 100 slots, on kept and new connections alike', () => {
    expect(outcomes(all)).toEqual({ ok: 300 });
    for (const from of [0, 100, 200]) {
      for (const kind of ['kept', 'new']) {
        const names = all
          .slice(from, from + 100)
          .flatMap(({ connection, request = '' }) => (connection === kind ? request : []));
        expect(Map.groupBy(names, (name) => name)).toEqual(
          new Map([
            ['home', Array<string>(30).fill('home')],
            ['upload', Array<string>(5).fill('upload')],
            ['order', Array<string>(10).fill('order')],
            ['probe', Array<string>(5).fill('probe')],
          ]),
        );
      }
    }
  });

  it('carries the id and the number of its slot wherever they are asked for, and bytes unchanged', () => {
    const orders = all.filter(({ request }) => request === 'order');
    expect(orders.every(({ path }) => path === '/orders?seq={seq}')).toBe(true);
    for (const { seq, requestId } of orders) {
      const own = seen.filter(({ headers }) => headers['x-request-id'] === requestId);
      expect(own).toHaveLength(1);
      expect(own[0]).toMatchObject({
        url: `/orders?seq=${seq}`,
        headers: { 'idempotency-key': `k-${requestId}` },
        body: Buffer.from(`{"id": "${requestId}", "é": ${seq}}`),
      });
    }
    const uploads = seen.filter(({ method }) => method === 'PUT');
    expect(uploads).toHaveLength(30);
    for (const { body } of uploads) expect(body).toEqual(bytes);
  });
});

it('an answer to HEAD ends with its head, whatever length it says, and the connection is used again', async () => {
  const rows = await load([entry({}, { method: 'HEAD' })], { connections: 'kept', ratePerSecond: 100 });
  expect(outcomes(rows)).toEqual({ ok: 30 });
  const opened = rows.filter(({ connectedUs }) => connectedUs !== null).length;
  expect(new Set(seen.map(({ socket }) => socket)).size).toBe(opened);
  expect(opened).toBeLessThan(30);
});

describe('an answer that is not the expected one', () => {
  it.each<[Partial<ExpectedAnswer>, outcome: string, error: string | null]>([
    [{ status: 200 }, 'ok', null],
    [{ status: 201 }, 'status-200', null],
    [{ headers: [['x-shop', { text: 'open' }]] }, 'ok', null],
    [{ headers: [['X-Shop', { text: 'ope' }]] }, 'wrong', 'expected header X-Shop'],
    [{ headers: [['X-Shop', { regex: '^OP', flags: 'i' }]] }, 'ok', null],
    [{ headers: [['X-None', { regex: '', flags: '' }]] }, 'wrong', 'expected header X-None'],
    [{ body: { text: '"state"' } }, 'ok', null],
    [{ body: { text: 'closed' } }, 'wrong', 'expected body'],
    [{ body: { regex: '"n":\\s*5', flags: '' } }, 'ok', null],
    [{ body: { regex: '^"n"', flags: '' } }, 'wrong', 'expected body'],
    [{ json: [['$.order.state', 'new'], ['$.order', { n: 5, state: 'new' }], ['$.note', null]] }, 'ok', null], // prettier-ignore
    [{ json: [['$.order.state', 'new'], ['$.order.n', '5']] }, 'wrong', 'expected json $.order.n'], // prettier-ignore
    [{ json: [['$.none', null]] }, 'wrong', 'expected json $.none'],
  ])('%j: %s, %s', async (expected, outcome, error) => {
    const rows = await load([entry({ expected: { ...anyStatus, ...expected } })], { durationMs: 3 });
    expect(rows.map((row) => [row.outcome, row.error])).toEqual(Array(3).fill([outcome, error]));
  });

  it('is told in few words, without a letter of the answer', async () => {
    const check = await answerCheck({ ...anyStatus, json: [[`$.${'a'.repeat(500)}`, 1]] });
    const body = Buffer.from('{"secret": "s3cr3t"}');
    expect(check?.missedBy({ headers: new Map(), body })).toBe(`expected json $.${'a'.repeat(84)}…`);
  });

  it.each(['', 'not json', '{"a": 1'])('is one of JSON that is none: %j', async (text) => {
    const check = await answerCheck({ ...anyStatus, json: [['$', 1]] });
    expect(check?.missedBy({ headers: new Map(), body: Buffer.from(text) })).toBe('expected json $');
  });

  it('leaves bodies alone where only status and headers are expected', async () => {
    expect(await answerCheck({ ...anyStatus, status: 204 })).toBeNull();
    const check = await answerCheck({ ...anyStatus, headers: [['A', { text: 'b' }]] });
    expect(check?.needsBody).toBe(false);
  });
});

it('an answer that is too large to be compared does not name an option that would not help', () => {
  const read = (maxAnswerBytes: number, keptBytes: number) => () =>
    new ResponseParser({ keptBytes, maxHeadBytes: 1_000, maxAnswerBytes }).feed(
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n'),
    );
  expect(read(20, 20)).toThrow('the answer is above 20 bytes (most that is compared)');
  expect(read(20, 30)).toThrow('the answer is above 20 bytes (--max-answer)');
});
