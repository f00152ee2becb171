import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import type { EventKind, TimelineEvent } from '../run/timeline.ts';
import { eventKinds } from '../run/timeline.ts';
import { DropWindows } from './drop-windows.ts';
import { badRow, row } from './testing.ts';

const event = (kind: EventKind, atUs: number): TimelineEvent => ({ kind, atUs, source: 'app', restart: 1 });

function windows(rows: readonly LedgerRow[], timeline: readonly TimelineEvent[] = []) {
  const drops = new DropWindows();
  for (const one of rows) drops.add(one);
  return drops.result(timeline);
}

const drop = (sentUs: number, doneUs: number): LedgerRow => badRow(0, { dueUs: sentUs - 10, sentUs, doneUs });

describe('windows of drops', () => {
  it('are none where nothing was dropped', () => {
    expect(windows([row(0), row(1, { outcome: 'unsent', sentUs: null }), row(2, { outcome: 'local' })])).toEqual([]);
  });

  it('go from the first sending to the last known drop, in whatever order the rows come', () => {
    const rows = [drop(3_000_000, 3_500_000), drop(2_000_000, 3_600_000), drop(2_500_000, 2_600_000)];
    expect(windows(rows)).toEqual([{ fromUs: 2_000_000, toUs: 3_600_000, dropped: 3, openedBy: null, closedBy: null }]);
  });

  it('begin with the due time of what was never sent', () => {
    expect(windows([badRow(0, { dueUs: 70, sentUs: null, doneUs: 90 })])).toMatchObject([{ fromUs: 70, toUs: 90 }]);
  });

  it('are two where more than a second lies between what is known to be dropped', () => {
    expect(windows([drop(1, 1_000_000), drop(1, 2_000_000)])).toHaveLength(1);
    expect(windows([drop(1, 1_000_000), drop(1_500_000, 2_000_001)])).toMatchObject([
      { fromUs: 1, toUs: 1_000_000, dropped: 1 },
      { fromUs: 1_500_000, toUs: 2_000_001, dropped: 1 },
    ]);
  });

  const openedBy = (kind: EventKind, atUs: number) =>
    windows([drop(20_000_000, 20_000_000)], [event(kind, atUs)])[0]?.openedBy;
  const closedBy = (kind: EventKind, atUs: number) =>
    windows([drop(20_000_000, 20_000_000)], [event(kind, atUs)])[0]?.closedBy;

  it('are opened by what takes a process, a port or a backend away, and closed by what brings one', () => {
    expect(eventKinds.filter((kind) => openedBy(kind, 20_000_000) !== null).sort()).toEqual(
      [
        'retire',
        'sigterm',
        'deploy-begin',
        'not-ready',
        'accept-stopped',
        'killing',
        'main-exited',
        'socket-stopped',
        'proxy-file',
        'check-down',
        'container-ended',
      ].sort(),
    );
    expect(eventKinds.filter((kind) => closedBy(kind, 20_000_000) !== null).sort()).toEqual(
      ['accepting', 'socket-started', 'check-up', 'proxy-file', 'main-exited', 'exit', 'steady'].sort(),
    );
  });

  it.each([
    [10_000_000, false],
    [10_000_001, true],
    [20_050_000, true],
    [20_050_001, false],
  ])('are opened within 10 s before the first drop was known, or 50 ms after: %i µs', (atUs, isNear) => {
    expect(openedBy('sigterm', atUs)).toEqual(isNear ? { kind: 'sigterm', atUs, line: 1 } : null);
  });

  it.each([
    [19_949_999, false],
    [19_950_000, true],
    [29_999_999, true],
    [30_000_000, false],
  ])('are closed from 50 ms before the last to 10 s after: %i µs', (atUs, isNear) => {
    expect(closedBy('accepting', atUs)).toEqual(isNear ? { kind: 'accepting', atUs, line: 1 } : null);
  });

  it('name the last event before and the first one after, by their lines in the timeline', () => {
    const timeline = [
      event('load-begin', 0),
      event('sigterm', 1_000_000),
      event('accept-stopped', 1_100_000),
      event('exit', 1_150_000),
      event('accepting', 1_600_000),
      event('accept-stopped', 1_700_000),
      event('accepting', 1_800_000),
    ];
    // The first was known to be dropped at 1.2 s, the last at 1.5 s.
    expect(windows([drop(900_000, 1_200_000), drop(1_400_000, 1_500_000)], timeline)).toEqual([
      {
        fromUs: 900_000,
        toUs: 1_500_000,
        dropped: 2,
        openedBy: { kind: 'accept-stopped', atUs: 1_100_000, line: 3 },
        closedBy: { kind: 'accepting', atUs: 1_600_000, line: 5 },
      },
    ]);
  });
});
