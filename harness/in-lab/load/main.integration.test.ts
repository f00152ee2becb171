import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import type { LoadMessage } from './plan.ts';
import { spawnGenerator } from './spawn.ts';
import { anyGet, listen, testPlan } from './testing.ts';
import { primedNoteId } from '../../run/site-requests.ts';

it('says what failed, also where it was thrown while an event was dealt with, and ends', async () => {
  const generator = spawnGenerator();
  // Of an empty mix no slot can be filled, which shows when the first is due.
  const plan = testPlan(1, { mix: [], primedNotes: 0, ledgerPath: '/dev/null' });
  generator.say(JSON.stringify(plan));
  generator.say(JSON.stringify({ kind: 'go' }));
  const messages: LoadMessage[] = [];
  for await (const line of generator.lines) messages.push(JSON.parse(line) as LoadMessage);
  expect(messages.map(({ kind }) => kind)).toEqual(['primed', 'origin', 'error']);
  expect(messages.at(-1)).toEqual({ kind: 'error', message: 'no assignment for slot 0' });
  expect(generator.stderr()).toBe('');
});

it('writes each note to each site before the load, whose slots then go to the sites in turn', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const id =
        request.method === 'POST' ? (JSON.parse(body) as { id: string }).id : String(request.headers['x-request-id']);
      asked.push(`${request.headers.host ?? ''} ${id}`);
      response.writeHead(request.method === 'POST' ? 201 : 200).end(body);
    });
  });
  onTestFinished(() => void server.close());
  const hostHeaders = ['demo.test', 'demo2.test', 'demo3.test'] as const;
  const more = {
    hostHeaders,
    primedNotes: 2,
    mix: [anyGet],
    ledgerPath: '/dev/null',
    durationMs: 60,
    ratePerSecond: 100,
  };
  const plan = testPlan(await listen(server), more);
  const generator = spawnGenerator();
  generator.say(JSON.stringify(plan));
  generator.say(JSON.stringify({ kind: 'go' }));
  const kinds: string[] = [];
  for await (const line of generator.lines) kinds.push((JSON.parse(line) as LoadMessage).kind);
  expect(kinds.at(-1)).toBe('done');
  const notes = [0, 1].map((note) => primedNoteId(plan.runId, note));
  expect(asked.slice(0, 6)).toEqual(hostHeaders.flatMap((host) => notes.map((id) => `${host} ${id}`)));
  expect(asked.slice(6).sort()).toEqual(
    Array.from({ length: 6 }, (_, seq) => `${hostHeaders[seq % 3] ?? ''} run-1-${seq}`).sort(),
  );
});
