import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e17 from '../../experiments/E17-proxy.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import e8 from '../../experiments/E8-one-socket.ts';
import type { TimelineEvent } from '../run/files/timeline.ts';
import { outagesOf, outOfRotation, restartWindows, type RestartWindow } from './restart-windows.ts';
import { window } from './testing.ts';
import { event } from './testing-folder.ts';

const whole: readonly TimelineEvent[] = [
  event('load-begin', 0, { restart: 0 }),
  event('deploy-begin', 100),
  event('retire', 110),
  event('sigterm', 120),
  event('accept-stopped', 130, { connections: { open: 12, inFlight: 5 } }),
  event('killing', 135),
  event('killing', 136),
  event('exit', 140),
  event('main-exited', 141),
  event('unit-stopped', 142),
  event('socket-stopped', 150),
  event('socket-started', 160),
  event('start', 165),
  event('internal-listening', 170),
  event('accepting', 180),
  event('ready', 190),
  event('deploy-end', 200),
  event('proxy-first-answer', 210),
];

const only = (...events: TimelineEvent[]) => restartWindows([event('deploy-begin', 100), ...events], ['demo'])[0];

describe('the moments of a restart', () => {
  it('are those of the timeline, each by its kind', () => {
    expect(restartWindows(whole, ['demo'])).toEqual([
      {
        restart: 1,
        site: 'demo',
        deploy: 1,
        deployBeginUs: 100,
        deployEndUs: 200,
        siteBeginUs: null,
        retireUs: 110,
        sigtermUs: 120,
        acceptStoppedUs: 130,
        acceptStoppedLine: 5,
        idleWhenStopped: 7,
        killedUs: 135,
        exitUs: 140,
        socketStoppedUs: 150,
        socketStartedUs: 160,
        startUs: 165,
        internalListeningUs: 170,
        acceptingUs: 180,
        readyUs: 190,
        givenUpUs: null,
        rollBackUs: null,
        closedAgain: [],
        steadyUs: null,
        firstAnswerUs: 210,
      },
    ]);
  });

  it('are not known where nothing was seen, and the deploy’s own line is the one to cite', () => {
    const seen = Object.entries(only() ?? {}).filter(([, value]) => value !== null);
    expect(Object.fromEntries(seen)).toEqual({
      ...{ restart: 1, site: 'demo', deploy: 1, deployBeginUs: 100 },
      ...{ acceptStoppedLine: 1, idleWhenStopped: 0, closedAgain: [] },
    });
  });

  it('are kept apart by restart, and none is one without a deploy', () => {
    const second = whole.map((one) => ({ ...one, atUs: one.atUs + 1_000, restart: 2 }));
    const stray = event('accepting', 5, { restart: 3 });
    const windows = restartWindows([...second, ...whole, stray], ['demo']);
    expect(windows.map(({ restart, acceptingUs }) => [restart, acceptingUs])).toEqual([
      [1, 180],
      [2, 1_180],
    ]);
    expect(windows.map(({ acceptStoppedLine }) => acceptStoppedLine)).toEqual([23, 5]);
  });

  it('are in the order of numbers, the tenth after the second', () => {
    const begins = [10, 2, 1].map((restart) => event('deploy-begin', restart, { restart }));
    expect(
      restartWindows([...begins, event('deploy-begin', 11, { restart: 2 })], ['demo']).map(({ restart }) => restart),
    ).toEqual([1, 2, 10]);
  });

  it('take a port for closed when the process was gone, where it said nothing itself', () => {
    expect(only(event('main-exited', 141), event('unit-stopped', 142))).toMatchObject({
      acceptStoppedUs: 141,
      exitUs: 141,
      acceptStoppedLine: 2,
      idleWhenStopped: 0,
    });
    expect(only(event('unit-stopped', 142))).toMatchObject({ acceptStoppedUs: 142, exitUs: 142, acceptStoppedLine: 2 });
    expect(only(event('exit', 140))).toMatchObject({ acceptStoppedUs: 140, exitUs: 140, acceptStoppedLine: 2 });
    // Its own word is the better one, though it comes later in the file.
    expect(only(event('main-exited', 139), event('accept-stopped', 130), event('exit', 140))).toMatchObject({
      acceptStoppedUs: 130,
      exitUs: 140,
      acceptStoppedLine: 3,
    });
  });

  it('leave out what lies before the deploy began', () => {
    const kinds = ['accept-stopped', 'exit', 'internal-listening', 'socket-started'] as const;
    const early = kinds.map((kind) => event(kind, 90));
    expect(restartWindows([...early, ...whole], ['demo'])[0]).toMatchObject({
      acceptStoppedUs: 130,
      exitUs: 140,
      internalListeningUs: 170,
    });
    expect(restartWindows([...early, event('deploy-begin', 100)], ['demo'])[0]).toMatchObject({
      acceptStoppedUs: null,
      exitUs: null,
    });
    expect(only(event('accepting', 100))).toMatchObject({ acceptingUs: 100 });
  });

  it('are the first accept and ready, but the last start of a socket and of an internal port', () => {
    const again = [
      event('accepting', 280),
      event('ready', 290),
      event('internal-listening', 270),
      event('socket-started', 260),
      event('socket-stopped', 250),
    ];
    expect(restartWindows([...whole, ...again], ['demo'])[0]).toMatchObject({
      acceptingUs: 180,
      readyUs: 190,
      internalListeningUs: 270,
      socketStartedUs: 260,
      socketStoppedUs: 150,
    });
  });

  it('know no start of a socket that stayed closed, or was never stopped', () => {
    expect(only(event('socket-stopped', 150))).toMatchObject({ socketStoppedUs: 150, socketStartedUs: null });
    expect(only(event('socket-started', 160))).toMatchObject({ socketStoppedUs: null, socketStartedUs: null });
  });

  it('take the ends of a version that was given up for its own, and not for those of the one that serves on', () => {
    const crashing = [event('main-exited', 141), event('unit-stopped', 142), event('given-up', 150)];
    expect(only(...crashing)).toMatchObject({ givenUpUs: 150, acceptStoppedUs: null, exitUs: null, acceptingUs: null });
  });

  it('never count fewer idle connections than none', () => {
    expect(only(event('accept-stopped', 130, { connections: { open: 2, inFlight: 3 } }))?.idleWhenStopped).toBe(0);
  });
});

