/** The steps of a run, and how long each takes: the load by its schedule, the others by experience. */
import type { Step } from './progress-line.ts';

const bootMs = 4_000;
const baselineMs = 4_000;
/** From the word to begin until the first slot: notes are written for the reads, and slots are made. */
const loadBeginsMs = 1_000;
const collectMs = 2_500;
const verdictMs = 3_000;
/** Verdict and charts take longer for more rows. */
const verdictPerLoadMs = 0.05;

/** The steps of one run, in order. */
export function runSteps(runId: string, loadMs: number, baseline: boolean): [Step, ...Step[]] {
  const baselineStep = (when: string): Step[] =>
    baseline ? [{ text: `baseline ${when} the load`, expectedMs: baselineMs }] : [];
  return [
    { text: `run ${runId}, booting the lab`, expectedMs: bootMs },
    ...baselineStep('before'),
    { text: 'load', expectedMs: loadMs + loadBeginsMs },
    { text: 'collecting records', expectedMs: collectMs },
    ...baselineStep('after'),
    { text: 'verdict and report', expectedMs: verdictMs + loadMs * verdictPerLoadMs },
  ];
}
