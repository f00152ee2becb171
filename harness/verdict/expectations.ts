/** What the experiment expects, beside what was measured. */
import type { boundedFigures, Experiment } from '../scenario/experiment.ts';
import { answerClaim } from './claim.ts';
import type { Prediction } from './predict.ts';
import type { Verdict } from './verdict.ts';
import { stallAboveMs } from './waits.ts';

/** The measured figures that expectations are about. */
export type Measured = Pick<
  Verdict,
  | 'dropped'
  | 'restarts'
  | 'badRestarts'
  | 'longestWaitMs'
  | 'longestOutageMs'
  | 'outcomes'
  | 'byMethod'
  | 'stale'
  | 'writes'
  | 'direct'
> & {
  /** Ok answers that came much too late, outside of every restart. */
  readonly stallsOutside: number;
  readonly predicted: Pick<Prediction, 'dropped' | 'range'>;
  readonly ratePerSecond: number;
};

/** Expected of the writes in every experiment that does not say otherwise: each is worse than a drop. */
const honest = {
  lost: 'what was acknowledged must be in the database',
  early: 'a write must be in the database before it is acknowledged',
  duplicated: 'no write may be applied twice',
  misattributed: 'what was refused must not be in the database',
} as const;

/** Each expectation with its answer, in the order of the file. */
export function checkExpectations(expect: Experiment['expect'], measured: Measured): Verdict['expectations'] {
  const rows: Verdict['expectations'] = [];
  if (expect.dropped !== undefined) rows.push(droppedRow(expect.dropped, measured));
  if (expect.badRestarts !== undefined) rows.push(badRestartsRow(expect.badRestarts, measured));
  if (
    expect.longestWait !== undefined &&
    measured.ratePerSecond <= (expect.longestWait.upToRatePerSecond ?? Infinity)
  ) {
    rows.push(longestWaitRow(expect.longestWait, measured));
  }
  if (expect.claim !== undefined) rows.push(claimRow(expect.claim, measured));
  // A probe that was switched off leaves nothing to compare.
  const bounds = expect.bounds.filter(({ of }) => !ofProbe.has(of) || measured.direct !== null);
  rows.push(...bounds.map((bound) => boundRow(bound, measured)));
  // Of a service that the user runs nothing is promised but its answers.
  if (measured.writes !== null) rows.push(stallsRow(measured));
  if (!expect.bounds.some(({ of }) => of === 'stale') && measured.writes !== null) {
    rows.push(boundRow({ of: 'stale', max: 0, because: notStale }, measured));
  }
  if (measured.writes === null) return rows;
  for (const figure of ['lost', 'early', 'duplicated', 'misattributed'] as const) {
    if (expect.bounds.some((bound) => bound.of === figure)) continue;
    rows.push(boundRow({ of: figure, max: 0, because: honest[figure] }, measured));
  }
  return rows;
}

const notStale = 'a version that is out of rotation must not answer';

function stallsRow({ stallsOutside }: Measured): Row {
  return {
    what: `answers that came more than ${stallAboveMs} ms late, outside of every restart`,
    expected: 'none',
    measured: String(stallsOutside),
    met: stallsOutside === 0,
    because: 'where nothing restarts, nothing waits',
  };
}

/** Figures that the direct probe alone gives. */
const ofProbe = new Set<Figure>(['refused-directly', 'directLongestWaitMs']);

type Row = Verdict['expectations'][number];

function droppedRow(dropped: NonNullable<Experiment['expect']['dropped']>, measured: Measured): Row {
  const common = { what: 'dropped requests', measured: String(measured.dropped), because: dropped.because };
  if ('max' in dropped) {
    return { ...common, expected: `at most ${dropped.max}`, met: measured.dropped <= dropped.max };
  }
  const { predicted } = measured;
  if (predicted.dropped === null || predicted.range === null) {
    return { ...common, expected: `within ${dropped.withinPercent} % of a prediction, but there is none`, met: false };
  }
  const share = dropped.withinPercent / 100;
  const [low, high] = [predicted.range[0] * (1 - share), predicted.range[1] * (1 + share)];
  const isNarrow = predicted.range[1] - predicted.range[0] < 1;
  const range = isNarrow
    ? predicted.dropped.toFixed(0)
    : `${predicted.range[0].toFixed(0)} to ${predicted.range[1].toFixed(0)}, by the phase of the check`;
  return {
    ...common,
    expected: `${low.toFixed(0)} to ${high.toFixed(0)} (predicted ${range}; ± ${dropped.withinPercent} %)`,
    met: measured.dropped >= low && measured.dropped <= high,
  };
}

