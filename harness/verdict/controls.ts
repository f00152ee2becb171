/**
 * What makes a number mean something: an instrument that is calibrated, the same lab without a restart (C0), and without
 * the mechanism (C+).
 */
import { z } from 'zod';
import { calibrationSchema } from './verdict-parts.ts';
import { verdictSchema, type ControlVerdict } from './verdict.ts';

const controlSchema = z.strictObject({
  role: z.enum(['C0', 'C+']),
  /** `E0`, or `E5 own-port`. */
  name: z.string(),
  /** Why the run says nothing without it. */
  because: z.string(),
  /** Of the control's own run. */
  verdict: verdictSchema,
});

/** What a run was made beside, as its witnesses/controls.json holds it. */
export const controlsSchema = z.strictObject({ calibration: calibrationSchema, controls: z.array(controlSchema) });

/** A control with its run. */
export type Control = z.infer<typeof controlSchema>;
/** What a run was made beside. */
export type Controls = z.infer<typeof controlsSchema>;

/**
 * What came of each. C0 must pass, and drop nothing; C+ must have dropped something in a run that can be trusted, or the
 * mechanism that is off was not what keeps the others from dropping.
 */
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
    holds:
      role === 'C0'
        ? of.verdict === 'pass' && of.dropped === 0
        : (of.verdict === 'pass' || of.verdict === 'fail') && of.dropped > 0,
  }));
}
