/** One run of one experiment, from booting its lab until it is judged. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import { newRunId, runFiles } from '../run/run-folder.ts';
import { deploySchedule } from '../experiment/deploy-schedule.ts';
import type { Audience, Step } from './audience.ts';
import type { HeldEngine } from './hold-engine.ts';
import { runInLab } from './experiment/lab-run.ts';
import { nameOfRun, type RunRequest } from './run-request.ts';

/** What conducting reads of a verdict. */
export interface Judged {
  readonly verdict: string;
  readonly citation: string;
  readonly reasons: readonly string[];
}

/** How runs are judged once their files are there. Conducting knows no verdicts: the command hands this in. */
export interface Judging<V extends Judged> {
  /** Judges the run in this folder, and writes what follows from its verdict. */
  judge(folder: string): Promise<V>;
  /** Does the verdict say something of the service, or only that the run cannot be trusted? */
  isConclusive(verdict: V): boolean;
  /** Did a control come out as it must? */
  holds(role: 'C0' | 'C+', verdict: V): boolean;
  /** A verdict that was kept as JSON; throws where this version reads another form. */
  parse(json: unknown): V;
  /** Holds the load generator against servers that fail in known ways. */
  calibrate(reportsFolder: string): Promise<unknown>;
}

/** What every function that conducts runs needs. */
export interface Conductor<V extends Judged> {
  readonly engine: HeldEngine;
  readonly audience: Audience;
  readonly judging: Judging<V>;
}

/** What a run left. */
export interface RunResult<V> {
  readonly folder: string;
  readonly verdict: V;
  /** The lab, where it was to be kept. */
  readonly kept: Lab | null;
}

/**
 * Conducts a run and has it judged. Whatever happens, the lab is taken down, unless it is to be kept.
 * @param controls what it is to be compared with, for witnesses/controls.json; null where it has no controls
 * @throws {HarnessError} when the machine cannot run it, or the run was cut short before the load began
 */
export async function conductRun<V extends Judged>(
  { engine, audience, judging }: Conductor<V>,
  request: RunRequest,
  controls: unknown = null,
): Promise<RunResult<V>> {
  const runId = newRunId(new Date());
  const steps = stepsOf(runId, request);
  const place = request.place === undefined ? '' : `${request.place}, `;
  const progress = audience.follow({ title: `${place}${nameOfRun(request)}`, steps });
  try {
    progress.phase(steps[0].text);
    const folder = join(request.reportsFolder, request.experiment.id, runId);
    const { signal } = audience;
    const { kept, removed } = await runInLab({ ...engine, runId, folder, progress, signal }, request);
    if (controls !== null) {
      await writeFile(join(folder, runFiles.controls), `${JSON.stringify(controls, null, 2)}\n`);
    }
    const verdict = await judging.judge(folder);
    await removed;
    return { folder, verdict, kept };
  } finally {
    progress.end();
  }
}

const bootMs = 4_000;
const capacityMs = 4_000;
/** From the word to begin until the first slot: notes are written for the reads, and slots are made. */
const loadBeginsMs = 1_000;
const collectMs = 2_500;
const verdictMs = 3_000;
/** Verdict and charts take longer for more rows. */
const verdictPerLoadMs = 0.05;

/** How long a run of this request should take, ms. */
export function expectedRunMs(request: RunRequest): number {
  return stepsOf('', request).reduce((sum, { expectedMs }) => sum + expectedMs, 0);
}

/** The steps of a run, and how long each takes: the load by its schedule, the others by experience. */
function stepsOf(runId: string, { experiment, seed, capacity }: RunRequest): [Step, ...Step[]] {
  const schedule = deploySchedule(experiment.deploy, seed, experiment.load.ratePerSecond);
  const loadMs = schedule.durationMs(schedule.wanted);
  const capacityStep = (when: string): Step[] =>
    capacity ? [{ text: `capacity ${when} the load`, expectedMs: capacityMs }] : [];
  return [
    { text: `run ${runId}, booting the lab`, expectedMs: bootMs },
    ...capacityStep('before'),
    { text: 'load', expectedMs: loadMs + loadBeginsMs },
    { text: 'collecting records', expectedMs: collectMs },
    ...capacityStep('after'),
    { text: 'verdict and report', expectedMs: verdictMs + loadMs * verdictPerLoadMs },
  ];
}
