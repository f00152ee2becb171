/**
 * How many requests a run should drop: from its timeline and its options alone, never from its ledger.
 *
 * Each request is followed through the proxy as its sources tell (Traefik 3: pkg/healthcheck, pkg/middlewares/retry):
 * the checker asks every backend at each tick of one interval, one answer decides, and all count as up at first; with
 * no backend up the answer is 503 at once, and is not retried; a refused connection is retried `attempts` − 1 times,
 * at once or after waits that grow from the initial interval to its double, each drawn from half to one and a half of
 * its length. Where in its interval the checker ticks is not known: many phases are tried, and the range over them is
 * part of the prediction.
 */
import { askedMs } from '../load/request.ts';
import { seededRandom } from '../scenario/random.ts';
import type { Experiment } from '../scenario/experiment.ts';
import type { RunRecord } from '../scenario/run-record.ts';
import type { RestartWindow } from './restart-windows.ts';
import { SpansAt, type Span } from './span-lookup.ts';

/** A prediction and where it comes from. */
export interface Prediction {
  /** Requests, the mean over what is not known; null where the mechanism gives no number (an outage not seen). */
  readonly dropped: number | null;
  /** Least and greatest over the phases of the check. */
  readonly range: readonly [low: number, high: number] | null;
  readonly perRestart: readonly (number | null)[];
  /** In words, with its numbers in place. */
  readonly formula: string;
}

/** One unit behind the proxy, as the timeline tells. */
interface Backend {
  /** Connections are refused, or accepted and lost. */
  readonly closed: readonly Span[];
  /** A check made in one of these fails; where it `waits`, only if the span's end is further off than its timeout. */
  readonly failing: readonly (Span & { readonly waits: boolean })[];
}

/** Phases of the check that are tried. */
const phases = 40;

/** Traefik's providersThrottleDuration: a file that was read half-written is read again only so much later. */
const throttleMs = 2_000;

/** What the mechanism of this experiment makes of these restarts; nothing is known of how a user's service restarts. */
export function predictDrops(run: RunRecord, windows: readonly RestartWindow[]): Prediction {
  if (run.kind === 'measure') return noPrediction(windows, 'none: the mechanism is not known');
  const { experiment } = run;
  if (windows.length === 0) return { dropped: 0, range: [0, 0], perRestart: [], formula: 'no restart: 0' };
  const seen = windows.every(
    ({ acceptStoppedUs, acceptingUs, readyUs }) => acceptStoppedUs !== null && acceptingUs !== null && readyUs !== null,
  );
  if (!seen) return noPrediction(windows, 'none: not every outage window was seen');

  const refused = simulate(run, backendsOf(experiment, windows), windows);
  const cut = windows.map((window, index) => cutByKill(experiment, window) * (refused.shareAtEnd[index] ?? 1));
  const emptied = windows.map(() => emptyFileDrops(experiment));
  const busy = windows.map((window) => busyDrops(experiment, window));
  const perRestart = windows.map(
    (_, index) => (refused.perRestart[index] ?? 0) + (cut[index] ?? 0) + (emptied[index] ?? 0) + (busy[index] ?? 0),
  );
  const extra = sum(cut) + sum(emptied) + sum(busy);
  const dropped = sum(perRestart);
  return {
    dropped,
    range: [refused.low + extra, refused.high + extra],
    perRestart,
    formula: formulaOf(experiment, windows, {
      refused: sum(refused.perRestart),
      cut: sum(cut),
      emptied: sum(emptied),
      busy: sum(busy),
    }),
  };
}

function noPrediction(windows: readonly RestartWindow[], formula: string): Prediction {
  return { dropped: null, range: null, perRestart: windows.map(() => null), formula };
}

/** When each backend refuses, and when a check of it fails. */
function backendsOf(experiment: Experiment, windows: readonly RestartWindow[]): Backend[] {
  const { sites, proxy } = experiment;
  // The proxy's file names the colour that serves, and no other.
  if (proxy.cutover !== 'check') return [{ closed: [], failing: [] }];
  if (sites.backends === 2) {
    return [0, 1].map((colour) => {
      // The colour of odd restarts comes with them and goes with the even ones; that of even restarts serves at first.
      const spans = (from: (w: RestartWindow) => number | null, to: (w: RestartWindow) => number | null): Span[] => {
        const found: Span[] = [];
        let fromUs = colour === 0 ? null : -Infinity;
        for (const window of windows) {
          if (window.restart % 2 === colour) {
            if (fromUs !== null) found.push({ fromUs, toUs: to(window) ?? fromUs });
            fromUs = null;
          } else {
            fromUs = from(window);
          }
        }
        if (fromUs !== null) found.push({ fromUs, toUs: Infinity });
        return found;
      };
      return {
        closed: spans(
          ({ acceptStoppedUs }) => acceptStoppedUs,
          ({ acceptingUs }) => acceptingUs,
        ),
        failing: spans(
          ({ sigtermUs, exitUs }) => sigtermUs ?? exitUs,
          ({ readyUs }) => readyUs,
        ).map((span) => ({ ...span, waits: false })),
      };
    });
  }
  const { check } = proxy;
  return [
    {
      closed: windows.flatMap((window) => closedSpan(experiment, window)),
      failing: check === undefined ? [] : windows.flatMap((window) => failingSpan(experiment, check, window)),
    },
  ];
}

