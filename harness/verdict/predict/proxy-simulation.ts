/**
 * Every request at risk, followed through the proxy as its sources tell (Traefik 3: pkg/healthcheck,
 * pkg/middlewares/retry): the checker asks every backend at each tick of one interval, one answer decides, and all count
 * as up at first; with no backend up the answer is 503 at once, and is not retried; a refused connection is retried
 * `attempts` − 1 times, at once or after waits that grow from the initial interval to its double, each drawn from half to
 * one and a half of its length. Where in its interval the checker ticks is not known: many phases are tried, and the range
 * over them is part of the prediction.
 */
import { seededRandom } from '../../base/random.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import type { Backend } from './backends.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { SpanSet, type Span } from './spans.ts';

const phases = 40;

/** Follows every slot at risk through the proxy, for each phase of the check; means, and least and greatest sum. */
export function simulate(
  { experiment, durationMs, seed }: ExperimentRun,
  backends: readonly Backend[],
  windows: readonly RestartWindow[],
): { perRestart: number[]; shareAtEnd: number[]; low: number; high: number } {
  const { check, retry } = experiment.proxy;
  const random = seededRandom(seed, 'prediction');
  const slotUs = 1e6 / experiment.load.ratePerSecond;
  const intervalUs = (check?.intervalMs ?? 0) * 1000;
  const count = check === undefined && (retry?.initialIntervalMs ?? 0) === 0 ? 1 : phases;
  const closed = backends.map((backend) => new SpanSet(backend.closed));
  const totals = windows.map(() => 0);
  const shares = windows.map(() => 0);
  const perPhase: number[] = [];
  for (let phase = 0; phase < count; phase++) {
    const down =
      check === undefined
        ? backends.map(() => new SpanSet([]))
        : backends.map(
            (backend) =>
              new SpanSet(
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
    let quietUntilUs: number;
    const isQuiet = (dueUs: number): boolean => {
      if (backends.length > 1 || closed[0]?.holds(dueUs) === true || down[0]?.holds(dueUs) === true) return false;
      quietUntilUs = Math.min(closed[0]?.sameUntil(dueUs) ?? dueUs, down[0]?.sameUntil(dueUs) ?? dueUs);
      return true;
    };
    for (const [index, window] of windows.entries()) {
      quietUntilUs = -Infinity;
      // Share of requests routed to the stopping process: none while the check holds it down.
      const going = backends.length === 2 ? 1 - (window.deploy % 2) : 0;
      const up = down.map((spans) => !spans.holds((window.exitUs ?? 0) - 1));
      shares[index] = (shares[index] ?? 0) + (up[going] === true ? 1 / up.filter(Boolean).length : 0) / count;
      const endUs = windows[index + 1]?.deployBeginUs ?? durationMs * 1000;
      for (let dueUs = Math.ceil(window.deployBeginUs / slotUs) * slotUs; dueUs < endUs; dueUs += slotUs) {
        if (dueUs < quietUntilUs || isQuiet(dueUs)) continue;
        if (isAnswered(dueUs, { closed, down, retry, random })) continue;
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

interface Way {
  readonly closed: readonly SpanSet[];
  readonly down: readonly SpanSet[];
  readonly retry: Experiment['proxy']['retry'];
  readonly random: () => number;
}

function isAnswered(dueUs: number, { closed, down, retry, random }: Way): boolean {
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
function chosenAt(atUs: number, down: readonly SpanSet[], turn: number): number {
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
