import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e17 from '../../../experiments/E17-proxy.ts';
import e2 from '../../../experiments/E2-drain-only.ts';
import e3 from '../../../experiments/E3-retry.ts';
import e4 from '../../../experiments/E4-drain-and-retry.ts';
import e5 from '../../../experiments/E5-socket-activation.ts';
import e6 from '../../../experiments/E6-blue-green.ts';
import e8 from '../../../experiments/E8-one-socket.ts';
import type { ExperimentFile } from '../../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../../experiment/fields.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import { expectedQueue } from './backends.ts';
import { ofSite, predictDrops } from './predict.ts';
import type { Prediction } from './prediction.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { runRecord, serviceRecord, window } from '../testing.ts';

interface Given {
  variant?: string | undefined;
  changes?: readonly Change[];
  windows?: readonly RestartWindow[];
}

/** The prediction for a run at 100 a second, 10 s long. */
function predict(file: ExperimentFile, { variant, changes = [], windows = [window] }: Given = {}): Prediction {
  const experiment = resolveExperiment(file, { variant, changes: [...changes] });
  return predictDrops(runRecord(experiment, { durationMs: 10_000 }), windows);
}

/** Killed: port and process were gone at once, 20 ms after the deploy asked for it. */
const crashed: RestartWindow = {
  ...window,
  sigtermUs: null,
  retireUs: 980_000,
  acceptStoppedUs: 1_000_000,
  exitUs: 1_000_000,
  acceptingUs: 1_700_000,
};
const swap: RestartWindow = {
  ...window,
  sigtermUs: 2_000_000,
  acceptStoppedUs: 7_000_000,
  exitUs: 7_100_000,
  acceptingUs: 1_900_000,
  readyUs: 1_900_100,
};

describe('a restart of the proxy itself', () => {
  /** Closed at 1 s, accepting at 1.5 s, with its routes at 1.6 s: 60 requests at 100 a second. */
  const restarted: RestartWindow = {
    ...window,
    acceptStoppedUs: 1_000_000,
    acceptingUs: 1_500_000,
    readyUs: 1_600_000,
  };
  const of = (variant?: string, over: Partial<RestartWindow> = {}): Prediction =>
    predict(e17, { variant, windows: [{ ...restarted, ...over }] });

  it.each([
    // Refused and without a route, and with a socket all without a route: as many.
    ['none', undefined, 60],
    ['socket', 'socket', 60],
    ['accept-grace', 'accept-grace', 60],
    ['upgrade', 'upgrade', 60],
    // One in twenty takes 300 ms: 100/s × 15 ms are under way when the signal cuts them.
    ['no-grace', 'no-grace', 61.5],
  ])('drops rate × time from the closed port to the routes, and what it cuts: %s', (_, variant, dropped) => {
    const { range, perRestart, ...found } = of(variant);
    expect(found.dropped).toBeCloseTo(dropped, 9);
    expect(range).toEqual([found.dropped, found.dropped]);
    expect(perRestart).toEqual([found.dropped]);
  });

  it('cuts also what still reaches it while it is killed: half of the time since the deploy asked for that', () => {
    const killed = { retireUs: 980_000, sigtermUs: null, exitUs: 1_000_000 };
    expect(of('crash', killed).dropped).toBeCloseTo(61.5 + 1, 9);
    expect(of('no-grace', killed).dropped).toBeCloseTo(61.5, 9);
  });

  it('cuts only what takes longer than it is given', () => {
    const changes: Change[] = [['proxy.unit.graceTimeOutMs', 100]];
    // 5 % take 200 ms longer than that: 100/s × 10 ms.
    expect(predict(e17, { changes, windows: [restarted] }).dropped).toBeCloseTo(61, 9);
  });

  it('drops nothing in a reload, of which there is no outage to be seen', () => {
    const unseen = { acceptStoppedUs: null, acceptingUs: null, exitUs: null };
    expect(of('reload', unseen)).toMatchObject({ dropped: 0, range: [0, 0], perRestart: [0] });
  });

  it.each(['acceptStoppedUs', 'readyUs'] as const)('is not predicted where %s was not seen', (moment) => {
    expect(of(undefined, { [moment]: null })).toMatchObject({ dropped: null, range: null, perRestart: [null] });
  });
});

