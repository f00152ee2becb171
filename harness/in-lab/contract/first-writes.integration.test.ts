import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PlanMixEntry } from '../load/plan.ts';
import { storedIds, type WritesQuestion } from '../deploy/writes-question.ts';
import { makeFirstWrites } from './first-writes.ts';

let folder = '';
let publicPort = 0;
/** What it has stored; `GET /orders/ID` answers 404 for all others, `GET /list` takes any. */
const stored: string[] = [];
const server = createServer((request, response) => {
  void (async () => {
    if (request.method === 'POST') {
      const { id } = (await json(request)) as { id: string };
      stored.push(id);
      appendFileSync(join(folder, 'orders.txt'), `  ${id}\r\n`);
      const database = new DatabaseSync(join(folder, 'shop.db'));
      database.prepare('insert into orders (id) values (?)').run(id);
      database.close();
      response.statusCode = request.url === '/refused' ? 503 : 201;
    } else if (request.url?.startsWith('/orders/') === true) {
      response.statusCode = stored.includes(request.url.slice('/orders/'.length)) ? 200 : 404;
    } else if (request.url?.startsWith('/private/') === true) response.statusCode = 401;
    response.end();
  })();
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'first-writes-'));
  writeFileSync(join(folder, 'orders.txt'), '');
  const database = new DatabaseSync(join(folder, 'shop.db'));
  database.exec('create table orders (number integer primary key, id text); create table items (id text)');
  database.exec("insert into items values ('nail')");
  database.close();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  publicPort = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const entry = (path: string): PlanMixEntry => ({
  ...{ method: 'POST', path, weight: 1 },
  mixed: {
    name: 'order',
    target: [path],
    headers: [],
    body: { text: ['{"id": "', 'id', '"}'] },
    expected: { status: 201, headers: [], body: null, json: [] },
  },
});

async function firstOf(question: WritesQuestion, path = '/orders') {
  const writes = { requests: ['order'], question };
  const plan = { id: 'run-w', firstSeq: 6001, hostHeader: 'shop.test', publicPort, mix: [entry(path)], writes };
  const [first] = await makeFirstWrites(plan, 300);
  return first;
}
const bySql = (sql: string): WritesQuestion => ({ sql, database: join(folder, 'shop.db') });
const byUrl = (url: string): WritesQuestion => ({ url, host: 'shop.test', ports: [publicPort] });

it.each<[string, () => WritesQuestion]>([
  ['a query', () => bySql('select id from orders')],
  ['a command, with blanks around its ids', () => ({ command: `cat ${folder}/orders.txt` })],
  ['a URL', () => byUrl('/orders/{id}')],
])('a write is found by %s', async (_, question) => {
  const first = await firstOf(question());
  expect(first).toMatchObject({ request: 'order', fate: 'found', came: '' });
  expect(first?.id).toMatch(/^run-w-1-60\d\d$/u);
});

it.each<[string, () => WritesQuestion, string]>([
  ['another table', () => bySql('select id from items'), 'nail'],
  ['another column', () => bySql('select number from orders order by number desc'), '1'],
  ['a table that is empty', () => bySql("select id from items where id = ''"), ''],
  ['a command that prints other ids', () => ({ command: 'echo 17' }), '17'],
  ['a URL that knows none', () => byUrl('/orders/none-{id}'), ''],
])('a write is absent by %s', async (_, question, came) => {
  expect(await firstOf(question())).toMatchObject({ fate: 'absent', came });
});

it.each<[string, () => WritesQuestion, string, string?]>([
  ['no database', () => ({ sql: 'select 1', database: join(folder, 'none.db') }), 'none.db does not exist'],
  ['no table', () => bySql('select id from missing'), 'no such table: missing'],
  ['a command that fails', () => ({ command: 'echo gone >&2; exit 3' }), 'the command ended with status 3: gone'],
  ['a URL that lists all', () => byUrl('/list?of={id}'), '/list?of={id} answers 2xx for run-w-1-00, too'],
  ['a URL that refuses', () => byUrl('/private/{id}'), 'answered 401, which is neither 2xx nor 404'],
  ['a write that is refused', () => byUrl('/orders/{id}'), 'it came to 503', '/refused'],
])('nothing is known with %s', async (_, question, came, path) => {
  expect(await firstOf(question(), path)).toMatchObject({
    fate: 'unknown',
    came: expect.stringContaining(came) as string,
  });
});

it('a write is found twice that is stored twice', async () => {
  expect(await storedIds({ command: 'echo a; echo a' }, [])).toEqual(['a', 'a']);
});

it('a command that does not end is ended, with what it has started', async () => {
  const endless = { command: 'tail -f /dev/null; true' };
  await expect(storedIds(endless, [], 200)).rejects.toThrow('the command did not end within 0.2 s');
});
