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

type Line = readonly [index: number, event: TimelineEvent];

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
  // What happened to another site neither opens nor closes it.
  const near = (us: number, site: string): Line[] =>
    [-1, 0, 1]
      .flatMap((step) => byStretch.get(stretchOf(us) + step) ?? [])
      .filter(([, event]) => (event.site ?? site) === site);
  const opened = (endUs: number, site: string): DropWindow['openedBy'] =>
    momentOf(
      near(endUs, site).findLast(
        ([, event]) => opening.has(event.kind) && event.atUs <= endUs + toleranceUs && event.atUs > endUs - farUs,
      ),
    );
  // In a lab the end of a bad version is a way back; of a user's service nobody knows whether it was bad.
  const isClosing = (event: EventKind): boolean =>
    closing.has(event) && !(kind === 'measure' && event === 'main-exited');
  const closed = (fromUs: number, site: string): DropWindow['closedBy'] =>
    momentOf(
      near(fromUs, site).find(
        ([, event]) => isClosing(event.kind) && event.atUs >= fromUs - toleranceUs && event.atUs < fromUs + farUs,
      ),
    );
  return windows
    .map(({ fromUs, firstUs, firstSite, toUs, lastSite, dropped }) => {
      const openedBy = opened(firstUs, firstSite);
      // What was under way at the event was sent earlier, while nothing was dropped.
      const beginUs = kind === 'measure' ? Math.max(fromUs, Math.min(openedBy?.atUs ?? fromUs, firstUs)) : fromUs;
      return { fromUs: beginUs, toUs, dropped, openedBy, closedBy: closed(toUs, lastSite) };
    })
    .sort((a, b) => a.fromUs - b.fromUs);
}

function momentOf(line: Line | undefined): DropWindow['openedBy'] {
  if (line === undefined) return null;
  const [index, { kind, site, atUs }] = line;
  return { kind, ...(site !== undefined && { site }), atUs, line: index + 1 };
}