describe('a prediction that there is not', () => {
  const none = (formula: string, restarts: number): Prediction => ({
    dropped: null,
    range: null,
    perRestart: Array.from({ length: restarts }, () => null),
    formula,
  });

  it('of a user’s service: its mechanism is not known', () => {
    expect(predictDrops(serviceRecord(), [window])).toEqual(none('none: the mechanism is not known', 1));
  });

  it.each(['acceptStoppedUs', 'acceptingUs', 'readyUs'] as const)('of a restart of which %s was not seen', (moment) => {
    const windows = [window, { ...window, restart: 2, deployBeginUs: 3_000_000, [moment]: null }];
    expect(predict(e1, { windows })).toEqual(none('none: not every outage window was seen', 2));
  });
});

it('without a restart nothing is dropped', () => {
  expect(predict(e1, { windows: [] })).toEqual({ dropped: 0, range: [0, 0], perRestart: [], formula: 'no restart: 0' });
});

describe('a prediction for two sites', () => {
  const changes: Change[] = [['sites.count', 2]];
  const second: RestartWindow = {
    ...window,
    restart: 2,
    site: 'demo2',
    acceptStoppedUs: 1_850_000,
    acceptingUs: 2_350_000,
  };

  it('is of each with its half of the load and its own outage, and of the whole their sum', () => {
    expect(predict(e1, { changes, windows: [window, second] })).toMatchObject({
      dropped: 60,
      range: [60, 60],
      perRestart: [35, 25],
      perSite: [
        { site: 'demo', dropped: 35, formula: expect.stringContaining('50/s × 0.700 s') as string },
        { site: 'demo2', dropped: 25, formula: expect.stringContaining('50/s × 0.500 s') as string },
      ],
      formula: 'the sum over 2 sites, each by its own restarts and its share of the load: 60.0',
    });
  });

  it('is nothing of a site that no deploy came to, and none of the whole where one outage was not seen', () => {
    expect(predict(e1, { changes, windows: [window] })).toMatchObject({
      dropped: 35,
      perSite: [{ dropped: 35 }, { dropped: 0 }],
    });
    expect(predict(e1, { changes, windows: [window, { ...second, acceptingUs: null }] })).toMatchObject({
      dropped: null,
      perRestart: [35, null],
      perSite: [{ dropped: 35 }, { dropped: null }],
    });
  });

  it('has a queue of each from its half of the load; the direct probe waits at the first alone', () => {
    // 100 a second for 700 ms, and 20 of the probe.
    const two = resolveExperiment(e5, { changes });
    expect(['demo', 'demo2'].map((site) => expectedQueue(ofSite(two, site), window, null))).toEqual([84, 70]);
  });
});

