/** The times in which requests were dropped, with the events that opened and closed each. */
import type { EventKind, TimelineEvent } from '../run/files/timeline.ts';
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

/** In order of time. */
export async function dropWindows(ask: Ask, timeline: readonly TimelineEvent[]): Promise<DropWindow[]> {
  const windows = await ask<{ fromUs: number; firstUs: number; toUs: number; dropped: number }>('drop-windows');
  const last = (end: number, kinds: ReadonlySet<EventKind>): number =>
    timeline.findLastIndex(({ kind, atUs }) => kinds.has(kind) && atUs <= end + toleranceUs && atUs > end - farUs);
  const first = (from: number, kinds: ReadonlySet<EventKind>): number =>
    timeline.findIndex(({ kind, atUs }) => kinds.has(kind) && atUs >= from - toleranceUs && atUs < from + farUs);
  return windows.map(({ fromUs, firstUs, toUs, dropped }) => ({
    fromUs,
    toUs,
    dropped,
    openedBy: named(timeline, last(firstUs, opening)),
    closedBy: named(timeline, first(toUs, closing)),
  }));
}

function named(timeline: readonly TimelineEvent[], index: number): DropWindow['openedBy'] {
  const event = timeline[index];
  return event === undefined ? null : { kind: event.kind, atUs: event.atUs, line: index + 1 };
}
