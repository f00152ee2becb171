/** How many requests a run should drop: from its timeline and its options alone, never from its ledger. */
import { present } from '../../base/present.ts';
import { sum, sumOf } from '../../base/sums.ts';
import { mixOf, type Experiment } from '../../experiment/experiment.ts';
import type { ExperimentRun, RunRecord } from '../../run/run-record.ts';
import { isOfProxy, publicPorts, sitesOf } from '../../experiment/units.ts';
import { backendsOf } from './backends.ts';
import { noPrediction, unseen, type Prediction } from './prediction.ts';
import { predictProxyDrops } from './proxy-restart.ts';
import { simulate } from './proxy-simulation.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { askedMs } from '../../run/site-requests.ts';

/** Traefik's providersThrottleDuration: a file that was read half-written is read again only so much later. */
const throttleMs = 2_000;

/** The experiment as one of its sites meets it: with its share of the load, and of the direct probe, which asks the first. */
export function ofSite(experiment: Experiment, site: string): Experiment {
  const sites = sitesOf(experiment);
  if (sites.length === 1) return experiment;
  const { load, probe } = experiment;
  return {
    ...experiment,
    load: { ...load, ratePerSecond: load.ratePerSecond / sites.length },
    probe: { ratePerSecond: site === sites[0].name ? probe.ratePerSecond : 0 },
  };
}

/** What the mechanism of this experiment makes of these restarts; nothing is known of how a user's service restarts. */
export function predictDrops(run: RunRecord, windows: readonly RestartWindow[]): Prediction {
  if (run.kind === 'measure') return noPrediction(windows, 'none: the mechanism is not known');
  const sites = sitesOf(run.experiment).map(({ name }) => name);
  const [only] = sites;
  if (sites.length === 1 || only === undefined) return predictSite(run, windows);
  const own = sites.map((site) => {
    const ofIt = windows.filter((window) => window.site === site);
    return { ofIt, ...predictSite({ ...run, experiment: ofSite(run.experiment, site) }, ofIt) };
  });
  const of = new Map(
    own.flatMap(({ ofIt, perRestart }) => ofIt.map(({ restart }, at) => [restart, perRestart[at] ?? null])),
  );
  const perRestart = windows.map(({ restart }) => of.get(restart) ?? null);
  const ranges = own.map(({ range }) => range);
  const perSite = own.map((of, at) => ({ site: sites[at] ?? '', dropped: of.dropped, formula: of.formula }));
  if (ranges.includes(null)) {
    return { dropped: null, range: null, perRestart, perSite, formula: unseen };
  }
  const dropped = sum(own.map((of) => of.dropped ?? 0));
  return {
    dropped,
    range: [sum(ranges.map((range) => range?.[0] ?? 0)), sum(ranges.map((range) => range?.[1] ?? 0))],
    perRestart,
    perSite,
    formula: `the sum over ${sites.length} sites, each by its own restarts and its share of the load: ${dropped.toFixed(1)}`,
  };
}

function predictSite(run: ExperimentRun, windows: readonly RestartWindow[]): Prediction {
  const { experiment } = run;
  if (isOfProxy(experiment.deploy.action)) return predictProxyDrops(experiment, windows);
  if (windows.length === 0) return { dropped: 0, range: [0, 0], perRestart: [], formula: 'no restart: 0' };
  const seen = windows.every(
    ({ acceptStoppedUs, acceptingUs, readyUs }) => acceptStoppedUs !== null && acceptingUs !== null && readyUs !== null,
  );
  if (!seen) return noPrediction(windows);

  const refused = simulate(run, backendsOf(experiment, windows), windows);
  const least = leastRefused(run, windows) ?? refused.low;
  const parts = windows.map((window, index) => ({
    refused: refused.perRestart[index] ?? 0,
    cut: cutByKill(experiment, window) * (refused.shareAtEnd[index] ?? 1),
    emptied: emptyFileDrops(experiment),
    busy: busyDrops(experiment, window),
  }));
  const total = (part: 'refused' | 'cut' | 'emptied' | 'busy'): number => sumOf(parts, (of) => of[part]);
  const sums = { least, refused: total('refused'), cut: total('cut'), emptied: total('emptied'), busy: total('busy') };
  const extra = sums.cut + sums.emptied + sums.busy;
  const perRestart = parts.map((of) => of.refused + of.cut + of.emptied + of.busy);
  return {
    dropped: sum(perRestart),
    range: [Math.min(least, refused.low) + extra, refused.high + extra],
    perRestart,
    formula: formulaOf(experiment, windows, sums),
  };
}