describe('a prediction with its formula', () => {
  it('of a port that its process owns: rate × outage, restart by restart', () => {
    const second = {
      ...window,
      restart: 2,
      deployBeginUs: 3_000_000,
      acceptStoppedUs: 3_050_000,
      acceptingUs: 3_350_000,
    };
    expect(predict(e1, { windows: [window, second] })).toEqual({
      dropped: 100,
      range: [100, 100],
      perRestart: [70, 30],
      formula: 'rate × outage windows = 100/s × 1.000 s (2 windows) = 100.0; refused or turned away: 100.0',
    });
  });

  it('of a process that is killed: those that it takes along belong to the range as well', () => {
    // 5 % of 100 a second for 300 ms, and half of 20 ms of dying: 1.5 and 1.
    expect(predict(e1, { variant: 'crash', windows: [crashed] })).toEqual({
      dropped: 72.5,
      range: [72.5, 72.5],
      perRestart: [72.5],
      formula:
        'rate × outage windows = 100/s × 0.700 s (1 windows) = 70.0; refused or turned away: 70.0; ' +
        'cut by the signal, rate × (time asked for + time of dying): 2.5',
    });
  });

  it('of a retry', () => {
    expect(predict(e3)).toMatchObject({
      dropped: 70,
      formula: expect.stringContaining(
        '; retry at once, 4 tries: over before the port is open again; refused',
      ) as string,
    });
    const changes: Change[] = [['proxy.retry.initialIntervalMs', 500]];
    expect(predict(e3, { changes }).formula).toContain(
      '; retry, 4 tries from 500 ms on: saves who meets the port open;',
    );
    // Of one attempt it is none.
    expect(predict(e3, { changes: [...changes, ['proxy.retry.attempts', 1]] }).dropped).toBe(70);
  });

  it('of a retry with waits: who meets the port closed at the last try is lost', () => {
    const changes: Change[] = [['proxy.retry.initialIntervalMs', 100]];
    // The waits come to 100 × (1 + 2^(1/3) + 2^(2/3)) = 384.7 ms on average, and never to 700: 70 − 38.5.
    expect(Math.abs((predict(e3, { changes }).dropped ?? 0) - 31.5)).toBeLessThan(1.2);
    // Two tries: one wait of 50 to 150 ms, each second of which saves its hundredth.
    const two: Change[] = [...changes, ['proxy.retry.attempts', 2]];
    expect(Math.abs((predict(e3, { changes: two }).dropped ?? 0) - 60)).toBeLessThan(1);
    // From 500 ms on even the shortest waits, 962 ms together, outlast it.
    expect(predict(e3, { changes: [['proxy.retry.initialIntervalMs', 250]] }).dropped).toBeLessThan(2);
    expect(predict(e3, { changes: [['proxy.retry.initialIntervalMs', 500]] }).dropped).toBe(0);
  });

  it('of the check: an interval of 503 from a failed check on, where it falls between SIGTERM and ready', () => {
    const { dropped, range, formula } = predict(e2);
    // Ticks at 1.0 to 1.05 s cost their 100; at 1.05 + x s 100 + 100 x, up to x = 0.7; later ones find it ready.
    expect(range).toEqual([70, 170]);
    expect(Math.abs((dropped ?? 0) - 118.6)).toBeLessThan(0.5);
    expect(formula).toContain(
      'check of /healthz on the internal port every 1000 ms: 503 from a failed check to the next passed; refused',
    );
  });

  it('of a socket that outlives the process', () => {
    const first = 'the socket outlives the process, so connections wait and none is refused; ';
    expect(predict(e5).formula).toBe(`${first}refused or turned away: 0.0`);
    expect(predict(e5, { variant: 'flush-pending' })).toMatchObject({
      dropped: 5,
      range: [5, 5],
      formula: `${first}but what waits when the service has stopped is flushed; refused or turned away: 5.0`,
    });
    const tied = { ...window, socketStoppedUs: 1_200_000, socketStartedUs: 1_250_000 };
    expect(predict(e5, { variant: 'socket-part-of', windows: [tied] }).formula).toBe(
      `${first}but here it was closed and opened again, with all that waited in its queue; refused or turned away: 20.0`,
    );
    // Of several restarts one is enough.
    expect(predict(e5, { variant: 'socket-part-of', windows: [window, { ...tied, restart: 2 }] }).formula).toContain(
      'but here it was closed and opened again',
    );
    // Where it was never started again the port is closed until the site accepts.
    const lost = { ...tied, socketStartedUs: null };
    expect(predict(e5, { variant: 'socket-part-of', windows: [lost] }).dropped).toBe(70);
    // Ten idle connections of the proxy's pool carry ten requests more before new ones are dialled.
    const busy = { ...tied, exitUs: 1_200_000, idleWhenStopped: 10 };
    expect(predict(e5, { variant: 'socket-part-of', windows: [busy] }).dropped).toBe(10);
    // Where the process owns its port there is none that outlives it.
    expect(predict(e5, { variant: 'own-port' }).dropped).toBe(70);
  });

  it('of two colours', () => {
    const checked = 'the other colour accepts before this one stops, and the check passes over whoever is not ready; ';
    expect(predict(e6, { windows: [swap] })).toMatchObject({ dropped: 0, range: [0, 0] });
    expect(predict(e6, { windows: [swap] }).formula.startsWith(checked)).toBe(true);
    expect(predict(e6, { variant: 'atomic-rewrite', windows: [swap] }).dropped).toBe(0);
    expect(predict(e6, { variant: 'in-place-rewrite', windows: [swap] })).toEqual({
      dropped: 200,
      range: [200, 200],
      perRestart: [200],
      formula:
        'the other colour accepts before the proxy’s file names it, and this one goes on until it no longer does; ' +
        'refused or turned away: 0.0; no router while the file was read empty, rate × 2 s each: 200',
    });
    const shared = { ...swap, readyUs: 1_000_000, acceptingUs: 999_000, retireUs: 3_000_000 };
    expect(predict(e6, { variant: 'deferred', windows: [shared] })).toMatchObject({
      range: [15, 15],
      perRestart: [15],
    });
    expect(predict(e6, { variant: 'deferred', windows: [shared] }).formula).toContain(
      '; refused by SQLite, in upgraded or behind long transactions: 15',
    );
    expect(predict(e6, { variant: 'long-transaction', windows: [shared] })).toMatchObject({
      dropped: 1,
      range: [1, 1],
    });
  });
});

