/**
 * A run that never was, of any length: every file that a verdict and a report are made of, in the formats of the lab, and in
 * agreement with one another. For the benchmark of verdict and report, and for tests of them; it measures no service.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { coloursOf } from '../experiment/units.ts';
import { loadExperiment } from '../experiment/catalog.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { deploySchedule, spacedForRate } from '../experiment/deploy-schedule.ts';
import { writeTimeline } from '../run/timeline/timeline-from-files.ts';
import { OrderedFile } from './ordered-file.ts';
import { SyntheticLoad, type SyntheticClock } from './synthetic-load.ts';
import { deployerLines, journalText, syntheticRestart, type SyntheticRestart } from './synthetic-restarts.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** What is made up. */
export interface SyntheticPlan {
  /** `waits`: E5, whose socket keeps what comes while nobody serves. `drops`: E1, whose closed port refuses it. */
  readonly shape: 'waits' | 'drops';
  readonly rows: number;
  readonly ratePerSecond: number;
  readonly restarts: number;
  readonly seed: number;
}

/** A day in the past: nothing in a run is told by the clock of the machine that makes it up. */
const wallOffsetUs = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;
const originUs = 300_000_000;
/** Room for what is drawn of the first restart's beginning, and for the last restart's tail. */
const leadMs = 2_000;
const tailMs = 3_000;
/** Slots that are made up before what can no longer change is written. */
const slotsAtOnce = 1_000;

/**
 * Writes the run into `folder`, which is made. It is judged a pass, with every drop explained.
 * @throws {HarnessError} when the plan is no experiment that could be run
 */
export async function writeSyntheticRun(folder: string, plan: SyntheticPlan): Promise<void> {
  const durationMs = (plan.rows * 1000) / plan.ratePerSecond;
  const experiment = await experimentOf(plan, (durationMs - leadMs - tailMs) / plan.restarts);
  const { beginsMs } = deploySchedule(experiment.deploy, plan.seed, plan.ratePerSecond);
  const restarts = beginsMs
    .slice(0, plan.restarts)
    .map((beginMs, index) => syntheticRestart(index + 1, beginMs * 1000, experiment.app.warmupMs));
  const run = recordOf(plan, experiment, restarts, durationMs);
  const clock: SyntheticClock = { originUs, originWallUs: originUs + wallOffsetUs };
  await mkdir(join(folder, dirname(runFiles.accessLog)), { recursive: true });
  await writeLoad(folder, run, restarts, clock);

  const [unit] = coloursOf(experiment);
  const journal = journalText(unit, restarts, { originUs, wallOffsetUs });
  const deployer = deployerLines(restarts, originUs);
  const engine = ['client', 'server', 'edge'].map((role, index) => ({
    atWallUs: clock.originWallUs - 9_000_000 + index * 5_000,
    action: 'start',
    role,
    detail: '',
  }));
  const lines = (records: readonly object[]): string => records.map((of) => `${JSON.stringify(of)}\n`).join('');
  await writeFile(join(folder, runFiles.journal), journal);
  await writeFile(join(folder, runFiles.deployer), lines(deployer));
  await writeFile(join(folder, runFiles.engineEvents), lines(engine));
  await writeTimeline(folder, run);
  const record = run;
  await writeFile(join(folder, runFiles.run), `${JSON.stringify(record, null, 2)}\n`);
  const kernel = {
    'Tcp.ActiveOpens': plan.rows / 2,
    'Tcp.PassiveOpens': plan.rows,
    'TcpExt.ListenOverflows': 0,
    'TcpExt.ListenDrops': 0,
  };
  await writeFile(join(folder, runFiles.kernel), `${JSON.stringify(kernel, null, 2)}\n`);
}

/** The experiment as its file has it, at the plan's rate and with its restarts. */
async function experimentOf({ shape, ratePerSecond, restarts }: SyntheticPlan, spacingMs: number): Promise<Experiment> {
  // Of a high rate the schedule stretches it again.
  const spacing = Math.floor(spacingMs / Math.max(1, ratePerSecond / spacedForRate));
  return resolveExperiment(await loadExperiment(shape === 'waits' ? 'E5' : 'E1'), {
    changes: [
      ['load.ratePerSecond', ratePerSecond],
      ['deploy.restarts', restarts],
      ['deploy.spacingMs.0', spacing],
      ['deploy.spacingMs.1', spacing],
      // Of ten seconds between two restarts the port is then closed for some two.
      ...(shape === 'drops' ? ([['app.warmupMs', 1_400]] as const) : []),
    ],
  });
}

function recordOf(
  { shape, seed }: SyntheticPlan,
  experiment: Experiment,
  restarts: readonly SyntheticRestart[],
  durationMs: number,
): ExperimentRun {
  return {
    kind: 'experiment',
    schema: 1,
    runId: `20260102T030905Z-${(seed % 0x10000).toString(16).padStart(4, '0')}`,
    experiment,
    variant: null,
    variantAbout: null,
    changes: [],
    seed,
    command: `made up (${shape}), measured nowhere`,
    startedAt: '2026-01-02T03:09:05.000Z',
    originMonotonicUs: originUs,
    wallOffsetUs: [wallOffsetUs, wallOffsetUs],
    deployBeginsMs: restarts.map(({ beginUs }) => beginUs / 1000),
    durationMs,
    witnessLines: {},
    fingerprint: { kernel: 'none', node: process.version, systemd: 'none', traefik: 'none' },
    aborted: null,
    unfinished: 0,
    troubles: [],
  };
}

/** Ledger, probe, both logs of the proxy, the site's, the queues and the database. */
async function writeLoad(
  folder: string,
  run: ExperimentRun,
  restarts: readonly SyntheticRestart[],
  clock: SyntheticClock,
): Promise<void> {
  const open = (name: string): OrderedFile => new OrderedFile(join(folder, name));
  const files = {
    ledger: open(runFiles.ledger),
    access: open(runFiles.accessLog),
    site: open(runFiles.requestLog),
    proxyLog: open(runFiles.proxyLog),
    queues: open(runFiles.queues),
    notes: open(runFiles.notes),
    direct: open(runFiles.direct),
  };
  const load = new SyntheticLoad(run, restarts, clock, files);
  await makeUp(load, run, files);
  for (const file of Object.values(files)) await file.end();
}

async function makeUp(
  load: SyntheticLoad,
  { experiment, durationMs }: ExperimentRun,
  files: Readonly<Record<string, OrderedFile>>,
): Promise<void> {
  load.begin();
  const slots = slotCount(experiment.load.ratePerSecond, durationMs);
  for (let seq = 0; seq < slots; seq++) {
    const dueUs = load.addSlot(seq);
    if (seq % slotsAtOnce !== 0) continue;
    for (const file of Object.values(files)) await file.writeUntil(dueUs);
  }
}
