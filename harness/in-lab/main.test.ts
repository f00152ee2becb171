import { expect, it } from 'vitest';
import { answerLimits, type LoadMessage, type LoadPlan } from './plan.ts';
import { spawnGenerator } from './spawn.ts';

it('says what failed, also where it was thrown while an event was dealt with, and ends', async () => {
  const generator = spawnGenerator();
  const plan: LoadPlan = {
    runId: 'run',
    trial: 1,
    seed: 1,
    host: '127.0.0.1',
    port: 1,
    hostHeader: 'demo.test',
    ratePerSecond: 10,
    durationMs: 1_000,
    // Of an empty mix no slot can be filled, which shows when the first is due.
    mix: [],
    connections: 'kept',
    deadlineMs: 1_000,
    maxConnections: 1,
    ...answerLimits,
    primedNotes: 0,
    ledgerPath: '/dev/null',
    threads: 1,
  };
  generator.say(JSON.stringify(plan));
  generator.say(JSON.stringify({ kind: 'go' }));
  const messages: LoadMessage[] = [];
  for await (const line of generator.lines) messages.push(JSON.parse(line) as LoadMessage);
  expect(messages.map(({ kind }) => kind)).toEqual(['primed', 'origin', 'error']);
  expect(messages.at(-1)).toEqual({ kind: 'error', message: 'no assignment for slot 0' });
  expect(generator.stderr()).toBe('');
});