describe('writes that SQLite refuses', () => {
  /** Both colours serve from 1 s to 3 s. */
  const shared = { ...swap, readyUs: 1_000_000, acceptingUs: 999_000, retireUs: 3_000_000 };
  const hold: Change = ['sites.transactionHoldMs', 6];
  const deferred: readonly Change[] = [hold, ['sites.transaction', 'deferred']];
  const dropped = (of: Given, file = e6): number | null => predict(file, { windows: [shared], ...of }).dropped;

  it('are those of transactions that are upgraded, while two colours write', () => {
    expect(dropped({ changes: [hold] })).toBe(0);
    expect(dropped({ changes: deferred })).toBe(15);
    expect(dropped({ changes: deferred, windows: [{ ...shared, retireUs: null }] })).toBe(0);
    // One backend shares its database with nobody.
    const long: readonly Change[] = [...deferred, ['sites.busyTimeoutMs', 8_000], ['deploy.longTransactionMs', 25_000]];
    expect(dropped({ changes: long }, e2)).toBe(dropped({}, e2));
    // By the proxy's file one colour serves at a time.
    expect(dropped({ variant: 'atomic-rewrite', changes: deferred })).toBe(0);
    expect(dropped({ changes: deferred, windows: [window] }, e1)).toBe(dropped({ windows: [window] }, e1));
  });

  it('grow with the square of the rate of writes, and reads count for nothing', () => {
    expect(dropped({ variant: 'writes-only', changes: deferred })).toBeCloseTo(60, 1);
  });

  it('behind a long transaction are one for each busy_timeout that it outlasts, and none without a timeout', () => {
    const long = { variant: 'long-transaction' };
    expect(dropped({ ...long, changes: [['sites.busyTimeoutMs', 8_000]] })).toBe(3);
    expect(dropped({ ...long, changes: [['sites.busyTimeoutMs', 26_000]] })).toBe(0);
    expect(dropped({ ...long, changes: [['sites.busyTimeoutMs', 0]] })).toBe(0);
  });
});

it('tries go on forward in time: where the port stays closed to the end, waiting between them saves nobody', () => {
  const closed = { ...window, acceptStoppedUs: 1_000_000, acceptingUs: 20_000_000, readyUs: 20_000_000 };
  expect(predict(e3, { variant: 'interval-250', windows: [closed] }).range).toEqual([900, 900]);
});

/** A drain of 5 s: SIGTERM at 1 s, port closed at 6 s, exit at 6.2 s, accepting and ready at 7 s. */
const drained: RestartWindow = {
  ...window,
  sigtermUs: 1_000_000,
  acceptStoppedUs: 6_000_000,
  exitUs: 6_200_000,
  internalListeningUs: 6_400_000,
  acceptingUs: 7_000_000,
  readyUs: 7_000_100,
};

