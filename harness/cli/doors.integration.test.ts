/** Some of the damage that doors.full.test.ts does thousands of: each is judged, or refused in one sentence. */
import { expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { HarnessError } from '../base/errors.ts';
import { judgeRun } from '../verdict/judge.ts';
import { contentOf, writeFolder } from '../verdict/testing-folder.ts';
import { spoilRun } from './testing-mutations.ts';

// Each spoils another of the files that are read, or spoils it in another way.
it.each([0, 2, 3, 4, 5, 6, 9, 10, 11, 13, 14, 17, 19, 20, 22])(
  'a damaged run is judged or refused: seed %i',
  async (seed) => {
    const run = await writeFolder(contentOf(e5, 'waited'));
    const what = await spoilRun(run, seed);
    const came = await judgeRun(run).then(
      ({ verdict }) => verdict,
      (error: unknown) => error,
    );
    if (typeof came === 'string') return;
    expect(came, what).toBeInstanceOf(HarnessError);
    expect((came as HarnessError).code).toMatch(/^run-(refused|damaged|missing)$/u);
    expect((came as HarnessError).message).not.toContain('\n');
  },
  60_000,
);
