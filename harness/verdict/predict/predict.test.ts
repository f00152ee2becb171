import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e2 from '../../../experiments/E2-drain-only.ts';
import e3 from '../../../experiments/E3-retry.ts';
import e4 from '../../../experiments/E4-drain-and-retry.ts';
import e5 from '../../../experiments/E5-socket-activation.ts';
import e6 from '../../../experiments/E6-blue-green.ts';
import e8 from '../../../experiments/E8-one-socket.ts';
import type { ExperimentFile } from '../../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../../experiment/fields.ts';
import { predictDrops } from './predict.ts';
import type { Prediction } from './prediction.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { runRecord, window } from '../testing.ts';

/** The prediction for a run at 100 a second: timeline and options, and no ledger anywhere. */
function predict(
  file: ExperimentFile,
  over: { variant?: string; changes?: readonly Change[]; windows?: readonly RestartWindow[]; durationMs?: number } = {},
): Prediction {
  const experiment = resolveExperiment(file, { variant: over.variant, changes: over.changes ?? [] });
  return predictDrops(runRecord(experiment, { durationMs: over.durationMs ?? 10_000 }), over.windows ?? [window]);
}

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

describe('a port that the process owns', () => {
  it('loses rate × outage window, however the process is drained', () => {
    expect(predict(e1)).toMatchObject({ dropped: 70, range: [70, 70], perRestart: [70] });
    expect(predict(e5, { variant: 'own-port' }).dropped).toBe(70);
  });
});

describe('retry', () => {
  it('at once is over before the port is open again', () => {
    expect(predict(e3).dropped).toBe(70);
  });

  it('with an interval saves whom its waits carry past the window’s end: less and less is left', () => {
    const at = (initialIntervalMs: number): number =>
      predict(e3, { changes: [['proxy.retry.initialIntervalMs', initialIntervalMs]] }).dropped ?? Number.NaN;
    // Three waits from 100 ms on come to 100 × (1 + 1.26 + 1.59) = 385 ms on average, of a window of 700.
    expect(at(100)).toBeGreaterThan(25);
    expect(at(100)).toBeLessThan(38);
    expect(at(250)).toBeLessThan(2);
    // From 500 ms on even the shortest waits, 962 ms together, outlast it.
    expect(at(500)).toBe(0);
  });

  it('of one attempt is no retry', () => {
    const changes: Change[] = [
      ['proxy.retry.attempts', 1],
      ['proxy.retry.initialIntervalMs', 500],
    ];
    expect(predict(e3, { changes }).dropped).toBe(70);
  });
});

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

describe('socket activation', () => {
  it('on both ports lets the check wait; only beyond its timeout does it fail', () => {
    expect(predict(e5, { variant: 'both-ports-activated' }).dropped).toBe(0);
    const impatient: Change[] = [['proxy.check.timeoutMs', 50]];
    expect(predict(e5, { variant: 'both-ports-activated', changes: impatient }).dropped).toBeGreaterThan(5);
  });

  it('loses less of the queue where the socket goes with its service, and idle connections carried on', () => {
    const tied = { ...window, socketStoppedUs: 1_200_000, socketStartedUs: 1_250_000 };
    // Ten idle connections of the proxy's pool carry ten requests more before new ones are dialled.
    const busy = { ...tied, exitUs: 1_200_000, idleWhenStopped: 10 };
    expect(predict(e5, { variant: 'socket-part-of', windows: [busy] }).dropped).toBe(10);
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

describe('two colours', () => {
  const swap = (over: Partial<RestartWindow>): RestartWindow => ({
    ...window,
    sigtermUs: 2_000_000,
    acceptStoppedUs: 7_000_000,
    exitUs: 7_100_000,
    acceptingUs: 1_900_000,
    readyUs: 1_900_100,
    ...over,
  });

  const retry: Change[] = [['proxy.retry.attempts', 4]];

  it('drop nothing when one is ready before the other leaves', () => {
    expect(predict(e6, { windows: [swap({})] })).toMatchObject({ dropped: 0, range: [0, 0] });
  });

  it('drop half of what comes between a port that closes and the check that notices; retry finds the other', () => {
    // The new colour is known for a check and more before the old one, at 2.2 s, closes its port.
    const early = swap({ acceptingUs: 500_000, readyUs: 500_100, acceptStoppedUs: 2_200_000 });
    const { dropped, range } = predict(e6, { windows: [early] });
    expect(range?.[0]).toBe(0);
    // At most 0.8 s at 100 a second, every other request of which goes to the closed port.
    expect(range?.[1]).toBeLessThan(60);
    expect(dropped).toBeGreaterThan(8);
    expect(predict(e6, { windows: [early], changes: retry }).dropped).toBe(0);
  });

  it('drop all of it where the check does not know the new one yet: then retry has no second backend either', () => {
    const early = swap({ acceptStoppedUs: 2_200_000 });
    expect(predict(e6, { windows: [early] }).range?.[1]).toBeGreaterThan(60);
    expect(predict(e6, { windows: [early], changes: retry }).range?.[1]).toBeGreaterThan(60);
  });

  it('lose two seconds without a route when the proxy’s file is truncated, and nothing when it is replaced', () => {
    expect(predict(e6, { variant: 'in-place-rewrite', windows: [swap({})] }).dropped).toBe(200);
    expect(predict(e6, { variant: 'atomic-rewrite', windows: [swap({})] }).dropped).toBe(0);
  });
});