describe('the check, with one backend', () => {
  it('makes an outage of 503 from SIGTERM to ready, give or take its interval on both sides', () => {
    const { dropped, range } = predict(e2, { windows: [drained] });
    // 6 s between SIGTERM and ready: 6 failed checks, each an interval of 503; at some phases one more meets both ends.
    expect(dropped).toBeGreaterThanOrEqual(600);
    expect(dropped).toBeLessThan(620);
    expect(range?.[0]).toBe(600);
    expect(range?.[1]).toBeLessThanOrEqual(700);
  });

  it('of /livez makes nothing of the drain: the port closes unnoticed, and a check in the gap costs an interval', () => {
    const { range } = predict(e2, { variant: 'check-livez', windows: [drained] });
    expect(range?.[0]).toBe(100);
    // The check fails between exit and start only, 200 ms: at most until 7.4 s instead of 7.0 s.
    expect(range?.[1]).toBeGreaterThan(110);
    expect(range?.[1]).toBeLessThanOrEqual(141);
  });

  it('is nothing when it is taken away', () => {
    expect(predict(e2, { variant: 'no-check', windows: [drained] }).dropped).toBe(100);
  });
});

it('who is killed while the check holds it to be down takes nobody along', () => {
  const killed = { ...window, sigtermUs: 1_000_000, acceptStoppedUs: 3_100_000, exitUs: 3_100_000 };
  const later = { ...killed, acceptingUs: 3_800_000, readyUs: 3_800_100 };
  const [with4, without] = [predict(e4, { windows: [later] }), predict(e1, { windows: [later] })];
  expect(with4.formula).not.toContain('cut by the signal');
  expect(without.formula).toContain('cut by the signal');
});

describe('a check between two processes', () => {
  const seeded = (over: Partial<RestartWindow>): number | null =>
    predict(e5, { variant: 'as-seeded', windows: [{ ...window, ...over }] }).dropped;

  it('fails only where both ends of the time without an internal port were seen', () => {
    // 200 ms of a second: one phase in five, 100 slots each.
    expect(seeded({})).toBeCloseTo(20, 0);
    expect(predict(e5, { variant: 'as-seeded' }).range).toEqual([0, 100]);
    expect(seeded({ exitUs: null })).toBe(0);
    expect(seeded({ internalListeningUs: null })).toBe(0);
    expect(seeded({ internalListeningUs: 1_100_000 })).toBe(0);
  });

  it('waits where systemd owns both ports, and fails only beyond its timeout', () => {
    const both = { variant: 'both-ports-activated' };
    expect(predict(e5, both).dropped).toBe(0);
    expect(predict(e5, { ...both, changes: [['proxy.check.timeoutMs', 50]] }).dropped).toBeGreaterThan(5);
  });
});

describe('a check through the public port', () => {
  const through = (timeoutMs: number): Change[] => [
    ['proxy.check.path', '/livez'],
    ['proxy.check.port', 'public'],
    ['proxy.check.timeoutMs', timeoutMs],
  ];

  it('of a process that owns it fails while it is closed', () => {
    const { dropped, range } = predict(e2, { changes: through(1_000) });
    expect(range?.[0]).toBe(70);
    expect(range?.[1]).toBeGreaterThan(165);
    // A tick at 1.05 + x s, x below 0.7, costs 100 + 100 x: 28 of 40 phases; the others lose the window’s 70.
    expect(Math.abs((dropped ?? 0) - 114.6)).toBeLessThan(0.6);
  });

  it('that systemd owns waits, and fails where it would wait beyond its timeout', () => {
    const seeded = { variant: 'as-seeded' };
    expect(predict(e5, { ...seeded, changes: through(1_000) })).toMatchObject({ dropped: 0, range: [0, 0] });
    // A tick in the window’s first 400 ms fails after 300 ms: 503 for the other 700 of its interval, in 16 of 40 phases.
    const { dropped, range } = predict(e5, { ...seeded, changes: through(300) });
    expect(range).toEqual([0, 70]);
    expect(dropped).toBeCloseTo(28, 0);
  });

  it('is answered by a process that drains as long as that answers requests', () => {
    // 20 idle connections carry 20 requests more, at 100 a second: until 1.25 s, or its end.
    const seeded = { variant: 'as-seeded', changes: through(300) };
    const draining = { ...window, exitUs: 1_600_000, idleWhenStopped: 20 };
    // A tick from 1.25 to 1.45 s fails after 300 ms.
    expect(predict(e5, { ...seeded, windows: [draining] }).dropped).toBeCloseTo(14, 0);
    const ended = { ...draining, exitUs: 1_350_000, idleWhenStopped: 200 };
    expect(predict(e5, { ...seeded, windows: [ended] }).dropped).toBeCloseTo(7, 0);
  });

  it('that systemd owns stays failed from tick to tick, until one finds it open in time', () => {
    const long = {
      ...window,
      acceptStoppedUs: 1_000_000,
      exitUs: 1_050_000,
      acceptingUs: 4_000_000,
      readyUs: 4_000_100,
    };
    const { dropped, range } = predict(e5, { variant: 'as-seeded', changes: through(300), windows: [long] });
    // Ticks at 1 + x, 2 + x and, below x = 0.7, 3 + x fail; 503 from 300 ms after the first to 1 s after the last.
    expect(range).toEqual([170, 270]);
    expect(Math.abs((dropped ?? 0) - 240)).toBeLessThan(1);
  });
});

