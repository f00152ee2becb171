/** `baseline`: accepts runs as what the gate compares with, and shows those that were. */
import { exitCodes } from '../base/errors.ts';
import {
  baselineOf,
  pooled,
  type Baseline,
  type RecordedRun,
  baselineName,
  readBaselines,
  writeBaseline,
} from '../gate/baseline.ts';
import { entryName } from '../gate/files/budgets.ts';
import { changeText } from '../gate/conditions.ts';
import { differences } from '../experiment/differences.ts';
import { usageError } from '../gate/refusals.ts';
import type { Context } from './context.ts';
import { baselinesFolder } from './gate/plan.ts';
import { refuseArguments } from './options/refusals.ts';
import { pathText } from './print/path.ts';
import { command, type Typed } from './command.ts';
import { tableOf } from '../report/format.ts';
import { readRun } from '../verdict/record/read-run.ts';

const options = {
  '--append': 'add the runs to the baseline that is there',
  '--name <name>': 'the entry of the gate that it is for (default: E5, or E5@variant)',
} as const;
type AcceptOptions = Typed<typeof options>;

/** Exits 0; what cannot be accepted or shown is refused. */
export const baseline = command({
  name: 'baseline',
  about: 'accept a run as what the gate compares with, or list or show those that were',
  takes: [
    ['<action>', 'accept, list or show'],
    ['[names...]', 'accept: folders of runs; show: a name'],
  ],
  options,
  examples: [
    'npm run baseline -- accept reports/E5/latest',
    'npm run baseline -- accept reports/E5/20261124T* --append',
    'npm run baseline -- show E5',
  ],
  run: async (context, action, names, options) => {
    switch (action) {
      case 'accept':
        return await acceptBaseline(context, names, options);
      case 'list':
        refuseArguments(names, 0, '`baseline list` takes no name');
        return await listBaselines(context);
      case 'show':
        refuseArguments(names, 1, 'One baseline at a time');
        return await showBaseline(context, names[0]);
      default:
        throw usageError(`baseline takes accept, list or show, not ${JSON.stringify(action)}.`);
    }
  },
});

/**
 * Makes baselines of runs: those of one experiment are put together, and replace the baseline that was there, or are
 * added to it (--append). Nothing is written unless every run can be accepted.
 */
