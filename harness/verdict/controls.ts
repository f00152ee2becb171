/**
 * What makes a number mean something: an instrument that is calibrated, the same lab without a restart (C0), and without
 * the mechanism (C+).
 */
import { z } from 'zod';
import { present } from '../base/present.ts';
import { sumOf } from '../base/sums.ts';
import { bareId, c0Id } from '../experiment/catalog.ts';
import { isDropped, type Outcome } from '../run/files/ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import * as part from './record/verdict-parts.ts';
import { isConclusive, verdictSchema, type Calibration, type ControlVerdict, type Verdict } from './record/verdict.ts';

const controlSchema = part.controlSchema
  .pick({ role: true, name: true, because: true })
  // Of the control's own run.
  .extend({ verdict: verdictSchema });

/** What a run was made beside, as its witnesses/controls.json holds it. */
export const controlsSchema = z.strictObject({ calibration: part.calibrationSchema, controls: z.array(controlSchema) });

/** A control with its run. */
export type Control = z.infer<typeof controlSchema>;
/** What a run was made beside. */
export type Controls = z.infer<typeof controlsSchema>;

/**
 * Did the control come out as it must? C0 must pass, and drop nothing; C+ must have dropped something in a run that can be
 * trusted, or the mechanism that is off was not what keeps the others from dropping.
 */
export function controlHolds(role: Control['role'], of: Pick<Verdict, 'verdict' | 'dropped'>): boolean {
  return role === 'C0' ? of.verdict === 'pass' && of.dropped === 0 : isConclusive(of) && of.dropped > 0;
}

/** What came of each. */
export function judgeControls(controls: readonly Control[]): ControlVerdict[] {
  return controls.map(({ role, name, because, verdict: of }) => ({
    role,
    name,
    because,
    runId: of.runId,
    verdict: of.verdict,
    dropped: of.dropped,
    due: of.due,
    badRestarts: of.badRestarts,
    restarts: of.restarts,
    ledger: of.hashes.ledger,
    holds: controlHolds(role, of),
  }));
}

/** What came of a control, in words. */
export function controlText({
  role,
  verdict,
  dropped,
  due,
  holds,
}: Pick<ControlVerdict, 'role' | 'verdict' | 'dropped' | 'due' | 'holds'>): string {
  if (holds) return 'came out as it must';
  if (!isConclusive({ verdict })) return `is ${verdict === 'aborted' ? 'cut short' : verdict}, and says nothing`;
  if (role === 'C+') return `dropped nothing of ${due}, and must drop something`;
  return dropped === 0 ? 'failed, and must pass' : `dropped ${dropped} of ${due}, and must drop nothing`;
}

/**
 * What of a run's controls cannot be theirs, each a sentence. Only of a run that went to its end and was made beside them.
 */
export function controlDoubts(
  run: ExperimentRun,
  { controls, calibration }: { controls: readonly Control[] | null; calibration: Calibration | null },
): string[] {
  if (run.aborted !== null) return [];
  const [there, fitting] = [(controls ?? []).map(({ role }) => role).join(', '), rolesOf(run)];
  return present([
    calibration?.cases === 0 &&
      `${runFiles.controls} has a calibration of 0 cases: nothing was held against the instrument.`,
    !fitting.includes(there) &&
      `${runFiles.controls} has the controls ${there || 'none'}; a run of this experiment is made beside ` +
        `${fitting.map((roles) => roles || 'none').join(' or ')}.`,
    ...(controls ?? []).map((control) => {
      const what = controlDoubt(run, control);
      return what !== null && `${runFiles.controls}: ${control.role} (${control.name}) ${what}.`;
    }),
  ]);
}

/** The roles that the controls of this run may have, in the order in which they are made (conduct/controls.ts). */
function rolesOf({ experiment: { id }, variant }: ExperimentRun): readonly string[] {
  if (id === c0Id) return [variant === null ? '' : 'C0'];
  if (id === bareId) return ['C0'];
  // The variant with the mechanism off is its own C+; which one that is, only the experiment's file says.
  return variant === null ? ['C0, C+'] : ['C0, C+', 'C0'];
}

/** Why this verdict is not that of such a control; null where it is. */
function controlDoubt({ experiment }: ExperimentRun, { role, name, verdict }: Control): string | null {
  const { variant, due, dropped, outcomes, schedule } = verdict;
  const of = `${verdict.experiment}${variant === null ? '' : ` ${variant}`}`;
  if (name !== of) return `is a run of ${of}`;
  const isRight =
    role === 'C0' ? of === c0Id : of === bareId || (verdict.experiment === experiment.id && variant !== null);
  if (!isRight) return `is no such control of ${experiment.id}`;
  const { ratePerSecond } = experiment.load;
  if (schedule.ratePerSecond !== ratePerSecond) {
    return `ran at ${schedule.ratePerSecond} requests a second, and this run at ${ratePerSecond}`;
  }
  return doesAddUp({ due, dropped, outcomes })
    ? null
    : `has outcomes that do not add up to ${dropped} of ${due} dropped`;
}

/** Every due request has one outcome, and those that are drops are the dropped. */
function doesAddUp({ due, dropped, outcomes }: Pick<Verdict, 'due' | 'dropped' | 'outcomes'>): boolean {
  const counts = Object.entries(outcomes) as [Outcome, number][];
  return (
    sumOf(counts, ([, count]) => count) === due &&
    sumOf(counts, ([outcome, count]) => (isDropped(outcome) ? count : 0)) === dropped
  );
}