describe('two colours of one socket', () => {
  /** Accepting and ready at 0.9 s, and only then SIGTERM for the other one. */
  const overlapping = { ...window, acceptingUs: 900_000, readyUs: 900_100 };

  it('drop nothing, and no check and no closed port has a part in it', () => {
    expect(predict(e8, { windows: [overlapping] })).toMatchObject({
      dropped: 0,
      range: [0, 0],
      formula:
        'both colours inherit the one socket, and the new one accepts before the old one stops; refused or turned away: 0.0',
    });
  });

  it('wait for a start where the old one stops first, and are refused no more for it', () => {
    expect(predict(e8, { variant: 'old-first' })).toMatchObject({
      dropped: 0,
      formula: 'the socket outlives the process, so connections wait and none is refused; refused or turned away: 0.0',
    });
  });

  it('are one owner of the port in the control', () => {
    expect(predict(e8, { variant: 'own-port' }).dropped).toBe(70);
  });
});

describe('two colours of which one leaves before the check has noticed', () => {
  /** The old colour closes its port at 2.2 s, 0.2 s after SIGTERM. */
  const early = { ...swap, acceptStoppedUs: 2_200_000 };
  const retry: Change[] = [['proxy.retry.attempts', 4]];

  it('drop half of what comes meanwhile; retry finds the other', () => {
    // The new colour is known for a check and more.
    const windows = [{ ...early, acceptingUs: 500_000, readyUs: 500_100 }];
    const { dropped, range } = predict(e6, { windows });
    expect(range?.[0]).toBe(0);
    // At most 0.8 s at 100 a second, every other request of which goes to the closed port.
    expect(range?.[1]).toBeLessThan(60);
    expect(dropped).toBeGreaterThan(8);
    expect(predict(e6, { windows, changes: retry }).dropped).toBe(0);
  });

  it('drop all of it where the check does not know the new one yet: then retry has no second backend either', () => {
    expect(predict(e6, { windows: [early] }).range?.[1]).toBeGreaterThan(60);
    expect(predict(e6, { windows: [early], changes: retry }).range?.[1]).toBeGreaterThan(60);
  });
});

it('a colour that left stays closed until it comes again', () => {
  // The new colour is known for a check and more before the old one, at 2.2 s, closes its port.
  const first = { ...swap, acceptingUs: 500_000, readyUs: 500_100, acceptStoppedUs: 2_200_000 };
  const second = {
    ...swap,
    restart: 2,
    deploy: 2,
    deployBeginUs: 5_000_000,
    acceptingUs: 5_500_000,
    readyUs: 5_500_100,
  };
  const last = { ...second, sigtermUs: 8_800_000, acceptStoppedUs: 9_900_000, exitUs: 9_950_000 };
  const [alone] = predict(e6, { windows: [first] }).perRestart;
  const [before, after] = predict(e6, { windows: [first, last] }).perRestart;
  expect(before).toBeGreaterThan(8);
  expect(Math.abs((before ?? 0) - (alone ?? 0))).toBeLessThan(3);
  expect(after).toBe(0);
  // The second one leaves early too: 800 ms in which, for half of the requests, the check may not yet have noticed.
  const hasty = { ...last, sigtermUs: 8_800_000, acceptStoppedUs: 9_000_000, exitUs: 9_950_000 };
  expect(Math.abs((predict(e6, { windows: [first, hasty] }).perRestart[1] ?? 0) - 16)).toBeLessThan(3);
});

