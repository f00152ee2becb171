/** Runs conducted for a command. Apart from judging.ts: the package's `measure` judges too, and has no Docker client. */
import { shortCalibration } from '../../calibration/short-calibration.ts';
import type { Conductor } from '../../conduct/conduct-run.ts';
import { holdEngine } from '../../conduct/hold-engine.ts';
import { controlHolds } from '../../verdict/controls.ts';
import { isConclusive, verdictSchema, type Verdict } from '../../verdict/record/verdict.ts';
import type { Context } from '../context.ts';
import { audienceOf } from '../print/progress.ts';
import { judge } from './judging.ts';

/**
 * Has the engine to itself while `work` conducts runs for this command.
 * @param how `command`: what others are told that is measured. `wait`: wait for another's measurement to end
 */
export async function withConductor<T>(
  context: Context,
  how: { readonly command: string; readonly wait: boolean },
  work: (conductor: Conductor<Verdict>) => Promise<T>,
): Promise<T> {
  const audience = audienceOf(context);
  const judging = {
    judge: (folder: string) => judge(context, folder),
    isConclusive,
    holds: controlHolds,
    parse: (json: unknown) => verdictSchema.parse(json),
    calibrate: (reportsFolder: string) => shortCalibration(audience, reportsFolder),
  };
  return await holdEngine(audience, how, (engine) => work({ engine, audience, judging }));
}
