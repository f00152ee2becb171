/** The times in which requests were dropped, with the events that opened and closed each. */
import type { EventKind, TimelineEvent } from '../run/files/timeline.ts';
import type { RunRecord } from '../run/run-record.ts';
import type { Ask } from './ledger-summary.ts';
import { toleranceUs } from './tolerances.ts';
import type { Verdict } from './record/verdict.ts';

/** An event so long before or after has nothing to do with it. */
const farUs = 10_000_000;

const opening: ReadonlySet<EventKind> = new Set<EventKind>([
  'deploy-begin',
  'retire',
  'sigterm',
  'not-ready',
  'accept-stopped',
  'killing',
  'main-exited',
  'socket-stopped',
  'proxy-file',
  'check-down',
  'container-ended',
]);
const closing: ReadonlySet<EventKind> = new Set<EventKind>([
  'accepting',
  'socket-started',
  'check-up',
  'proxy-file',
  'main-exited',
  'exit',
  'steady',
]);

type DropWindow = Verdict['dropWindows'][number];

/** A window, with the sites of the drops that were known first and last. */
interface Found {
  readonly fromUs: number;
  readonly firstUs: number;
  readonly firstSite: string;
  readonly toUs: number;
  readonly lastSite: string;
  readonly dropped: number;
}

/** In order of time. */
export async function dropWindows(
  ask: Ask,
  timeline: readonly TimelineEvent[],
  kind: RunRecord['kind'] = 'experiment',
): Promise<DropWindow[]> {
  const windows = await ask<Found>('drop-windows');
  const stretchOf = (us: number): number => Math.floor(us / farUs);
  const byStretch = Map.groupBy(timeline.entries(), ([, { atUs }]) => stretchOf(atUs));
  const near = (us: number): [number, TimelineEvent][] =>
    [-1, 0, 1].flatMap((step) => byStretch.get(stretchOf(us) + step) ?? []);
  // What happened to another site neither opens nor closes it.
  const isAbout = (event: TimelineEvent, site: string): boolean => (event.site ?? site) === site;
  const last = (end: number, site: string): number =>
    near(end).reduce(
      (found, [index, event]) =>
        opening.has(event.kind) && isAbout(event, site) && event.atUs <= end + toleranceUs && event.atUs > end - farUs
          ? Math.max(found, index)
          : found,
      -1,
    );
  const first = (from: number, site: string): number =>
    near(from).reduce(
      (found, [index, event]) =>
        closing.has(event.kind) &&
        // In a lab the end of a bad version is a way back; of a user's service nobody knows whether it was bad.
        !(kind === 'measure' && event.kind === 'main-exited') &&
        isAbout(event, site) &&
        event.atUs >= from - toleranceUs &&
        event.atUs < from + farUs
          ? Math.min(found, index)
          : found,
      Infinity,
    );
  return windows
    .map(({ fromUs, firstUs, firstSite, toUs, lastSite, dropped }) => {
      const openedBy = named(timeline, last(firstUs, firstSite));
      // What was under way at the event was sent earlier, while nothing was dropped.
      const beginUs = kind === 'measure' ? Math.max(fromUs, Math.min(openedBy?.atUs ?? fromUs, firstUs)) : fromUs;
      return { fromUs: beginUs, toUs, dropped, openedBy, closedBy: named(timeline, first(toUs, lastSite)) };
    })
    .sort((a, b) => a.fromUs - b.fromUs);
}

function named(timeline: readonly TimelineEvent[], index: number): DropWindow['openedBy'] {
  const event = timeline[index];
  if (event === undefined) return null;
  const { kind, site, atUs } = event;
  return { kind, ...(site !== undefined && { site }), atUs, line: index + 1 };
}