describe('who is taken along by a kill', () => {
  const cut = (over: Partial<RestartWindow>): number =>
    (predict(e1, { variant: 'crash', windows: [{ ...crashed, ...over }] }).dropped ?? 0) - 70;

  it('is nobody where the port was closed before the end', () => {
    expect(cut({ exitUs: 1_000_001 })).toBe(0);
    expect(cut({ exitUs: null })).toBe(0);
  });

  it('is who was under way, and who came while it was dying: half of the time since it was asked to', () => {
    expect(cut({ retireUs: 980_000 })).toBeCloseTo(2.5, 6);
    expect(cut({ retireUs: 900_000 })).toBeCloseTo(6.5, 6);
    expect(cut({ retireUs: null })).toBeCloseTo(1.5, 6);
  });

  it('is who came from systemd’s SIGKILL on, where the process did not end of SIGTERM', () => {
    expect(cut({ sigtermUs: 100_000, killedUs: 980_000 })).toBeCloseTo(3.5, 6);
    expect(cut({ sigtermUs: null, retireUs: 100_000, killedUs: 980_000 })).toBeCloseTo(3.5, 6);
    expect(cut({ sigtermUs: 100_000, killedUs: 1_000_300 })).toBeCloseTo(1.5, 6);
    // What ended it is not known: those under way alone.
    expect(cut({ sigtermUs: 100_000 })).toBeCloseTo(1.5, 6);
  });

  it('is who asks for nothing idempotent, where a proxy sends the others again to a socket that queues them', () => {
    const behind = (changes: readonly Change[]): number | null =>
      predict(e5, { variant: 'sigterm-without-drain', changes, windows: [crashed] }).dropped;
    expect(behind([])).toBeCloseTo(0.5, 6);
    expect(behind([['proxy.kind', 'none']])).toBeCloseTo(2.5, 6);
  });

  it('is the same at every restart of a single process', () => {
    const second = { ...crashed, restart: 2, deployBeginUs: 3_990_000, retireUs: 3_980_000 };
    const windows = [crashed, { ...second, acceptStoppedUs: 4_000_000, exitUs: 4_000_000, acceptingUs: 4_700_000 }];
    expect(predict(e1, { variant: 'crash', windows }).perRestart).toEqual([72.5, 72.5]);
  });
});

describe('who is taken along by a kill, of two colours', () => {
  const changes: Change[] = [['deploy.oldEndsBy', 'SIGKILL']];
  const endsAt7s = { sigtermUs: null, retireUs: 6_980_000, acceptStoppedUs: 7_000_000, exitUs: 7_000_000 };
  /** By how much more the last of these restarts loses than where the port was closed a microsecond before. */
  const cut = (...windows: RestartWindow[]): number => {
    const closed = { ...(windows.at(-1) ?? window), acceptStoppedUs: 6_999_999 };
    const [cutOff, clean] = [windows, windows.with(-1, closed)].map((given) =>
      predict(e6, { changes, windows: given }),
    );
    return (cutOff?.dropped ?? Number.NaN) - (clean?.dropped ?? Number.NaN);
  };

  it('is half where the other one takes half of the requests, and all where the check does not know it yet', () => {
    expect(cut({ ...swap, ...endsAt7s })).toBeCloseTo(1.25, 6);
    expect(cut({ ...swap, ...endsAt7s, readyUs: 7_500_000 })).toBeCloseTo(2.5, 6);
  });

  it('is nobody where the check has found it down, whichever colour it is', () => {
    const down = { ...swap, ...endsAt7s, sigtermUs: 5_000_000 };
    expect(cut(down)).toBe(0);
    const first = { ...swap, sigtermUs: 2_500_000, acceptStoppedUs: 3_900_000, exitUs: 4_000_000 };
    const second = { ...down, restart: 2, deployBeginUs: 4_100_000, acceptingUs: 4_400_000, readyUs: 4_400_100 };
    expect(cut(first, { ...second, sigtermUs: 5_800_000 })).toBe(0);
    expect(cut(first, { ...second, sigtermUs: null })).toBeCloseTo(1.25, 6);
  });
});