describe('the restarts of two sites', () => {
  const sites = ['demo', 'demo2'];
  // Deploy 2 never came to demo2.
  const begins = [1, 2, 3].map((restart) => event('deploy-begin', 100, { restart }));
  const ofSecond = [event('site-begin', 150, { restart: 2 }), event('accepting', 160, { restart: 2 })];

  it('are each of the site and the deploy that its number says', () => {
    const windows = restartWindows([...begins, ...ofSecond], sites);
    expect(windows).toMatchObject([
      { restart: 1, site: 'demo', deploy: 1, siteBeginUs: null, acceptingUs: null },
      { restart: 2, site: 'demo2', deploy: 1, siteBeginUs: 150, acceptingUs: 160 },
      { restart: 3, site: 'demo', deploy: 2, siteBeginUs: null, acceptingUs: null },
    ]);
  });

  it('are not over because a process of the other site accepts', () => {
    const never = { ...window, acceptingUs: null };
    const other = { ...window, restart: 2, site: 'demo2', acceptingUs: 1_800_000 };
    const next = { ...window, restart: 3, acceptStoppedUs: 2_500_000, acceptingUs: 2_400_000 };
    const endsOf = (...windows: RestartWindow[]) => outagesOf(windows, 3_000_000)[0];
    expect(endsOf(never, other)).toEqual({ fromUs: 1_050_000, toUs: 3_000_000, hasEnded: false });
    expect(endsOf(never, other, next)).toEqual({ fromUs: 1_050_000, toUs: 2_400_000, hasEnded: true });
  });

  it('have an old version out of rotation when the check has seen that of their own site leave', () => {
    const retired = { ...window, retireUs: 4_000_000 };
    const down = (atUs: number, site: string) => event('check-down', atUs, { site });
    const seen = [down(4_100_000, 'demo2'), down(4_300_000, 'demo')];
    expect(outOfRotation([retired, { ...retired, restart: 2, site: 'demo2' }], seen, e6)).toEqual([
      4_300_000, 4_100_000,
    ]);
  });
});