/** While the single backend refuses connections, or loses those it has accepted. */
function closedSpan(experiment: Experiment, window: RestartWindow): Span[] {
  const { unit } = experiment;
  const { acceptStoppedUs, acceptingUs, exitUs, socketStoppedUs, socketStartedUs } = window;
  if (acceptStoppedUs === null || acceptingUs === null) return [];
  const fromUs = lastServedUs(experiment, window) ?? acceptStoppedUs;
  const upTo = (toUs: number): Span[] => (toUs > fromUs ? [{ fromUs, toUs }] : []);
  if (unit.activation === 'none') return upTo(acceptingUs);
  // The socket closes: what waits in its queue is reset, and nothing queues until it is open again.
  if (socketStoppedUs !== null) return upTo(socketStartedUs ?? acceptingUs);
  // What waits when the service is down is accepted and closed.
  return unit.flushPending ? upTo(exitUs ?? acceptStoppedUs) : [];
}

/**
 * When the old process answers its last request: in a polite drain behind a proxy, each idle connection of the proxy's
 * pool carries one request more, so that new connections are made only when the pool is used up.
 */
function lastServedUs({ app, proxy, load }: Experiment, window: RestartWindow): number | null {
  const { acceptStoppedUs, idleWhenStopped, exitUs } = window;
  if (acceptStoppedUs === null || app.drain !== 'polite' || proxy.kind === 'none') return acceptStoppedUs;
  return Math.min(exitUs ?? Infinity, acceptStoppedUs + (idleWhenStopped * 1e6) / load.ratePerSecond);
}

/** How many connections should wait in the listen queue at the end of this window; null where none can queue. */
export function expectedQueue(experiment: Experiment, window: RestartWindow): number | null {
  const { unit, load, probe } = experiment;
  const { acceptStoppedUs, acceptingUs } = window;
  const fromUs = lastServedUs(experiment, window);
  if (unit.activation === 'none' || fromUs === null || acceptStoppedUs === null || acceptingUs === null) return null;
  return (
    (load.ratePerSecond * Math.max(0, acceptingUs - fromUs) + probe.ratePerSecond * (acceptingUs - acceptStoppedUs)) /
    1e6
  );
}

function failingSpan(
  { unit }: Experiment,
  { path, port }: NonNullable<Experiment['proxy']['check']>,
  window: RestartWindow,
): (Span & { waits: boolean })[] {
  const { acceptStoppedUs, acceptingUs, exitUs, sigtermUs, internalListeningUs, readyUs } = window;
  const span = (fromUs: number | null, toUs: number | null, waits: boolean): (Span & { waits: boolean })[] =>
    fromUs === null || toUs === null || toUs <= fromUs ? [] : [{ fromUs, toUs, waits }];
  if (port === 'public') return span(acceptStoppedUs, acceptingUs, unit.activation !== 'none');
  if (path === '/livez') return span(exitUs, internalListeningUs, unit.activation === 'both');
  return span(sigtermUs ?? exitUs, readyUs, false);
}