describe('the queue that should wait at the end of a window', () => {
  const queue = (file: ExperimentFile, over: Partial<RestartWindow> = {}): number | null =>
    expectedQueue(
      { ...runRecord(resolveExperiment(file, { variant: undefined, changes: [] })).experiment },
      { ...window, ...over },
      4_096,
    );

  it('is rate × window, of the load and of the probe', () => {
    // 100 and 20 a second for 700 ms.
    expect(queue(e5)).toBe(84);
  });

  it('is less by what the proxy’s idle connections still carried, at most until the process was gone', () => {
    // Ten at 100 a second take 100 ms, of which the process is there 50.
    expect(queue(e5, { idleWhenStopped: 3 })).toBeCloseTo(81, 6);
    expect(queue(e5, { idleWhenStopped: 10 })).toBeCloseTo(79, 6);
    expect(queue(e5, { idleWhenStopped: 10, exitUs: null })).toBeCloseTo(74, 6);
    // All of the window: the probe alone waits.
    expect(queue(e5, { idleWhenStopped: 500, exitUs: null })).toBeCloseTo(14, 6);
  });

  it('is all of it where there is no proxy, and so no pool of idle connections', () => {
    const direct = runRecord(
      resolveExperiment(e5, { variant: undefined, changes: [['proxy.kind', 'none']] }),
    ).experiment;
    expect(expectedQueue(direct, { ...window, idleWhenStopped: 10 }, 4_096)).toBe(84);
  });

  it('is at most what the queue admits: the shorter of Backlog= and somaxconn, and one more', () => {
    const of = (backlog: number | null, somaxconn: number | null): number | null =>
      expectedQueue(resolveExperiment(e5, { changes: [['unit.backlog', backlog]] }), window, somaxconn);
    expect(of(16, 4_096)).toBe(17);
    expect(of(4_096, 16)).toBe(17);
    // systemd's own default is beyond any somaxconn.
    expect(of(null, 16)).toBe(17);
    // 200 and 20 a second for 700 ms.
    expect(of(null, null)).toBe(154);
    expect(of(153, null)).toBe(154);
    expect(of(152, null)).toBe(153);
  });

  it('is none where the process owns its port, some process accepts all the time, or the window was not seen', () => {
    expect(queue(e1)).toBeNull();
    expect(queue(e8, { acceptingUs: 1_049_999 })).toBeNull();
    expect(queue(e5, { acceptStoppedUs: null })).toBeNull();
    expect(queue(e5, { acceptingUs: null })).toBeNull();
  });
});

describe('a service of the user’s own that closes its port before it ends', () => {
  const service: OwnService = {
    ...{ name: 'shop', files: [], packages: [], start: '/opt/shop', environment: {}, public: '127.0.0.1:8080' },
    ...{ listens: 'itself', health: {}, containers: [], requests: [], contents: '', unitChanges: [] },
  };
  const closedFirst: RestartWindow = {
    ...window,
    ...{ acceptStoppedUs: 1_000_000, exitUs: 1_500_000, acceptingUs: 2_000_000, readyUs: 2_000_000 },
  };
  const ofOwn = (file: ExperimentFile): Prediction['range'] => {
    const experiment = resolveExperiment(file, { service });
    return predictDrops(runRecord(experiment, { durationMs: 10_000 }), [closedFirst]).range;
  };

  it('may answer on the proxy’s kept connections until it ends: from then on nobody does', () => {
    expect(ofOwn(e1)).toEqual([50, 100]);
    // The demo site says itself what it does with those.
    expect(predict(e1, { windows: [closedFirst] }).range).toEqual([100, 100]);
  });

  it('does not without a proxy, which has none', () => {
    const told = { ...service, public: '0.0.0.0:8080' };
    const experiment = resolveExperiment(e1, { variant: 'direct', service: told });
    expect(predictDrops(runRecord(experiment, { durationMs: 10_000 }), [closedFirst]).range).toEqual([100, 100]);
  });
});
