/** `gate`: runs what the budgets file names, beside its controls, and decides from what the runs left. */
import { randomInt } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { readBaselines } from '../gate/baseline-files.ts';
import { decide } from '../gate/decide.ts';
import { beginGate, noteTries, readGates, requireOwnGate, type NotedTry } from '../gate/gate-folder.ts';
import { isConclusive, type Verdict } from '../verdict/verdict.ts';
import { interruptedCode, type Context } from './context.ts';
import { c0Id } from '../experiment/catalog.ts';
import type { Conductor } from '../conduct/conduct-run.ts';
import { conductBesideControls, InconclusiveControl } from '../conduct/controls.ts';
import { holdEngine } from '../conduct/hold-engine.ts';
import { requestOf, type RunRequest } from '../conduct/run-request.ts';
import { audienceOf } from './print/progress.ts';
import { conductorOf } from './runs/judging.ts';
import { checkDelivery, deliver, type DeliveryOptions } from './gate/deliver.ts';
import { planGate, planOptionTexts, type GatePlan, type PlannedEntry, type PlanOptions } from './gate/plan.ts';
import { highestSeed, wholeNumber } from './options/option-values.ts';
import type { RunningOptions } from './options/run-options.ts';
import { requireWritable } from './runs/writable-folder.ts';

/** Options as they are typed. */
export interface GateOptions extends RunningOptions, DeliveryOptions, PlanOptions {
  readonly json?: true;
  readonly dryRun?: true;
}

/** A run that cannot be trusted is made once more, and no oftener: what never can be is reported. */
const mostTries = 2;

/** Runs the gate, or this machine's share of it; the exit code says what came of it. */
export async function gateCommand(context: Context, ids: readonly string[], options: GateOptions): Promise<number> {
  await checkDelivery(options);
  // One less: a repeat has the next.
  const seed =
    options.seed === undefined ? randomInt(0, highestSeed) : wholeNumber('--seed', options.seed, 0, highestSeed - 1);
  const plan = await planGate(context.projectFolder, ids, options);
  const baselines = await readBaselines(baselinesFolder(context));
  if (options.dryRun === true) {
    context.stdout(planText(plan));
    return exitCodes.pass;
  }
  const out = options.out === undefined ? join(context.projectFolder, 'reports') : resolve(options.out);
  await requireWritable(out);
  await requireOwnGate(out);
  const begunMs = performance.now();
  const how = { command: `gate, seed ${seed}`, wait: options.wait !== false };
  await holdEngine(audienceOf(context), how, async (engine) => {
    // Not sooner: a gate that cannot run takes nothing of the one before.
    await beginGate(out, {
      entries: plan.asked.map(({ name }) => name),
      options: planOptionTexts(options),
      shard: options.shard ?? null,
    });
    await runEntries(conductorOf(context, engine), plan, { seed, out, options });
  });
  const { attempts } = await readGates([out]);
  const result = decide({
    file: plan.budgets.file,
    alpha: plan.budgets.alpha,
    entries: plan.budgets.entries,
    // The share alone: of the others nothing can be here.
    asked: new Set(plan.own.map(({ name }) => name)),
    options: planOptionTexts(options),
    attempts,
    baselines,
  });
  context.stderr(
    `${plan.own.length} entries in ${((performance.now() - begunMs) / 60_000).toFixed(1)} minutes, seed ${seed}\n`,
  );
  const code = await deliver(context, result, {
    folder: join(out, 'gate'),
    budgetsPath: plan.budgetsPath,
    options,
    environment: process.env,
  });
  return context.signal.aborted ? interruptedCode(context.signal) : code;
}

/** One entry after another, until all have run, the lab does not hold, or the user wants no more. */
async function runEntries(
  conductor: Conductor<Verdict>,
  plan: GatePlan,
  { seed, out, options }: { seed: number; out: string; options: GateOptions },
): Promise<void> {
  const { audience } = conductor;
  for (const [index, entry] of plan.own.entries()) {
    if (audience.signal.aborted) break;
    const seconds = Math.round(entry.expectedMs / 1000);
    audience.say(`${index + 1} of ${plan.own.length}: ${entry.name}, about ${seconds} s and its controls\n`);
    const cleanLabHolds = await runEntry(conductor, entry, { seed, out, withControls: options.controls !== false });
    const left = plan.own.length - index - 1;
    if (cleanLabHolds || left === 0) continue;
    // Each of the others is compared with the same lab without a restart, and would say nothing.
    audience.say(
      `The lab without a restart (C0) did not hold in the tries of ${entry.name}: ` +
        `the ${left} other entries are not run. Stop other work on this machine.\n`,
    );
    break;
  }
}