/**
 * A service of the user's own that has closed its port may go on answering on connections that the proxy keeps, until its
 * process ends: how many there are nobody sees. So what is refused is at least what falls between that end and the next open
 * port; null where nothing of that kind can be.
 */
function leastRefused(run: ExperimentRun, windows: readonly RestartWindow[]): number | null {
  const { experiment } = run;
  const { service, unit, proxy } = experiment;
  if (service === undefined || unit.activation !== 'none' || proxy.kind === 'none') return null;
  const late = windows.map((window) => {
    const { acceptStoppedUs, exitUs, acceptingUs } = window;
    const isLater = acceptStoppedUs !== null && exitUs !== null && exitUs > acceptStoppedUs;
    return isLater ? { ...window, acceptStoppedUs: Math.min(exitUs, acceptingUs ?? exitUs) } : window;
  });
  return simulate(run, backendsOf(experiment, late), late).low;
}

/** The path that the proxy asks: of a service of the user's own its own. */
function checkedPath({ service }: Experiment, path: string): string {
  if (service === undefined) return path;
  return (path === '/livez' ? service.health.live : service.health.ready) ?? path;
}

/**
 * Requests under way when a process dies of a signal, and those that still reach it before the kernel has taken its
 * connections down: rate × the time that requests ask the site to take, and rate × the time of dying. That is what lies
 * between systemd's SIGKILL, of which its journal tells, and the moment in which it sees the end; of a signal that the deploy
 * itself asked for, half of what lies between the asking and that moment, since the signal falls somewhere between.
 * A GET that the proxy had written on a connection used before is sent again by the proxy's transport (Go's net/http
 * does, for idempotent requests without an answer), and is answered where the socket queues it.
 */
function cutByKill(experiment: Experiment, window: RestartWindow): number {
  const { load, unit, proxy } = experiment;
  const mix = mixOf(experiment);
  const { exitUs, acceptStoppedUs, sigtermUs, retireUs, killedUs } = window;
  const wasKilled = exitUs !== null && acceptStoppedUs === exitUs;
  if (!wasKilled) return 0;
  const isSentAgain = proxy.kind === 'traefik' && unit.activation !== 'none';
  const exposed = mix.filter(({ method }) => !(method === 'GET' && isSentAgain));
  const weights = sum(mix.map(({ weight }) => weight));
  const askedForMs = sum(
    exposed.map(({ path, weight }) => (weight / weights) * (experiment.service === undefined ? askedMs(path) : 0)),
  );
  const share = sum(exposed.map(({ weight }) => weight)) / weights;
  const askedUs = sigtermUs === null ? retireUs : null;
  const dyingUs = killedUs === null ? (exitUs - (askedUs ?? exitUs)) / 2 : exitUs - killedUs;
  return (load.ratePerSecond * (askedForMs + (share * Math.max(0, dyingUs)) / 1000)) / 1000;
}

/** A proxy's file that is rewritten in place is read empty: no router answers until it may be read again. */
function emptyFileDrops({ proxy, load, release }: Experiment): number {
  const isEmptied = proxy.cutover === 'in-place-rewrite' || release?.proxyFile === 'in-place';
  return isEmptied ? (load.ratePerSecond * throttleMs) / 1000 : 0;
}

/**
 * Writes that SQLite refuses (SQLITE_BUSY) while two colours write. Two transactions that are upgraded and overlap cost
 * one of them: while both serve, each has half of the writes, and two of them begin within one's length of each other
 * 2 × (half of the write rate)² × length times a second. A transaction that is longer than busy_timeout costs the one
 * that waits for it, and again after each further busy_timeout.
 */