/** Follows every slot at risk through the proxy, for each phase of the check. */
function simulate(
  { experiment, durationMs, seed }: Extract<RunRecord, { kind: 'experiment' }>,
  backends: readonly Backend[],
  windows: readonly RestartWindow[],
): { perRestart: number[]; shareAtEnd: number[]; low: number; high: number } {
  const { check, retry } = experiment.proxy;
  const random = seededRandom(seed, 'prediction');
  const slotUs = 1e6 / experiment.load.ratePerSecond;
  const intervalUs = (check?.intervalMs ?? 0) * 1000;
  const count = check === undefined && (retry?.initialIntervalMs ?? 0) === 0 ? 1 : phases;
  const closed = backends.map((backend) => new SpansAt(backend.closed));
  const totals = windows.map(() => 0);
  const shares = windows.map(() => 0);
  const perPhase: number[] = [];
  for (let phase = 0; phase < count; phase++) {
    const down =
      check === undefined
        ? backends.map(() => new SpansAt([]))
        : backends.map(
            (backend) =>
              new SpansAt(
                downSpans(backend, {
                  firstUs: -intervalUs + (phase / count) * intervalUs,
                  untilUs: durationMs * 1000,
                  intervalUs,
                  timeoutUs: check.timeoutMs * 1000,
                }),
              ),
          );
    let dropped = 0;
    // Of a single backend, a request that meets it open and up is answered, and nothing is drawn for it.
    let quietUntilUs = -Infinity;
    const isQuiet = (dueUs: number): boolean => {
      if (backends.length > 1 || closed[0]?.holds(dueUs) === true || down[0]?.holds(dueUs) === true) return false;
      quietUntilUs = Math.min(closed[0]?.sameUntil(dueUs) ?? dueUs, down[0]?.sameUntil(dueUs) ?? dueUs);
      return true;
    };
    for (const [index, window] of windows.entries()) {
      quietUntilUs = -Infinity;
      // Of the requests, so many go to the process that ends: none while the check holds it to be down.
      const going = backends.length === 2 ? 1 - (window.restart % 2) : 0;
      const up = down.map((spans) => !spans.holds((window.exitUs ?? 0) - 1));
      shares[index] = (shares[index] ?? 0) + (up[going] === true ? 1 / up.filter(Boolean).length : 0) / count;
      const endUs = windows[index + 1]?.deployBeginUs ?? durationMs * 1000;
      for (let dueUs = Math.ceil(window.deployBeginUs / slotUs) * slotUs; dueUs < endUs; dueUs += slotUs) {
        if (dueUs < quietUntilUs || isQuiet(dueUs)) continue;
        if (isAnswered(dueUs, closed, down, retry, random)) continue;
        dropped++;
        totals[index] = (totals[index] ?? 0) + 1;
      }
    }
    perPhase.push(dropped);
  }
  return {
    perRestart: totals.map((total) => total / count),
    shareAtEnd: shares,
    low: Math.min(...perPhase),
    high: Math.max(...perPhase),
  };
}

/** When the proxy holds the backend to be down: from each failed check to the next that passes. */
function downSpans(
  { failing }: Backend,
  ticks: { firstUs: number; untilUs: number; intervalUs: number; timeoutUs: number },
): Span[] {
  const down: Span[] = [];
  for (let tickUs = ticks.firstUs; tickUs < ticks.untilUs; tickUs += ticks.intervalUs) {
    const span = failing.find(({ fromUs, toUs }) => tickUs >= fromUs && tickUs < toUs);
    if (span === undefined) continue;
    const waitsUs = span.waits ? span.toUs - tickUs : Infinity;
    if (waitsUs <= ticks.timeoutUs) continue;
    const knownUs = span.waits ? tickUs + ticks.timeoutUs : tickUs;
    const next = down.at(-1);
    // The check after this one decides again, at the next tick.
    const untilUs = tickUs + ticks.intervalUs;
    if (next !== undefined && next.toUs >= tickUs) down[down.length - 1] = { fromUs: next.fromUs, toUs: untilUs };
    else down.push({ fromUs: knownUs, toUs: Math.max(untilUs, knownUs) });
  }
  return down;
}

function isAnswered(
  dueUs: number,
  closed: readonly SpansAt[],
  down: readonly SpansAt[],
  retry: Experiment['proxy']['retry'],
  random: () => number,
): boolean {
  const attempts = retry?.attempts ?? 1;
  const growth = 2 ** (1 / Math.max(1, attempts - 1));
  let waitUs = (retry?.initialIntervalMs ?? 0) * 1000;
  let atUs = dueUs;
  // Round robin: who is first is anybody's guess, the next try goes to the next.
  let turn = closed.length > 1 && random() < 0.5 ? 1 : 0;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const chosen = chosenAt(atUs, down, turn);
    if (chosen < 0) return false;
    if (closed[chosen]?.holds(atUs) !== true) return true;
    turn++;
    atUs += waitUs * (0.5 + random());
    waitUs *= growth;
  }
  return false;
}

/** Index of the backend whose turn it is, of those that are up; −1 when none is. */
function chosenAt(atUs: number, down: readonly SpansAt[], turn: number): number {
  let chosen = -1;
  let up = 0;
  for (let index = 0; index < down.length; index++) {
    if (down[index]?.holds(atUs) === true) continue;
    up++;
    chosen = index;
  }
  if (up < 2) return chosen;
  let before = turn % up;
  return down.findIndex((spans) => !spans.holds(atUs) && before-- === 0);
}

