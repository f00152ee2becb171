/** Some of the damage that doors.full.test.ts does thousands of: each is judged, or refused in one sentence. */
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import { HarnessError } from '../base/errors.ts';
import { judgeRun } from '../verdict/judge.ts';
import { spoilRun } from './testing-mutations.ts';

const kept = fileURLToPath(new URL('../../reports/reference/E0', import.meta.url));

const run = emptiedFolder();
beforeEach(async () => {
  await cp(kept, run, { recursive: true });
});

it.each(Array.from({ length: 16 }, (_, seed) => seed))(
  'a damaged run is judged or refused: seed %i',
  async (seed) => {
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
