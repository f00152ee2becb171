/** The times in which requests were dropped, with the events that opened and closed each. */
import { isDropped, type LedgerRow } from '../run/ledger.ts';
import type { EventKind, TimelineEvent } from '../run/timeline.ts';
import { Numbers, risingOrder } from './numbers.ts';
import type { Verdict } from './verdict.ts';

/** Drops further apart than this belong to different windows. */
const apartUs = 1_000_000;
/** Stamps of one moment by different witnesses differ by this much. */
const slackUs = 50_000;
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

/** Takes rows in any order. */
export class DropWindows {
  /** When each drop was known: that is when its cause was at work. */
  private readonly fromUs = new Numbers();
  private readonly toUs = new Numbers();

  add({ outcome, sentUs, dueUs, doneUs }: LedgerRow): void {
    if (!isDropped(outcome)) return;
    this.fromUs.push(sentUs ?? dueUs);
    this.toUs.push(doneUs);
  }

  result(timeline: readonly TimelineEvent[]): DropWindow[] {
    const [from, to] = [this.fromUs.all(), this.toUs.all()];
    const windows: { fromUs: number; firstUs: number; toUs: number; dropped: number }[] = [];
    for (const index of risingOrder(to)) {
      const [fromUs = 0, toUs = 0] = [from[index], to[index]];
      const last = windows.at(-1);
      if (last === undefined || toUs - last.toUs > apartUs) {
        windows.push({ fromUs, firstUs: toUs, toUs, dropped: 1 });
      } else {
        last.fromUs = Math.min(last.fromUs, fromUs);
        last.toUs = toUs;
        last.dropped++;
      }
    }
    return windows.map(({ fromUs, firstUs, toUs, dropped }) => ({
      fromUs,
      toUs,
      dropped,
      openedBy: named(
        timeline,
        timeline.findLastIndex(
          ({ kind, atUs }) => opening.has(kind) && atUs <= firstUs + slackUs && atUs > firstUs - farUs,
        ),
      ),
      closedBy: named(
        timeline,
        timeline.findIndex(({ kind, atUs }) => closing.has(kind) && atUs >= toUs - slackUs && atUs < toUs + farUs),
      ),
    }));
  }
}

function named(timeline: readonly TimelineEvent[], index: number): DropWindow['openedBy'] {
  const event = timeline[index];
  return event === undefined ? null : { kind: event.kind, atUs: event.atUs, line: index + 1 };
}
