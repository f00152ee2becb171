/** Ends of the site's process that no deploy asked for: a run in which one happened says nothing about deploys. */
import type { TimelineEvent } from '../run/files/timeline.ts';
import type { RestartWindow } from './restart-windows.ts';

/** A process that ended by itself, or was ended by a stranger. */
export interface UnplannedEnd {
  readonly atUs: number;
  readonly site: string;
  /** When a process of the site accepted again; infinite when none did. */
  readonly untilUs: number;
  readonly what: string;
  /** It died of a signal, or crashed: it had no time to say that it ends. */
  readonly isDeath: boolean;
  /** Number of the line in the timeline, from 1. */
  readonly line: number;
}

/** Between an end and what is written of it. */
const slackUs = 500_000;

/** All of them, in the order of time. `timeline` is complete and in order. */
export function unplannedEnds(
  timeline: readonly TimelineEvent[],
  windows: readonly RestartWindow[],
  firstSite: string,
): readonly UnplannedEnd[] {
  const siteOf = (event: { readonly site?: string }): string => event.site ?? firstSite;
  const isPlanned = (site: string, atUs: number): boolean =>
    windows.some((window) => {
      const endUs = Math.max(window.deployEndUs ?? Infinity, window.givenUpUs ?? window.readyUs ?? Infinity);
      return window.site === site && atUs >= (window.retireUs ?? window.deployBeginUs) && atUs <= endUs + slackUs;
    });
  const loadEndUs = timeline.findLast(({ kind }) => kind === 'load-end')?.atUs ?? Infinity;
  const ends = timeline.flatMap(({ kind, atUs, detail, source, ...of }, index) =>
    (kind === 'sigterm' || kind === 'exit' || kind === 'main-exited') &&
    atUs >= 0 &&
    atUs < loadEndUs &&
    !isPlanned(siteOf(of), atUs)
      ? [{ atUs, site: siteOf(of), kind, what: `${kind} (${detail ?? source})`, line: index + 1 }]
      : [],
  );
  const hasSaidSo = ({ site, atUs }: { site: string; atUs: number }): boolean =>
    ends.some((end) => end.kind === 'exit' && end.site === site && Math.abs(end.atUs - atUs) <= slackUs);
  return ends.map(({ kind: ended, ...end }) => ({
    ...end,
    isDeath: ended === 'main-exited' && !hasSaidSo(end),
    untilUs:
      timeline.find((event) => event.kind === 'accepting' && event.atUs > end.atUs && siteOf(event) === end.site)
        ?.atUs ?? Infinity,
  }));
}
