/** Some of the damage that doors.full.test.ts does thousands of: each is judged, or refused in one sentence. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HarnessError } from '../base/errors.ts';
import { judgeRun } from '../verdict/judge.ts';
import { spoilRun } from './testing-mutations.ts';

const kept = fileURLToPath(new URL('../../reports/reference/E0', import.meta.url));

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'restart-proof-damaged-'));
  await cp(kept, run, { recursive: true });
});
afterEach(() => rm(run, { recursive: true, force: true }));

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
