/** How many requests a run should drop, whichever mechanism says so. */

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
