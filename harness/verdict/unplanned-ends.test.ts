import { describe, expect, it } from 'vitest';
import { eventKinds, type TimelineEvent } from '../run/files/timeline.ts';
import type { RestartWindow } from './restart-windows.ts';
import { window } from './testing.ts';
import { event } from './testing-folder.ts';
import { unplannedEnds } from './unplanned-ends.ts';

const times = (events: readonly TimelineEvent[], windows: readonly RestartWindow[] = [window]): number[] =>
  unplannedEnds(events, windows, 'demo').map(({ atUs }) => atUs);

describe('ends that no deploy asked for', () => {
  it('are a process’s signal, exit or being gone, with its line, and the time until one accepts again', () => {
    const timeline = [
      event('load-begin', 0),
      event('accepting', 1_000),
      event('main-exited', 300_000, { detail: 'Main process exited, code=killed, status=9/KILL' }),
      event('accepting', 700_000),
      event('accepting', 900_000),
      event('exit', 2_900_000),
      event('load-end', 3_000_000),
    ];
    expect(unplannedEnds(timeline, [window], 'demo')).toEqual([
      {
        atUs: 300_000,
        site: 'demo',
        untilUs: 700_000,
        what: 'main-exited (Main process exited, code=killed, status=9/KILL)',
        isDeath: true,
        line: 3,
      },
      { atUs: 2_900_000, site: 'demo', untilUs: Infinity, what: 'exit (app)', isDeath: false, line: 6 },
    ]);
  });

  it('last until a process accepts later, not at the same moment', () => {
    const timeline = [event('exit', 300_000), event('accepting', 300_000), event('accepting', 300_001)];
    expect(unplannedEnds(timeline, [], 'demo')[0]?.untilUs).toBe(300_001);
  });

  it('are of no other kind of event', () => {
    expect(eventKinds.filter((kind) => times([event(kind, 100_000)]).length > 0).sort()).toEqual([
      'exit',
      'main-exited',
      'sigterm',
    ]);
  });

  it.each([
    // Retired at 0.99 s; the deploy ended at 1.2 s, and the new process was ready at 1.7501 s: half a second of grace.
    [989_999, false],
    [990_000, true],
    [2_250_100, true],
    [2_250_101, false],
  ])('are planned from the retiring to what a deploy brought: %i µs', (atUs, isPlanned) => {
    expect(times([event('exit', atUs)])).toEqual(isPlanned ? [] : [atUs]);
  });

  it('are planned until the later of deploy-end and ready, and to the end where one of them was not seen', () => {
    const at = (atUs: number, over: Partial<RestartWindow>): number[] =>
      times([event('exit', atUs)], [{ ...window, ...over }]);
    expect(at(2_400_000, { deployEndUs: 1_900_000 })).toEqual([]);
    expect(at(2_400_001, { deployEndUs: 1_900_000 })).toEqual([2_400_001]);
    expect(at(2_900_000, { deployEndUs: null })).toEqual([]);
    expect(at(2_900_000, { readyUs: null })).toEqual([]);
  });

  it('are planned until a version that crashes at its start is given up', () => {
    const crashing = { ...window, retireUs: null, readyUs: null, deployEndUs: 4_010_000, givenUpUs: 4_000_000 };
    expect(times([event('main-exited', 1_500_000)], [crashing])).toEqual([]);
    expect(times([event('main-exited', 4_510_001)], [crashing])).toEqual([4_510_001]);
  });

  it('are planned from the deploy’s begin where no retiring was seen', () => {
    expect(times([event('exit', 980_000)], [{ ...window, retireUs: null, deployBeginUs: 980_000 }])).toEqual([]);
    expect(times([event('exit', 979_999)], [{ ...window, retireUs: null, deployBeginUs: 980_000 }])).toEqual([979_999]);
    // A swap's new colour is started long before the old one is retired.
    expect(times([event('exit', 980_000)], [{ ...window, retireUs: 990_000, deployBeginUs: 900_000 }])).toEqual([
      980_000,
    ]);
  });

  it('are those under the load, neither before it nor after', () => {
    const end = event('load-end', 3_000_000);
    const exits = [-1, 0, 2_999_999, 3_000_000].map((atUs) => event('exit', atUs));
    expect(times([...exits, end], [])).toEqual([0, 2_999_999]);
    expect(times([event('exit', 9_000_000)], [])).toEqual([9_000_000]);
  });

  it('of one site are not excused by a deploy that is just then at another, nor over when that one accepts', () => {
    const of = (one: TimelineEvent, site: string): TimelineEvent => ({ ...one, site });
    const timeline = [
      of(event('exit', 1_000_000), 'demo'),
      of(event('main-exited', 1_100_000), 'demo2'),
      of(event('accepting', 1_200_000), 'demo'),
      of(event('accepting', 1_300_000), 'demo2'),
    ];
    expect(unplannedEnds(timeline, [window], 'demo')).toMatchObject([
      // What demo’s process says of its own end does not tell that demo2’s was no death.
      { site: 'demo2', atUs: 1_100_000, untilUs: 1_300_000, isDeath: true },
    ]);
    expect(unplannedEnds(timeline, [{ ...window, site: 'demo2' }], 'demo')).toMatchObject([
      { site: 'demo', untilUs: 1_200_000 },
    ]);
  });

  it('are not excused by a restart at another time', () => {
    const later = { ...window, retireUs: 5_000_000, deployEndUs: 5_100_000, readyUs: 5_200_000 };
    expect(times([event('exit', 100_000)], [window, later])).toEqual([100_000]);
  });
});
