/** How many requests a run should drop, whichever mechanism says so. */

import type { RestartWindow } from '../restart-windows.ts';

/** A prediction and where it comes from. */
export interface Prediction {
  /** Requests, the mean over what is not known; null where the mechanism gives no number (an outage not seen). */
  readonly dropped: number | null;
  /** Least and greatest over the phases of the check. */
  readonly range: readonly [low: number, high: number] | null;
  readonly perRestart: readonly (number | null)[];
  /** In words, with its numbers in place. */
  readonly formula: string;
  /** Of several sites: what is predicted of each. */
  readonly perSite?: readonly { readonly site: string; readonly dropped: number | null; readonly formula: string }[];
}

/** Where nothing predicts what these restarts drop. */
export function noPrediction(windows: readonly RestartWindow[], formula = unseen): Prediction {
  return { dropped: null, range: null, perRestart: windows.map(() => null), formula };
}

/** Why there is no number where the timeline does not have every window. */
export const unseen = 'none: not every outage window was seen';
