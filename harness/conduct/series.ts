/** Several runs under one hold of the engine, one after another. */
import { messageOf } from '../base/errors.ts';
import { conductBesideControls, InconclusiveControl } from './controls.ts';
import type { Conductor, Judged, RunResult } from './conduct-run.ts';
import type { RunRequest } from './run-request.ts';
import { startTimer } from './time-left.ts';

/** A run of a series. */
export interface PlannedRun {
  readonly request: RunRequest;
  /** Which one it is, as in `run 3 of 8`. */
  readonly place: string;
  /** What sets it apart from the others. */
  readonly words: string;
}

/** What is told of each run when it has ended. */
export interface SeriesEnds<V> {
  made(index: number, result: RunResult<V>): void;
  /** A run that could not be made; without this, it ends the series. */
  failed?(index: number, error: unknown): void;
}

/**
 * Conducts the runs in their order, each beside its controls, until all are made or the user wants no more. A control that
 * says nothing ends the series: the other runs would have nothing to be compared with either.
 */
export async function conductSeries<V extends Judged>(
  conductor: Conductor<V>,
  runs: readonly PlannedRun[],
  ends: SeriesEnds<V>,
): Promise<void> {
  const { audience } = conductor;
  const timeLeft = startTimer(runs.length);
  for (const [index, { request, place, words }] of runs.entries()) {
    if (audience.signal.aborted) return;
    audience.say(`${place}${words}${timeLeft(index)}\n`);
    try {
      const result = await conductBesideControls(conductor, { ...request, place });
      audience.say(`${result.verdict.verdict}: ${result.verdict.citation}\n`);
      ends.made(index, result);
    } catch (error) {
      if (ends.failed !== undefined) {
        ends.failed(index, error);
        continue;
      }
      if (!(error instanceof InconclusiveControl)) throw error;
      audience.say(`${messageOf(error)} The series ends here. ${error.hint}\n`);
      return;
    }
  }
}