describe('the outage window', () => {
  const only = (over: Partial<RestartWindow>) => outagesOf([{ ...window, ...over }], 3_000_000)[0];

  it.each<[string, Partial<RestartWindow>, toUs: number, hasEnded: boolean]>([
    ['to the first accept of the new one', {}, 1_750_000, true],
    ['nowhere, where the new one accepted first', { acceptingUs: 1_000_000 }, 1_050_000, true],
    ['to the end of the load where no process accepted again', { acceptingUs: null }, 3_000_000, false],
  ])('goes from the last accept of the old process %s', (_, over, toUs, hasEnded) => {
    expect(only(over)).toEqual({ fromUs: 1_050_000, toUs, hasEnded });
  });

  it('goes to the next process that accepted, where its own restart brought none', () => {
    const refused = { ...window, acceptingUs: null };
    const third = { ...window, restart: 3, acceptStoppedUs: 2_500_000, acceptingUs: 2_200_000 };
    expect(outagesOf([refused, third], 3_000_000)[0]).toEqual({ fromUs: 1_050_000, toUs: 2_200_000, hasEnded: true });
  });

  it('is not known where nobody saw the old process stop', () => {
    expect(only({ acceptStoppedUs: null })).toBeNull();
  });
});

describe('from when on the old version must not answer', () => {
  const retired = { ...window, retireUs: 4_000_000 };
  const down = (atUs: number): TimelineEvent => event('check-down', atUs);

  it('is when the deploy retired it, where the process that owns the port is restarted', () => {
    expect(outOfRotation([retired], [down(4_300_000)], e1)).toEqual([4_000_000]);
    expect(outOfRotation([{ ...window, retireUs: null }], [], e1)).toEqual([null]);
    // Whether a check looks on or not.
    expect(outOfRotation([retired], [down(4_300_000)], e2)).toEqual([4_000_000]);
  });

  it('is never, where the proxy is restarted: the site goes on with its version', () => {
    expect(outOfRotation([retired], [], e17)).toEqual([null]);
  });

  it('is when the deploy retired it, where the proxy’s file does the cut-over, or there is no check', () => {
    const byFile = { ...e6, proxy: { ...e6.proxy, cutover: 'atomic-rewrite' as const } };
    expect(outOfRotation([retired], [down(4_300_000)], byFile)).toEqual([4_000_000]);
    const unchecked = { ...e6, proxy: { ...e6.proxy, check: undefined } };
    expect(outOfRotation([retired], [down(4_300_000)], unchecked)).toEqual([4_000_000]);
  });

  it('is when it has ended, where both inherit one socket: until then its drain answers beside the new one', () => {
    const ended = { ...retired, exitUs: 5_200_000 };
    expect(outOfRotation([ended], [], e8)).toEqual([5_200_000]);
    expect(outOfRotation([{ ...retired, exitUs: null }], [], e8)).toEqual([4_000_000]);
    // One that is left running is out of rotation by the deploy’s word alone.
    const goesOn = { ...e8, deploy: { ...e8.deploy, oldEndsBy: 'nothing' as const } };
    expect(outOfRotation([ended], [], goesOn)).toEqual([4_000_000]);
  });

  it('is when the check has seen it leave, where the check does the cut-over', () => {
    // Before it was retired the check saw another colour leave.
    expect(outOfRotation([retired], [down(1_000_000), down(4_300_000)], e6)).toEqual([4_300_000]);
    // What else happens meanwhile is nothing that the check has seen.
    const other: TimelineEvent = { ...down(4_100_000), kind: 'check-up' };
    expect(outOfRotation([retired], [other, down(4_300_000)], e6)).toEqual([4_300_000]);
    expect(outOfRotation([retired], [down(4_000_000)], e6)).toEqual([4_000_000]);
  });

  it('is not later than one interval and one timeout of the check', () => {
    const { intervalMs = 0, timeoutMs = 0 } = e6.proxy.check ?? {};
    const latestUs = 4_000_000 + (intervalMs + timeoutMs) * 1000;
    expect(outOfRotation([retired], [], e6)).toEqual([latestUs]);
    expect(outOfRotation([retired], [down(latestUs + 1)], e6)).toEqual([latestUs]);
    expect(outOfRotation([{ ...window, retireUs: null }], [down(1)], e6)).toEqual([null]);
  });

  it('tells of a bad release when its site was stopped once more after it had come up, by the way back', () => {
    const bad = [
      event('accept-stopped', 150),
      event('roll-back', 300),
      event('accepting', 310),
      event('accept-stopped', 340),
      event('exit', 345),
      event('accepting', 370),
      event('exit', 400),
    ];
    const again = [
      { fromUs: 340, toUs: 370, line: 5 },
      { fromUs: 400, toUs: Infinity, line: 8 },
    ];
    expect(only(...bad)).toMatchObject({ rollBackUs: 300, acceptStoppedUs: 150, acceptingUs: 310, closedAgain: again });
    // Of any other release the next deploy begins a window of its own.
    expect(only(...bad.filter(({ kind }) => kind !== 'roll-back'))?.closedAgain).toEqual([]);
  });
});