/**
 * Requests under way when a process dies of a signal, and those that still reach it before the kernel has taken its
 * connections down: rate × the time that requests ask the site to take, and rate × half of what lies between the moment
 * in which the deploy asks for the end and the moment in which systemd sees it, since the signal falls somewhere between.
 * A GET that the proxy had written on a connection used before is sent again by the proxy's transport (Go's net/http
 * does, for idempotent requests without an answer), and is answered where the socket queues it.
 */
function cutByKill({ load, unit, proxy }: Experiment, window: RestartWindow): number {
  const { exitUs, acceptStoppedUs, sigtermUs, retireUs } = window;
  const wasKilled = exitUs !== null && acceptStoppedUs === exitUs;
  if (!wasKilled) return 0;
  const isSentAgain = proxy.kind === 'traefik' && unit.activation !== 'none';
  const exposed = load.mix.filter(({ method }) => !(method === 'GET' && isSentAgain));
  const weights = sum(load.mix.map(({ weight }) => weight));
  const askedForMs = sum(exposed.map(({ path, weight }) => (weight / weights) * askedMs(path)));
  const share = sum(exposed.map(({ weight }) => weight)) / weights;
  const endAskedUs = sigtermUs === null ? retireUs : sigtermUs + unit.timeoutStopSec * 1e6;
  const teardownMs = endAskedUs === null ? 0 : Math.max(0, exitUs - endAskedUs) / 2_000;
  return (load.ratePerSecond * (askedForMs + share * teardownMs)) / 1000;
}

/** A proxy's file that is rewritten in place is read empty: no router answers until it may be read again. */
function emptyFileDrops({ proxy, load }: Experiment): number {
  return proxy.cutover === 'in-place-rewrite' ? (load.ratePerSecond * throttleMs) / 1000 : 0;
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
  if (sites.transaction === 'immediate' || readyUs === null || retireUs === null) return refusedByLong;
  const weights = sum(load.mix.map(({ weight }) => weight));
  const writes = sum(load.mix.map(({ method, weight }) => (method === 'POST' ? weight / weights : 0)));
  const half = (load.ratePerSecond * writes) / 2;
  const sharedSeconds = Math.max(0, retireUs - readyUs) / 1e6;
  return refusedByLong + (2 * half ** 2 * sites.transactionHoldMs * sharedSeconds) / 1000;
}

function formulaOf(
  { load, unit, proxy, sites }: Experiment,
  windows: readonly RestartWindow[],
  parts: { refused: number; cut: number; emptied: number; busy: number },
): string {
  const outagesMs = windows.map(({ acceptStoppedUs, acceptingUs }) =>
    Math.max(0, ((acceptingUs ?? 0) - (acceptStoppedUs ?? 0)) / 1000),
  );
  const rate = `${load.ratePerSecond}/s`;
  const words: string[] = [];
  if (sites.backends === 2) {
    words.push(
      proxy.cutover === 'check'
        ? 'the other colour accepts before this one stops, and the check passes over whoever is not ready'
        : 'the other colour accepts before the proxy’s file names it, and this one goes on until it no longer does',
    );
  } else if (unit.activation === 'none') {
    words.push(
      `rate × outage windows = ${rate} × ${(sum(outagesMs) / 1000).toFixed(3)} s ` +
        `(${windows.length} windows) = ${((load.ratePerSecond * sum(outagesMs)) / 1000).toFixed(1)}`,
    );
  } else {
    words.push('the socket outlives the process, so connections wait and none is refused');
    if (windows.some(({ socketStoppedUs }) => socketStoppedUs !== null)) {
      words.push('but here it was closed and opened again, with all that waited in its queue');
    } else if (unit.flushPending) {
      words.push('but what waits when the service has stopped is flushed');
    }
  }
  if (proxy.retry !== undefined) {
    words.push(
      proxy.retry.initialIntervalMs === 0
        ? `retry at once, ${proxy.retry.attempts} tries: over before the port is open again`
        : `retry, ${proxy.retry.attempts} tries from ${proxy.retry.initialIntervalMs} ms on: saves who meets the port open`,
    );
  }
  if (proxy.check !== undefined) {
    const { path, port, intervalMs } = proxy.check;
    words.push(
      `check of ${path} on the ${port} port every ${intervalMs} ms: 503 from a failed check to the next passed`,
    );
  }
  words.push(`refused or turned away: ${parts.refused.toFixed(1)}`);
  if (parts.cut > 0) words.push(`cut by the signal, rate × (time asked for + time of dying): ${parts.cut.toFixed(1)}`);
  if (parts.emptied > 0) {
    words.push(
      `no router while the file was read empty, rate × ${throttleMs / 1000} s each: ${parts.emptied.toFixed(0)}`,
    );
  }
  if (parts.busy > 0)
    words.push(`refused by SQLite, in upgraded or behind long transactions: ${parts.busy.toFixed(0)}`);
  return words.join('; ');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
