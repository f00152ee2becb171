/**
 * Runs that somebody damaged, thousands of ways, through every command that opens one: each is judged or refused in one
 * sentence. Nothing hangs, crashes, takes much memory or writes elsewhere. A seed that fails is repeated by its number.
 */
import { cp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { HarnessError } from '../base/errors.ts';
import { judgeRun } from '../verdict/judge.ts';
import { readRun } from '../verdict/record/read-run.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { openRun } from '../run/run-door.ts';
import { writeReport } from '../report/write-report.ts';
import { verification } from './runs/verification.ts';
import { spoilRun } from './testing-mutations.ts';

const kept = fileURLToPath(new URL('../../reports/reference/', import.meta.url));
/** A judgement of such a run takes a second; a machine that does other work takes more. */
const longestMs = 30_000;
const mostBytes = 1024 * 1024 * 1024;

const top = testFolder();

/** What lies beside the run, and what scratch folders of ours are left. */
async function left(): Promise<string[]> {
  const scratch = (await readdir(tmpdir())).filter((name) => name.includes(`-${process.pid}-`));
  return [...scratch, ...(await readdir(top))];
}

/** What everything is refused with that is no run of ours. */
const refusals = new Set(['run-refused', 'run-damaged', 'run-missing']);

/** Does it, and holds a refusal to its form. */
async function judged(what: string, work: () => Promise<unknown>): Promise<void> {
  const begunMs = performance.now();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw new Error(`${what}: a crash`, { cause: error });
    expect(refusals.has(error.code), `${what}: ${error.code}`).toBe(true);
    expect(error.message, what).not.toMatch(/\n/u);
    expect(error.message.length, what).toBeLessThan(1_000);
  }
  expect(performance.now() - begunMs, what).toBeLessThan(longestMs);
  expect(process.memoryUsage.rss(), what).toBeLessThan(mostBytes);
}

async function spoilt(name: string, seed: number): Promise<{ run: string; what: string }> {
  const run = join(top, 'run');
  await rm(run, { recursive: true, force: true });
  await cp(join(kept, name), run, { recursive: true });
  return { run, what: `${name}, seed ${seed}: ${await spoilRun(run, seed, others)}` };
}

/** Figures that damage may not change in a run that passes. */
function figuresOf(verdict: Verdict): unknown {
  const { due, sent, outcomes, dropped, badRestarts, writes, stale, gapMs, longestWaitMs } = verdict;
  return { due, sent, outcomes, dropped, badRestarts, writes, stale, gapMs, longestWaitMs };
}

/** Runs of each experiment; 2 500 make ten thousand, and take an hour. */
const count = Number(process.env['RESTART_PROOF_DAMAGED_RUNS'] ?? 250);
const others = ['E0', 'E1', 'E2', 'E5', 'E6', 'E7'].map((name) => join(kept, name));

describe.each([
  ['E0', 100_000],
  ['E1', 200_000],
  ['E5', 300_000],
  ['E7', 400_000],
])('%s, damaged', (name, firstSeed) => {
  it('is judged or refused, and passes only with the figures of the whole run', { timeout: 120 * 60_000 }, async () => {
    const whole = (await readRun(join(kept, name))).verdict;
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const { run, what } = await spoilt(name, seed);
      await judged(what, () => readRun(run));
      await judged(what, async () => {
        const verdict = await judgeRun(run);
        if (verdict.verdict === 'pass') expect(figuresOf(verdict), what).toEqual(figuresOf(whole));
      });
    }
    expect(await left()).toEqual(['run']);
  });

  it('is reported and verified, or refused, and not written to', { timeout: 60 * 60_000 }, async () => {
    for (let seed = firstSeed; seed < firstSeed + count / 10; seed++) {
      const { run, what } = await spoilt(name, seed);
      await judged(what, async () => {
        const open = await openRun(run);
        await verification(open);
        expect((await openRun(run)).names()).toEqual(open.names());
      });
      await judged(what, () => writeReport(run));
    }
    expect(await left()).toEqual(['run']);
  });
});
