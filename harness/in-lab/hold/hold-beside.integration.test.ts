/** The load generator as a process, with connections that it holds beside its load. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import type { HoldRow } from '../../run/files/holds.ts';
import type { LoadMessage } from '../load/plan.ts';
import { spawnGenerator } from '../load/spawn.ts';
import { anyGet, listen, testPlan } from '../load/testing.ts';

const folder = testFolder();
/** Streams that were opened, by the run that did. */
const opened = new Map<string, number>();
const server = createServer((request, response) => {
  if (request.url !== '/events') {
    response.end('ok');
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: hello\n\n');
  const run = String(request.headers['x-request-id']).split('-hold-')[0] ?? '';
  opened.set(run, (opened.get(run) ?? 0) + 1);
});
let port = 0;
beforeAll(async () => {
  port = await listen(server);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Runs a load with three held connections, and says `last` to it when they have been open for a quarter of a second. */
async function run(name: string, threads: number, last: 'finish' | 'stop') {
  const path = join(folder, `${name}.holds.ndjson`);
  const generator = spawnGenerator();
  const plan = testPlan(port, {
    ...{ runId: name, threads, mix: [anyGet], primedNotes: 0, ratePerSecond: 100, durationMs: 60_000 },
    ledgerPath: join(folder, `${name}.ndjson`),
    hold: { kind: 'sse', count: 3, target: '/events', headers: [], path },
  });
  const say = (command: string): void => generator.say(command);
  say(JSON.stringify(plan));
  say('{"kind":"go"}');
  let progressSince = 0;
  let done: Extract<LoadMessage, { kind: 'done' }> | undefined;
  for await (const line of generator.lines) {
    const message = JSON.parse(line) as LoadMessage;
    if (message.kind === 'progress' && opened.get(name) === 3) progressSince++;
    if (progressSince === 2) say(JSON.stringify({ kind: last }));
    if (message.kind === 'done') done = message;
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return { done, rows: lines.map((line) => JSON.parse(line) as HoldRow) };
}

describe.concurrent('the load generator', () => {
  it.each([1, 2])('on %i threads holds each connection once, and ends it with the load', async (threads) => {
    const { done, rows } = await run(`whole${threads}`, threads, 'finish');
    expect(done).toMatchObject({ aborted: false, held: { lives: 3, opened: 3, endedByService: 0, cut: 0 } });
    expect(rows.map(({ holder }) => holder).sort()).toEqual([1, 2, 3]);
    for (const row of rows) expect(row).toMatchObject({ ending: 'end-of-load', generation: 1, messages: 1, bytes: 13 });
  });

  it('writes every life of a load that is cut short', async () => {
    const { done, rows } = await run('short', 1, 'stop');
    expect(done).toMatchObject({ aborted: true, held: { lives: 3 } });
    expect(rows).toHaveLength(3);
  });
});
