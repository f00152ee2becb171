/** The entries of a gate, run one after another beside their controls. */
import { relative } from 'node:path';
import { exitCodes, HarnessError } from '../../base/errors.ts';
import type { Conductor } from '../../conduct/conduct-run.ts';
import { conductBesideControls, InconclusiveControl } from '../../conduct/controls.ts';
import { requestOf, type RunRequest } from '../../conduct/run-request.ts';
import { c0Id } from '../../experiment/catalog.ts';
import { noteTries, type NotedTry } from '../../gate/gate-folder.ts';
import { isConclusive, type Verdict } from '../../verdict/record/verdict.ts';
import type { GatePlan, PlannedEntry } from './plan.ts';

/** How the entries are run. */
interface EntryOptions {
  readonly seed: number;
  /** The folder that gets the runs. */
  readonly out: string;
  readonly withControls: boolean;
}

/** A run that cannot be trusted is repeated once: an entry that never can be is reported. */
const mostTries = 2;

/** Runs the entries until all have run, the lab does not hold, or the user interrupts. */
export async function runEntries(conductor: Conductor<Verdict>, plan: GatePlan, options: EntryOptions): Promise<void> {
  const { audience } = conductor;
  for (const [index, entry] of plan.own.entries()) {
    if (audience.signal.aborted) break;
    const seconds = Math.round(entry.expectedMs / 1000);
    audience.say(`${index + 1} of ${plan.own.length}: ${entry.name}, about ${seconds} s and its controls\n`);
    const cleanLabHolds = await runEntry(conductor, entry, options);
    const left = plan.own.length - index - 1;
    if (cleanLabHolds || left === 0) continue;
    // The others rest on the same control, and would be inconclusive too.
    audience.say(
      `The lab without a restart (C0) did not hold in the tries of ${entry.name}: ` +
        `the ${left} other entries are not run. Stop other work on this machine.\n`,
    );
    break;
  }
}

/**
 * Runs an entry until its verdict can be trusted, at most twice, and notes each try.
 * @returns false when the lab without a restart, on which all entries rest, held in no try
 */
async function runEntry(conductor: Conductor<Verdict>, entry: PlannedEntry, options: EntryOptions): Promise<boolean> {
  const { audience } = conductor;
  const { seed, out, withControls } = options;
  const tries: NotedTry[] = [];
  let cleanLabHolds = !withControls;
  while (tries.length < mostTries) {
    if (audience.signal.aborted) return true;
    const conditions = { reportsFolder: out, keep: false, capacity: false, withControls };
    const request = requestOf({ ...entry, ...conditions, seed: seed + tries.length });
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

async function oneTry(conductor: Conductor<Verdict>, request: RunRequest) {
  const { audience } = conductor;
  try {
    const { folder, verdict } = await conductBesideControls(conductor, request);
    audience.say(`${verdict.verdict}: ${verdict.citation}\n`);
    const noted = { kind: 'run', folder: relative(request.reportsFolder, folder).split('\\').join('/') } as const;
    return { noted, cleanLabHeld: hasCleanLab(verdict), isFinal: isConclusive(verdict) };
  } catch (error) {
    if (!(error instanceof HarnessError) || audience.signal.aborted) throw error;
    // The lab booted, and the site in it never served: that is what came of the run.
    const kind = error.code === 'lab-not-ready' ? 'not-ready' : 'broken';
    // Without an engine, or the image, there is no gate at all.
    if (kind === 'broken' && error.exitCode !== exitCodes.inconclusive) throw error;
    const message = printable(error.message);
    audience.say(`${message}\n`);
    // A control has had its own tries.
    const isControl = error instanceof InconclusiveControl;
    return { noted: { kind, message } as const, cleanLabHeld: !(isControl && error.role === 'C0'), isFinal: isControl };
  }
}

/** A container may print anything; a report holds text. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]|\u{fffd}/gu, '');
}