async function acceptBaseline(context: Context, runs: readonly string[], options: AcceptOptions): Promise<number> {
  if (runs.length === 0) {
    throw usageError(
      'baseline accept needs the folder of a run.',
      'Such as npm run baseline -- accept reports/E5/latest',
    );
  }
  if (options.name !== undefined) baselineName(options.name);
  const folder = baselinesFolder(context);
  const known = await readBaselines(folder);
  const accepted = new Map<string, Baseline>();
  for (const run of runs) {
    const recorded = await acceptable(run);
    const { experiment, variant } = recorded.verdict;
    const name = baselineName(options.name ?? entryName({ experiment, variant: variant ?? undefined }));
    const made = baselineOf(name, recorded);
    refuseTwin(accepted.get(name), recorded, run);
    const before = accepted.get(name) ?? (options.append === true ? known.get(name) : undefined);
    if (before !== undefined) refuseStrangers(before, made, run);
    accepted.set(name, before === undefined ? made : pooled(before, made));
  }
  for (const [name, baseline] of [...accepted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const was = known.get(name);
    const path = pathText(await writeBaseline(folder, baseline));
    const count = baseline.runs.length;
    context.stdout(
      `${was === undefined ? 'new' : 'changed'}: ${path}, of ${count} ${count === 1 ? 'run' : 'runs'}` +
        `${was === undefined ? '' : `, before of ${was.runs.length}`}\n`,
    );
    if (count < 3) context.stdout(`  waits are compared with three runs or more: add some with --append\n`);
    for (const { runId, verdict } of baseline.runs) {
      if (verdict === 'fail')
        context.stdout(`  ${runId} failed its own expectations, and is what the gate compares with now\n`);
    }
  }
  context.stdout('Commit the change with its reason: a reviewer sees the figures in it.\n');
  return exitCodes.pass;
}

/** A run that may become a baseline. */
async function acceptable(run: string): Promise<RecordedRun> {
  const { verdict, run: record } = await readRun(run);
  if (record.kind !== 'experiment') throw usageError(`${run} is no run of an experiment, and the gate runs no other.`);
  if (verdict.verdict !== 'pass' && verdict.verdict !== 'fail') {
    throw usageError(`${run} is ${verdict.verdict}: nothing may be compared with it.`, verdict.reasons[0]);
  }
  if (verdict.controls === null) {
    throw usageError(
      `${run} was made without controls: nothing may be compared with it.`,
      'Run it without --no-controls.',
    );
  }
  const { verifiedRun } = await import('./runs/verification.ts');
  await verifiedRun(run);
  return { verdict, run: record };
}

/** The same run twice is one run. */
function refuseTwin(accepted: Baseline | undefined, { verdict: { runId } }: RecordedRun, run: string): void {
  if (accepted?.runs.some((one) => one.runId === runId) !== true) return;
  throw usageError(`${run} is the run ${runId}, which was named already.`, 'Name each run once.');
}

/** Runs that were asked otherwise have no common measure. */
function refuseStrangers(before: Baseline, made: Baseline, run: string): void {
  const differing = differences(before.conditions, made.conditions);
  if (differing.length === 0) return;
  throw usageError(
    `${run} was asked otherwise than the other runs of ${before.name}: ${differing.map(changeText).join(', ')}.`,
    'Accept it without --append, or under a --name of its own.',
  );
}

/** Lists the baselines. */
async function listBaselines(context: Context): Promise<number> {
  const baselines = await readBaselines(baselinesFolder(context));
  const table = tableOf(
    [...baselines.values()],
    [
      ['name', ({ name }) => name],
      ['runs', ({ runs }) => String(runs.length)],
      ['bad restarts', ({ runs }) => `${total(runs, 'badRestarts')} of ${total(runs, 'restarts')}`],
      ['dropped', ({ runs }) => `${total(runs, 'dropped')} of ${total(runs, 'due')}`],
      ['longest wait, ms', ({ runs }) => runs.map(({ longestWaitMs }) => longestWaitMs?.toFixed(0) ?? '–').join(', ')],
      ['last run', ({ runs }) => runs.at(-1)?.runId ?? ''],
    ],
  );
  const none = 'There is no baseline: `npm run baseline -- accept RUN` makes one of a run.';
  context.stdout(`${baselines.size === 0 ? context.worded(none) : table}\n`);
  return exitCodes.pass;
}

/** Shows one baseline: the line of each run, and what was asked of all. */
async function showBaseline(context: Context, name: string | undefined): Promise<number> {
  if (name === undefined) throw usageError('`baseline show` takes a name.', '`npm run baseline -- list` has them.');
  const baselines = await readBaselines(baselinesFolder(context));
  const baseline = baselines.get(name);
  if (baseline === undefined) {
    const names = [...baselines.keys()];
    throw usageError(
      `There is no baseline ${JSON.stringify(name)}.`,
      names.length === 0 ? 'There is none at all.' : `There are ${names.join(', ')}.`,
    );
  }
  const lines = baseline.runs.map(
    ({ citation, verdict, controls }) => `${verdict}: ${citation}\n  beside ${controls.join(', ') || 'no other'}`,
  );
  const conditions = Object.entries(baseline.conditions).map(([path, value]) => `  ${path}=${value}`);
  context.stdout(`${[`${name}: ${baseline.runs.length} runs`, ...lines, 'asked of all:', ...conditions].join('\n')}\n`);
  return exitCodes.pass;
}

function total(runs: Baseline['runs'], figure: 'badRestarts' | 'restarts' | 'dropped' | 'due'): number {
  return runs.reduce((sum, run) => sum + run[figure], 0);
}