function badRestartsRow(bad: NonNullable<Experiment['expect']['badRestarts']>, measured: Measured): Row {
  const common = {
    what: 'restarts that dropped something',
    measured: `${measured.badRestarts} of ${measured.restarts}`,
    because: bad.because,
  };
  if ('all' in bad) {
    const met = measured.restarts > 0 && measured.badRestarts === measured.restarts;
    return { ...common, expected: 'every one', met };
  }
  return { ...common, expected: boundText(bad), met: isWithin(measured.badRestarts, bad) };
}

/** Too few restarts miss nothing: they make the run inconclusive. */
function claimRow(claim: NonNullable<Experiment['expect']['claim']>, { badRestarts, restarts }: Measured): Row {
  const { kind } = answerClaim(claim, badRestarts, restarts);
  return {
    what: 'share of all restarts that are clean',
    expected: `at least ${claim.cleanPercent} %, with 95 %`,
    measured: `${restarts - badRestarts} of ${restarts}${kind === 'too-few' ? ': too few to tell' : ''}`,
    met: kind !== 'refuted',
    because: claim.because,
  };
}

type Figure = (typeof boundedFigures)[number];

/** Words and value of each figure that may be bounded; null where the run does not have it. */
const figures: Record<Figure, readonly [what: string, of: (measured: Measured) => number | null]> = {
  'dropped-GET': ['dropped GETs', ({ byMethod }) => byMethod['GET']?.dropped ?? 0],
  'dropped-POST': ['dropped POSTs', ({ byMethod }) => byMethod['POST']?.dropped ?? 0],
  lost: ['writes lost', ({ writes }) => writes?.lost ?? null],
  early: ['writes acknowledged before they were written', ({ writes }) => writes?.early ?? null],
  duplicated: ['writes applied twice', ({ writes }) => writes?.duplicated ?? null],
  misattributed: ['writes refused, yet applied', ({ writes }) => writes?.misattributed ?? null],
  busy: ['writes that SQLite refused (SQLITE_BUSY)', ({ writes }) => writes?.busy.refused ?? null],
  busyShortestWaitMs: ['shortest wait before SQLITE_BUSY, ms', ({ writes }) => writes?.busy.shortestRefusalMs ?? null],
  busyLongestWaitMs: ['longest wait before SQLITE_BUSY, ms', ({ writes }) => writes?.busy.longestRefusalMs ?? null],
  longestWaitMs: ['longest wait, ms', ({ longestWaitMs }) => longestWaitMs],
  stale: ['stale answers', ({ stale }) => stale],
  'refused-directly': [
    'refused by the site’s own port',
    ({ direct }) => (direct === null ? null : (direct.outcomes['refused'] ?? 0)),
  ],
  directLongestWaitMs: ['longest wait at the site’s own port, ms', ({ direct }) => direct?.longestWaitMs ?? null],
  'status-502': ['502 (Bad Gateway)', ({ outcomes }) => outcomes['status-502'] ?? 0],
  'status-503': ['503 (Service Unavailable)', ({ outcomes }) => outcomes['status-503'] ?? 0],
  'status-404': ['404 (no route)', ({ outcomes }) => outcomes['status-404'] ?? 0],
};

function boundRow(
  bound: { of: Figure; min?: number | undefined; max?: number | undefined; because: string },
  measured: Measured,
): Row {
  const [what, of] = figures[bound.of];
  const value = of(measured);
  return {
    what,
    expected: boundText(bound),
    measured: value === null ? 'not measured' : String(Math.round(value * 1000) / 1000),
    met: value !== null && isWithin(value, bound),
    because: bound.because,
  };
}

interface Bound {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

function boundText({ min, max }: Bound): string {
  if (min === undefined) return `at most ${max ?? '?'}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

function isWithin(value: number, { min, max }: Bound): boolean {
  return value >= (min ?? -Infinity) && value <= (max ?? Infinity);
}

function longestWaitRow(wait: NonNullable<Experiment['expect']['longestWait']>, measured: Measured): Row {
  const { longestWaitMs, longestOutageMs } = measured;
  const limitMs = longestOutageMs === null ? null : longestOutageMs * (1 + wait.abovePercentOfOutage / 100);
  return {
    what: 'longest wait',
    expected:
      limitMs === null
        ? 'at most the longest outage window, which was not seen'
        : `at most ${limitMs.toFixed(0)} ms (longest outage window + ${wait.abovePercentOfOutage} %)`,
    measured: longestWaitMs === null ? 'no answer at all' : `${longestWaitMs.toFixed(0)} ms`,
    met: limitMs !== null && longestWaitMs !== null && longestWaitMs <= limitMs,
    because: wait.because,
  };
}