function busyDrops({ sites, load, deploy, proxy }: Experiment, { readyUs, retireUs }: RestartWindow): number {
  if (sites.backends === 1 || proxy.cutover !== 'check') return 0;
  const refusedByLong = sites.busyTimeoutMs === 0 ? 0 : Math.floor(deploy.longTransactionMs / sites.busyTimeoutMs);
  if (sites.transaction === 'immediate') return refusedByLong;
  const weights = sum(load.mix.map(({ weight }) => weight));
  const writes = sum(load.mix.map(({ method, weight }) => (method === 'POST' ? weight / weights : 0)));
  const half = (load.ratePerSecond * writes) / 2;
  const sharedSeconds = Math.max(0, (retireUs ?? 0) - (readyUs ?? 0)) / 1e6;
  return refusedByLong + (2 * half ** 2 * sites.transactionHoldMs * sharedSeconds) / 1000;
}

function formulaOf(
  experiment: Experiment,
  windows: readonly RestartWindow[],
  {
    least,
    refused,
    cut,
    emptied,
    busy,
  }: { least: number; refused: number; cut: number; emptied: number; busy: number },
): string {
  const { retry, check } = experiment.proxy;
  return present([
    portWords(experiment, windows),
    retry !== undefined &&
      (retry.initialIntervalMs === 0
        ? `retry at once, ${retry.attempts} tries: over before the port is open again`
        : `retry, ${retry.attempts} tries from ${retry.initialIntervalMs} ms on: saves who meets the port open`),
    check !== undefined &&
      `check of ${checkedPath(experiment, check.path)} on the ${check.port} port every ${check.intervalMs} ms: 503 from ` +
        'a failed check to the next passed',
    `refused or turned away: ${refused.toFixed(1)}`,
    refused - least > 1 &&
      experiment.service !== undefined &&
      `at least ${least.toFixed(1)}, if it answers on the proxy’s kept connections until it ends`,
    cut > 0 && `cut by the signal, rate × (time asked for + time of dying): ${cut.toFixed(1)}`,
    emptied > 0 && `no router while the file was read empty, rate × ${throttleMs / 1000} s each: ${emptied.toFixed(0)}`,
    busy > 0 && `refused by SQLite, in upgraded or behind long transactions: ${busy.toFixed(0)}`,
  ]).join('; ');
}

/** What becomes of connections while a process is exchanged for the next. */
function portWords(experiment: Experiment, windows: readonly RestartWindow[]): string {
  const { load, unit, proxy } = experiment;
  const outageMs = sumOf(windows, ({ acceptStoppedUs, acceptingUs }) =>
    Math.max(0, ((acceptingUs ?? 0) - (acceptStoppedUs ?? 0)) / 1000),
  );
  if (publicPorts(experiment) === 2) {
    return proxy.cutover === 'check'
      ? 'the other colour accepts before this one stops, and the check passes over whoever is not ready'
      : 'the other colour accepts before the proxy’s file names it, and this one goes on until it no longer does';
  }
  if (unit.activation === 'none') {
    // A site's share of the load may be no round number.
    const rate = `${Number(load.ratePerSecond.toFixed(3))}/s`;
    return (
      `rate × outage windows = ${rate} × ${(outageMs / 1000).toFixed(3)} s ` +
      `(${windows.length} windows) = ${((load.ratePerSecond * outageMs) / 1000).toFixed(1)}`
    );
  }
  const isReopened = windows.some(({ socketStoppedUs }) => socketStoppedUs !== null);
  return present([
    unit.activation === 'shared' && outageMs === 0
      ? 'both colours inherit the one socket, and the new one accepts before the old one stops'
      : 'the socket outlives the process, so connections wait and none is refused',
    isReopened && 'but here it was closed and opened again, with all that waited in its queue',
    !isReopened && unit.flushPending && 'but what waits when the service has stopped is flushed',
  ]).join('; ');
}
