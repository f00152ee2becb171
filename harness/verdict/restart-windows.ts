/** One restart's moments, out of the timeline. */
import type { EventKind, TimelineEvent } from '../timeline/event.ts';

/** When each thing happened in one restart, in microseconds since the run's origin; null where it was not seen. */
export interface RestartWindow {
  readonly restart: number;
  readonly deployBeginUs: number;
  readonly deployEndUs: number | null;
  readonly sigtermUs: number | null;
  readonly acceptStoppedUs: number | null;
  readonly acceptingUs: number | null;
  readonly readyUs: number | null;
  readonly firstAnswerUs: number | null;
}

/** The restarts of a timeline, in order. */
export function restartWindows(timeline: readonly TimelineEvent[]): RestartWindow[] {
  const numbers = [
    ...new Set(timeline.filter(({ kind }) => kind === 'deploy-begin').map(({ restart }) => restart)),
  ].sort((a, b) => a - b);
  return numbers.map((restart) => {
    const first = (kind: EventKind): number | null =>
      timeline.find((event) => event.restart === restart && event.kind === kind)?.atUs ?? null;
    return {
      restart,
      deployBeginUs: first('deploy-begin') ?? 0,
      deployEndUs: first('deploy-end'),
      sigtermUs: first('sigterm'),
      // A process that dies of the signal says nothing: then the port closed when systemd saw it gone.
      acceptStoppedUs: first('accept-stopped') ?? first('exit') ?? first('unit-stopped'),
      acceptingUs: first('accepting'),
      readyUs: first('ready'),
      firstAnswerUs: first('proxy-first-answer'),
    };
  });
}

/** From the last accept of the old process to the first of the new, in milliseconds. */
export function outageMsOf({ acceptStoppedUs, acceptingUs }: RestartWindow): number | null {
  return acceptStoppedUs === null || acceptingUs === null ? null : (acceptingUs - acceptStoppedUs) / 1000;
}