/** Where the accepted baselines lie. */
export function baselinesFolder({ projectFolder }: Pick<Context, 'projectFolder'>): string {
  return join(projectFolder, 'reports', 'baselines');
}

/**
 * Runs an entry until it came to a verdict that can be trusted, at most twice, and notes each try.
 * @returns false when in no try the lab without a restart held, which all others rest on
 */
async function runEntry(
  conductor: Conductor<Verdict>,
  entry: PlannedEntry,
  { seed, out, withControls }: { seed: number; out: string; withControls: boolean },
): Promise<boolean> {
  const { audience } = conductor;
  const tries: NotedTry[] = [];
  let cleanLabHolds = !withControls;
  while (tries.length < mostTries) {
    if (audience.signal.aborted) return true;
    const request = requestOf({
      ...entry,
      seed: seed + tries.length,
      reportsFolder: out,
      keep: false,
      baseline: false,
      withControls,
    });
    const { noted, cleanLabHeld, isFinal } = await oneTry(conductor, request);
    tries.push(noted);
    cleanLabHolds ||= cleanLabHeld;
    await noteTries(out, entry.name, tries);
    if (isFinal) return cleanLabHolds;
    if (tries.length < mostTries) audience.say(`${entry.name} is repeated once\n`);
  }
  return cleanLabHolds;
}

/** Of E0 itself: did it pass? Of another: did its C0 hold? */
function hasCleanLab({ experiment, verdict, controls }: Verdict): boolean {
  const c0 = controls?.find(({ role }) => role === 'C0');
  return c0 === undefined ? experiment !== c0Id || verdict === 'pass' : c0.holds;
}

interface Try {
  readonly noted: NotedTry;
  /** Did the lab without a restart hold? Of what left no verdict nothing else is known. */
  readonly cleanLabHeld: boolean;
  /** Another try would say no more. */
  readonly isFinal: boolean;
}

async function oneTry(conductor: Conductor<Verdict>, request: RunRequest): Promise<Try> {
  const { audience } = conductor;
  try {
    const { folder, verdict } = await conductBesideControls(conductor, request);
    audience.say(`${verdict.verdict}: ${verdict.citation}\n`);
    const noted = { kind: 'run', folder: relative(request.reportsFolder, folder).split('\\').join('/') } as const;
    return { noted, cleanLabHeld: hasCleanLab(verdict), isFinal: isConclusive(verdict) };
  } catch (error) {
    if (!(error instanceof HarnessError) || audience.signal.aborted) throw error;
    const kind = isNotReady(error) ? 'not-ready' : 'broken';
    // Without an engine, or the image, there is no gate at all.
    if (kind === 'broken' && error.exitCode !== exitCodes.inconclusive) throw error;
    const message = printable(error.message);
    audience.say(`${message}\n`);
    // A control has had its own tries.
    const isControl = error instanceof InconclusiveControl;
    return { noted: { kind, message }, cleanLabHeld: !(isControl && error.role === 'C0'), isFinal: isControl };
  }
}

/** What a container printed may hold anything; a report holds text. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]|\u{fffd}/gu, '');
}

/** Did the lab boot, and the site in it never serve? Then that is what came of the run. */
function isNotReady(error: HarnessError): boolean {
  return error.code === 'lab-not-ready';
}

function planText({ budgets, asked, own, shard }: GatePlan): string {
  const rows = asked.map((entry) => [
    entry.name,
    entry.file.title,
    String(entry.experiment.deploy.restarts),
    (entry.expectedMs / 1000).toFixed(0),
    String(entry.budgets),
    shard === null ? '' : `${entry.shard}${entry.shard === shard.index ? ' (this one)' : ''}`,
  ]);
  const seconds = own.reduce((sum, { expectedMs }) => sum + expectedMs, 0) / 1000;
  return (
    `${budgets.file}; nothing was started.\n` +
    `${markdownTable([['entry', 'title', 'restarts', 'seconds', 'budgets', 'shard'], ...rows])}\n` +
    `About ${Math.ceil(seconds / 60)} minutes, and as long as half of that for controls whose results are not kept.\n`
  );
}
