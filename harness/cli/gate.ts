/** `gate`: runs the entries of the budgets file beside their controls, and decides from the runs. */
import { join, resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { readBaselines } from '../gate/baseline.ts';
import { decide } from '../gate/decide.ts';
import { beginGate, readGates, requireOwnGate } from '../gate/gate-folder.ts';
import { tableOf } from '../report/format.ts';
import type { Context } from './context.ts';
import { deliver } from './gate/deliver.ts';
import { baselinesFolder, planGate, planOptionTexts, type GatePlan } from './gate/plan.ts';
import { checkDelivery, deliveryOptions } from './options/delivery-options.ts';
import { seedOf } from './options/option-values.ts';
import { runOptions } from './options/run-options.ts';
import { command, type Typed } from './command.ts';
import { requireWritable } from './runs/out-folder.ts';

const options = {
  '--shard <i/n>': 'this machine’s share of the work; `merge` puts the shares together',
  '--variant <name>': 'with one entry: hold this variant of it against the entry’s budgets',
  '--budgets <file>': 'another budgets file',
  '--dry-run': 'print what would run, on which shard, and how long; start nothing',
  ...runOptions,
  '--json': 'gate.json on stdout, and nothing else there',
  ...deliveryOptions,
} as const;
type GateOptions = Typed<typeof options>;

/** Runs the gate, or this machine's share of it; exits with the gate's result. */
export const gate = command({
  name: 'gate',
  about: 'run the experiments of experiments/gate.yaml, and fail on a budget or a regression',
  takes: [['[entries...]', 'entries or experiments to run, such as E5 or E1@crash (default: all)']],
  options,
  examples: [
    'npm run gate',
    'npm run gate -- E5 E1',
    'npm run gate -- --shard 1/4 --out gate-1',
    'npm run gate -- E5 --set unit.socketTie=part-of      # a regression, to see that it is caught',
  ],
  run: async (context, ids, options) => {
    await checkDelivery(options);
    // A repeat has the next seed.
    const seed = seedOf(options.seed, 1);
    const plan = await planGate(context.projectFolder, ids, options);
    const baselines = await readBaselines(baselinesFolder(context));
    if (options.dryRun === true) {
      context.stdout(planText(plan));
      return exitCodes.pass;
    }
    const out = options.out === undefined ? context.reportsFolder : resolve(options.out);
    await requireWritable(out);
    await requireOwnGate(out);
    const begunMs = performance.now();
    await runPlan(context, plan, { seed, out, options });
    const { attempts } = await readGates([out]);
    const { file, alpha, entries } = plan.budgets;
    // Only this share: the others ran elsewhere.
    const asked = new Set(plan.own.map(({ name }) => name));
    const result = decide({ file, alpha, entries, asked, options: planOptionTexts(options), attempts, baselines });
    const minutes = ((performance.now() - begunMs) / 60_000).toFixed(1);
    context.stderr(`${plan.own.length} entries in ${minutes} minutes, seed ${seed}\n`);
    const to = { folder: join(out, 'gate'), budgetsPath: plan.budgetsPath, options };
    return await deliver(context, result, to);
  },
});

async function runPlan(
  context: Context,
  plan: GatePlan,
  { seed, out, options }: { seed: number; out: string; options: GateOptions },
): Promise<void> {
  const { withConductor } = await import('./runs/conductor.ts');
  const { runEntries } = await import('./gate/run-entries.ts');
  const how = { command: `gate, seed ${seed}`, wait: options.wait !== false };
  await withConductor(context, how, async (conductor) => {
    // Not sooner: a gate that cannot run must not clear the folder of the one before.
    await beginGate(out, {
      entries: plan.asked.map(({ name }) => name),
      options: planOptionTexts(options),
      shard: options.shard ?? null,
    });
    await runEntries(conductor, plan, { seed, out, withControls: options.controls !== false });
  });
}

function planText({ budgets, asked, own, shard }: GatePlan): string {
  const table = tableOf(asked, [
    ['entry', ({ name }) => name],
    ['title', ({ file }) => file.title],
    ['restarts', ({ experiment }) => String(experiment.deploy.restarts)],
    ['seconds', ({ expectedMs }) => (expectedMs / 1000).toFixed(0)],
    ['budgets', (entry) => String(entry.budgets)],
    ['shard', (entry) => (shard === null ? '' : `${entry.shard}${entry.shard === shard.index ? ' (this one)' : ''}`)],
  ]);
  const minutes = Math.ceil(own.reduce((sum, { expectedMs }) => sum + expectedMs, 0) / 60_000);
  return (
    `${budgets.file}; nothing was started.\n${table}\n` +
    `About ${minutes} minutes, and as long as half of that for controls whose results are not kept.\n`
  );
}
