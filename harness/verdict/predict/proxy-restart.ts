/** How many requests a restart of the proxy itself should drop: from its timeline and its options alone. */
import { sum } from '../../base/sums.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { askedMs } from '../../run/site-requests.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { noPrediction, type Prediction } from './prediction.ts';

/**
 * From the moment in which the old proxy closes its port to that in which the new one has its routes nobody is answered:
 * refused while nobody listens, 404 once the new proxy accepts, since it accepts before it has read its routes. Where
 * systemd owns the port the same requests wait in its queue, and get that 404. The signal cuts those under way that take
 * longer than the proxy waits for them.
 */
export function predictProxyDrops(experiment: Experiment, windows: readonly RestartWindow[]): Prediction {
  const { load, deploy } = experiment;
  const rate = load.ratePerSecond;
  if (deploy.action === 'proxy-reload') {
    const perRestart = windows.map(() => 0);
    return {
      dropped: 0,
      range: [0, 0],
      perRestart,
      formula: 'routes are exchanged in memory, and no port is closed: 0',
    };
  }
  const spans = windows.flatMap(({ acceptStoppedUs, readyUs }) =>
    acceptStoppedUs === null || readyUs === null ? [] : [Math.max(0, readyUs - acceptStoppedUs) / 1e6],
  );
  if (spans.length < windows.length) return noPrediction(windows);
  const cut = windows.map((window) => rate * (cutSeconds(experiment) + dyingSeconds(experiment, window)));
  const perRestart = spans.map((seconds, index) => rate * seconds + (cut[index] ?? 0));
  const seconds = sum(spans);
  const dropped = sum(perRestart);
  const from = deploy.action === 'proxy-crash' ? 'the end of the old proxy' : 'the closing of the port';
  return {
    dropped,
    range: [dropped, dropped],
    perRestart,
    formula:
      `rate × time from ${from} to the routes of the new one = ${rate}/s × ${seconds.toFixed(3)} s ` +
      `(${spans.length} windows) = ${(rate * seconds).toFixed(1)}` +
      (sum(cut) > 0
        ? `; cut by the signal, rate × (time asked for − time given + time of dying): ${sum(cut).toFixed(1)}`
        : ''),
  };
}

/** How long, at the mean over all requests, the site is asked to take beyond what the proxy waits for it. */
function cutSeconds({ load, proxy, deploy }: Experiment): number {
  const givenMs = deploy.action === 'proxy-crash' ? 0 : (proxy.unit?.graceTimeOutMs ?? 0);
  const weights = sum(load.mix.map(({ weight }) => weight));
  const ms = load.mix.map(({ path, weight }) => (weight / weights) * Math.max(0, askedMs(path) - givenMs));
  return sum(ms) / 1000;
}

/** SIGKILL falls somewhere between the deploy's asking for it and the moment in which systemd sees the end. */
function dyingSeconds({ deploy }: Experiment, { retireUs, exitUs }: RestartWindow): number {
  if (deploy.action !== 'proxy-crash' || retireUs === null || exitUs === null) return 0;
  return Math.max(0, exitUs - retireUs) / 2 / 1e6;
}
