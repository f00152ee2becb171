import { expect, it } from 'vitest';
import type { LoadMessage } from './plan.ts';
import { spawnGenerator } from './spawn.ts';
import { testPlan } from './testing.ts';

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
