/** What befalls a run from outside, on the real lab: never a pass, always the right cause, and nothing left behind. */
import { it } from 'vitest';
import { expectAbortedByEndOf, prepareBadDays } from './testing-bad-days.ts';

prepareBadDays();

it('a container that was killed: aborted soon, with what was settled', async () => {
  await expectAbortedByEndOf('server');
});
