/** How many requests a run should drop: from its timeline and its options alone, never from its ledger. */
import type { RunRecord } from '../scenario/run-record.ts';
import { outageMsOf, type RestartWindow } from './restart-windows.ts';

/** A prediction and where it comes from. */
export interface Prediction {
  /** Requests; null where the mechanism gives no number (an outage that was not seen). */
  readonly dropped: number | null;
  readonly perRestart: readonly (number | null)[];
  /** The formula with its numbers in place. */
  readonly formula: string;
}

/** What the mechanism of this experiment makes of these restarts; nothing is known of how a user's service restarts. */
export function predictDrops(run: RunRecord, windows: readonly RestartWindow[]): Prediction {
  if (run.kind === 'measure') {
    return { dropped: null, perRestart: windows.map(() => null), formula: 'none: the mechanism is not known' };
  }
  const { load, unit, proxy } = run.experiment;
  if (windows.length === 0) return { dropped: 0, perRestart: [], formula: 'no restart: 0' };
  if (proxy.check !== undefined || proxy.retry !== undefined) {
    return {
      dropped: null,
      perRestart: windows.map(() => null),
      formula: 'none: retry and check are not part of the model yet',
    };
  }
  if (unit.activation === 'socket') {
    return {
      dropped: 0,
      perRestart: windows.map(() => 0),
      formula: 'the socket outlives the process, so connections wait and none is refused: 0',
    };
  }
  const perRestart = windows.map((window) => {
    const outageMs = outageMsOf(window);
    return outageMs === null ? null : (load.ratePerSecond * outageMs) / 1000;
  });
  const outagesMs = windows.map(outageMsOf);
  if (perRestart.includes(null)) {
    return { dropped: null, perRestart, formula: 'rate × outage windows, but not every window was seen' };
  }
  const totalMs = outagesMs.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  const dropped = (load.ratePerSecond * totalMs) / 1000;
  return {
    dropped,
    perRestart,
    formula:
      `rate × outage windows = ${load.ratePerSecond}/s × ${(totalMs / 1000).toFixed(3)} s ` +
      `(${windows.length} windows) = ${dropped.toFixed(1)}`,
  };
}
