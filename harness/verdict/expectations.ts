/** What the experiment expects, beside what was measured. */
import { present } from '../base/present.ts';
import type { boundedFigures, Experiment } from '../experiment/experiment.ts';
import type { Service } from '../experiment/service.ts';
import { answerClaim } from './pool/claim.ts';
import type { Prediction } from './predict/prediction.ts';
import type { Verdict } from './record/verdict.ts';
import { stallAboveMs } from './queries/waits.ts';

/** The measured figures that expectations are about. */
export type Measured = Pick<
  Verdict,
  | 'due'
  | 'dropped'
  | 'restarts'
  | 'badRestarts'
  | 'gapMs'
  | 'longestWaitMs'
  | 'longestOutageMs'
  | 'outcomes'
  | 'byMethod'
  | 'stale'
  | 'writes'
  | 'direct'
  | 'stalls'
> & {
  /** What no lateness of the generator can have caused; the figures that it could are at most so much less. */
  readonly proven: { readonly dropped: number; readonly badRestarts: number };
  /** Requests that could not be sent, since the server held every connection. */
  readonly heldUnsent: number;
  /** Held connections that were cut in the middle of a message. */
  readonly cut: number;
  /** Ends of the site's process that no deploy asked for, each in words. */
  readonly unplanned: readonly string[];
  /** Restarts whose old process had to be killed, though its drain fits into the time that it has. */
  readonly killed: readonly number[];
  /** The service did not answer steadily again within the time it was given. */
  readonly isNotBack: boolean;
  /** Restarts whose new version was given up, since it was not ready in time. */
  readonly givenUp: readonly number[];
  /** Sites of which requests were dropped, and sites that were restarted. */
  readonly sitesHurt: number;
  readonly sitesRestarted: number;
  readonly predicted: Pick<Prediction, 'dropped' | 'range'>;
  readonly ratePerSecond: number;
  /** It is a service of the user's own in the lab. */
  readonly isOwnService: boolean;
  /** The longest that such a service took for an answer apart from restarts, ms. */
  readonly longestApartMs?: number | null | undefined;
};

/** None of these is expected in an experiment that does not say otherwise: each is worse than a drop. */
const honest = [
  ['stale', 'a version that is out of rotation must not answer'],
  ['lost', 'what was acknowledged must be in the database'],
  ['early', 'a write must be in the database before it is acknowledged'],
  ['altered', 'what is stored must be what was sent'],
  ['duplicated', 'no write may be applied twice'],
  ['misattributed', 'what was refused must not be in the database'],
] as const;

type Expect = Experiment['expect'];

function isBounded({ bounds }: Pick<Expect, 'bounds'>, figure: Figure): boolean {
  return bounds.some(({ of }) => of === figure);
}

/** Of an expectation that the file does not have: where it comes from, and what sets it. */
function byDefault(because: string, figure: Figure): string {
  return `${because} (by default; a bound of ${figure} sets it)`;
}

function listed(restarts: readonly number[]): string {
  return `${restarts.length} (${restarts.slice(0, 5).join(', ')}${restarts.length > 5 ? ' …' : ''})`;
}

/** What is expected of every run, whatever else it may do; only what was missed has a row. */
function basicRows(
  { outcomes, due, proven, heldUnsent, unplanned, killed, givenUp, isOwnService }: Measured,
  expect: Pick<Expect, 'bounds'>,
): Row[] {
  return present([
    due > 0 &&
      (outcomes['ok'] ?? 0) === 0 && {
        what: 'requests that were answered as expected',
        expected: 'at least 1',
        measured: '0',
        met: false,
        because: 'a service that never answers as expected tells nothing about its restarts',
        inShort: 'no request was answered as expected',
        ...certainIf(proven.dropped > 0),
      },
    heldUnsent > 0 && {
      what: 'requests that found every connection held by the server',
      expected: 'none',
      measured: String(heldUnsent),
      met: false,
      because: 'a service that holds each connection without an answer serves nobody else',
      inShort: 'the service held every connection',
      certain: true,
    },
    unplanned.length > 0 &&
      !isBounded(expect, 'unplannedEnds') && {
        what: figures.unplannedEnds[0],
        expected: 'none',
        measured: unplanned.slice(0, 3).join('; ') + (unplanned.length > 3 ? ' …' : ''),
        met: false,
        because: byDefault(
          'a site that crashes by itself drops requests that no way of restarting can save',
          'unplannedEnds',
        ),
        inShort: 'the site’s process ended by itself',
        certain: true,
      },
    killed.length > 0 &&
      !isBounded(expect, 'killedStops') && {
        what: figures.killedStops[0],
        expected: 'none',
        measured: listed(killed),
        met: false,
        because: byDefault(
          isOwnService
            ? 'a service ends by itself within its TimeoutStopSec, or loses what it was doing'
            : 'its grace and shutdown timeout are shorter than TimeoutStopSec, so that SIGTERM is enough',
          'killedStops',
        ),
        inShort: 'the site did not end at SIGTERM',
      },
    givenUp.length > 0 &&
      !isBounded(expect, 'givenUp') && {
        what: figures.givenUp[0],
        expected: 'none',
        measured: listed(givenUp),
        met: false,
        because: byDefault('a new version that is not ready in time serves nobody', 'givenUp'),
        inShort: 'a new version was never ready',
      },
  ]);
}

/** What is expected of a service of the user's, each with its answer. */
export function checkService(
  { maxDropped, maxGapMs, maxWaitMs, hold }: Pick<Service, 'maxDropped' | 'maxGapMs' | 'maxWaitMs' | 'hold'>,
  claim: Expect['claim'],
  measured: Measured,
): Row[] {
  const dropped = { max: maxDropped, because: 'the limit that --max-dropped sets (0 unless said)' };
  return present([
    ...basicRows(measured, { bounds: [] }),
    measured.isNotBack && {
      what: 'answering steadily again after the command',
      expected: 'within --settle-timeout',
      measured: 'not back, or gone again when the load ended',
      met: false,
      because: 'a deploy is over when the service answers again',
      inShort: 'not back',
      certain: true,
    },
    droppedRow(dropped, measured),
    claim && claimRow(claim, measured),
    hold?.maxCut != null && cutRow(hold.maxCut, measured),
    maxGapMs !== null && timeRow('--max-gap', 'longest time in which nobody was answered', maxGapMs, measured.gapMs),
    maxWaitMs !== null && timeRow('--max-wait', 'longest wait for an ok answer', maxWaitMs, measured.longestWaitMs),
  ]);
}

function timeRow(option: string, what: string, limitMs: number, ms: number | null): Row {
  const met = ms !== null && ms <= limitMs;
  return {
    what,
    expected: `at most ${limitMs} ms`,
    measured: ms === null ? 'unknown' : `${ms.toFixed(0)} ms`,
    met,
    because: `the limit that ${option} sets`,
    ...(!met && ms !== null && { inShort: `${what}: ${(ms / 1000).toFixed(1)} s` }),
  };
}

/** The client only listens on a held connection: nothing that it or the machine did can have cut one. */
function cutRow(maxCut: number, { cut }: Measured): Row {
  const met = cut <= maxCut;
  return {
    what: 'held connections cut in the middle of a message',
    expected: `at most ${maxCut}`,
    measured: String(cut),
    met,
    because: 'the limit that --max-cut sets',
    ...(!met && { inShort: `${cut} held connections cut in the middle of a message` }),
    ...certainIf(!met),
  };
}

/** Each expectation of an experiment with its answer, in the order of the file. */
export function checkExpectations(expect: Expect, measured: Measured): Row[] {
  const { dropped, badRestarts, longestWait, claim } = expect;
  const { direct, writes, ratePerSecond, isOwnService } = measured;
  return present([
    ...basicRows(measured, expect),
    dropped && droppedRow(dropped, measured),
    badRestarts && badRestartsRow(badRestarts, measured),
    longestWait &&
      ratePerSecond <= (longestWait.upToRatePerSecond ?? Infinity) &&
      longestWaitRow(longestWait, measured),
    claim && claimRow(claim, measured),
    // A probe that was switched off leaves nothing to compare.
    ...expect.bounds.map((bound) => (direct !== null || !ofProbe.has(bound.of)) && boundRow(bound, measured)),
    !isOwnService && writes !== null && !isBounded(expect, 'stallsOutside') && stallsRow(measured),
    !isOwnService && writes !== null && !isBounded(expect, 'medianInSiteMs') && promptRow(measured),
    ...honestRows(expect, measured),
  ]);
}

/** What a service of the user's own takes for an answer is its own affair; of its writes only what is known. */
function honestRows(expect: Expect, measured: Measured): Row[] {
  const { writes, isOwnService } = measured;
  if (writes === null && !isOwnService) return [];
  return honest
    .filter(([of]) => !isBounded(expect, of) && (!isOwnService || figures[of][1](measured) !== null))
    .map(([of, because]) => boundRow({ of, max: 0, because: byDefault(because, of) }, measured));
}

function stallsRow({ stalls: { outsideRestarts } }: Measured): Row {
  return {
    what: figures.stallsOutside[0],
    expected: 'none',
    measured: String(outsideRestarts),
    met: outsideRestarts === 0,
    because: byDefault('where nothing restarts, nothing waits', 'stallsOutside'),
  };
}

/** What a note takes at most when nothing is wrong: the lab's site answers within a few milliseconds. */
const promptMs = 50;

function promptRow({ stalls: { medianInSiteMs } }: Measured): Row {
  const met = medianInSiteMs === null || medianInSiteMs <= promptMs;
  return {
    what: 'time that the site takes for an answer, at the median',
    expected: `at most ${promptMs} ms`,
    measured: medianInSiteMs === null ? 'unknown' : `${medianInSiteMs} ms`,
    met,
    because: byDefault('a site that is slow all the time hides what a restart costs', 'medianInSiteMs'),
    ...(!met && { inShort: `the site is slow: ${medianInSiteMs} ms an answer` }),
  };
}

const ofProbe = new Set<Figure>(['refused-directly', 'directLongestWaitMs']);

type Row = Verdict['expectations'][number];

function droppedRow(dropped: NonNullable<Expect['dropped']>, measured: Measured): Row {
  const common = { what: 'dropped requests', measured: String(measured.dropped), because: dropped.because };
  if ('max' in dropped) {
    const met = measured.dropped <= dropped.max;
    return { ...common, expected: `at most ${dropped.max}`, met, ...certainIf(measured.proven.dropped > dropped.max) };
  }
  const { predicted } = measured;
  if (predicted.dropped === null || predicted.range === null) {
    return { ...common, expected: `within ${dropped.withinPercent} % of a prediction, but there is none`, met: false };
  }
  const share = dropped.withinPercent / 100;
  // The window of a quick service is a few slots wide, and each of its ends falls somewhere between two.
  const slots = measured.isOwnService ? measured.restarts : 0;
  const low = Math.max(0, predicted.range[0] * (1 - share) - slots);
  const high = predicted.range[1] * (1 + share) + slots;
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

function badRestartsRow(bad: NonNullable<Expect['badRestarts']>, measured: Measured): Row {
  const common = {
    what: 'restarts that dropped something',
    measured: `${measured.badRestarts} of ${measured.restarts}`,
    because: bad.because,
  };
  if ('all' in bad) {
    const met = measured.restarts > 0 && measured.badRestarts === measured.restarts;
    return { ...common, expected: 'every one', met };
  }
  const met = measured.restarts > 0 && isWithin(measured.badRestarts, bad);
  return {
    ...common,
    expected: boundText(bad),
    met,
    ...certainIf(measured.proven.badRestarts > (bad.max ?? Infinity)),
  };
}

/** The mark of a row that was missed beyond doubt. */
function certainIf(isCertain: boolean): { certain?: true } {
  return isCertain ? { certain: true } : {};
}

/** Too few restarts miss nothing: they make the run inconclusive. */
function claimRow(claim: NonNullable<Expect['claim']>, { badRestarts, restarts }: Measured): Row {
  const { kind } = answerClaim(claim, badRestarts, restarts);
  return {
    what: 'share of all restarts that are clean',
    expected: `at least ${claim.cleanPercent} %, with 95 %`,
    measured: `${restarts - badRestarts} of ${restarts}${kind === 'too-few' ? ': too few to tell' : ''}`,
    met: kind !== 'refuted',
    ...(kind === 'too-few' && { known: false as const }),
    because: claim.because,
  };
}

type Figure = (typeof boundedFigures)[number];

/** Those that no lateness of generator or machine can raise. */
const beyondLateness: ReadonlySet<Figure> = new Set<Figure>([
  'lost',
  'early',
  'altered',
  'duplicated',
  'misattributed',
  'stale',
  'status-502',
  'status-503',
  'status-404',
  'refused-directly',
]);

/** Words and value of each figure that may be bounded; null where the run does not have it. */
const figures: Record<Figure, readonly [what: string, of: (measured: Measured) => number | null]> = {
  'dropped-GET': ['dropped GETs', ({ byMethod }) => byMethod['GET']?.dropped ?? 0],
  'dropped-POST': ['dropped POSTs', ({ byMethod }) => byMethod['POST']?.dropped ?? 0],
  lost: ['writes lost', ({ writes }) => writes?.lost ?? null],
  early: ['writes acknowledged before they were written', ({ writes }) => writes?.early ?? null],
  altered: ['writes stored with another text', ({ writes }) => writes?.altered ?? null],
  duplicated: ['writes applied twice', ({ writes }) => writes?.duplicated ?? null],
  misattributed: ['writes refused, yet applied', ({ writes }) => writes?.misattributed ?? null],
  busy: ['writes that SQLite refused (SQLITE_BUSY)', ({ writes }) => writes?.busy?.refused ?? null],
  busyShortestWaitMs: ['shortest wait before SQLITE_BUSY, ms', ({ writes }) => writes?.busy?.shortestRefusalMs ?? null],
  busyLongestWaitMs: ['longest wait before SQLITE_BUSY, ms', ({ writes }) => writes?.busy?.longestRefusalMs ?? null],
  longestWaitMs: ['longest wait, ms', ({ longestWaitMs }) => longestWaitMs],
  longestOutageMs: ['longest time in which no process accepted, ms', ({ longestOutageMs }) => longestOutageMs],
  stale: ['stale answers', ({ stale }) => stale],
  'refused-directly': [
    'refused by the site’s own port',
    ({ direct }) => (direct === null ? null : (direct.outcomes['refused'] ?? 0)),
  ],
  directLongestWaitMs: ['longest wait at the site’s own port, ms', ({ direct }) => direct?.longestWaitMs ?? null],
  'status-502': ['502 (Bad Gateway)', ({ outcomes }) => outcomes['status-502'] ?? 0],
  'status-503': ['503 (Service Unavailable)', ({ outcomes }) => outcomes['status-503'] ?? 0],
  'status-404': ['404 (no route)', ({ outcomes }) => outcomes['status-404'] ?? 0],
  stallsOutside: [
    `answers that came more than ${stallAboveMs} ms late, outside of every restart`,
    ({ stalls }) => stalls.outsideRestarts,
  ],
  medianInSiteMs: ['time that the site takes for an answer, at the median, ms', ({ stalls }) => stalls.medianInSiteMs],
  unplannedEnds: ['ends of the site’s process that no deploy asked for', ({ unplanned }) => unplanned.length],
  killedStops: ['restarts in which systemd had to kill the old process', ({ killed }) => killed.length],
  givenUp: ['deploys that were given up', ({ givenUp }) => givenUp.length],
  sitesHurt: ['sites of which requests were dropped', ({ sitesHurt }) => sitesHurt],
  sitesRestarted: ['sites that were restarted', ({ sitesRestarted }) => sitesRestarted],
};

function boundRow(bound: Expect['bounds'][number], measured: Measured): Row {
  const [what, of] = figures[bound.of];
  const value = of(measured);
  return {
    what,
    expected: boundText(bound),
    measured: value === null ? 'not measured' : String(Math.round(value * 1000) / 1000),
    met: value !== null && isWithin(value, bound),
    because: bound.because,
    ...certainIf(beyondLateness.has(bound.of) && value !== null && value > (bound.max ?? Infinity)),
  };
}

type Bound = Pick<Expect['bounds'][number], 'min' | 'max'>;

function boundText({ min, max }: Bound): string {
  if (min === undefined) return `at most ${max ?? '?'}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

function isWithin(value: number, { min, max }: Bound): boolean {
  return value >= (min ?? -Infinity) && value <= (max ?? Infinity);
}

function longestWaitRow(wait: NonNullable<Expect['longestWait']>, measured: Measured): Row {
  const { longestWaitMs } = measured;
  const [limitMs, expected] = longestWaitLimit(wait, measured);
  return {
    what: 'longest wait',
    expected,
    measured: longestWaitMs === null ? 'no ok answer' : `${longestWaitMs.toFixed(0)} ms`,
    met: limitMs !== null && longestWaitMs !== null && longestWaitMs <= limitMs,
    because: wait.because,
  };
}

/** The limit, null where it cannot be known, and its words. */
function longestWaitLimit(
  wait: NonNullable<Expect['longestWait']>,
  { longestOutageMs, longestApartMs = null }: Measured,
): [limitMs: number | null, words: string] {
  if ('maxMs' in wait) return [wait.maxMs, `at most ${wait.maxMs} ms`];
  if (longestOutageMs === null) return [null, 'at most the longest outage window, which was not seen'];
  // What waited is then served, which takes a service of the user's own as long as it takes.
  const limitMs = longestOutageMs * (1 + wait.abovePercentOfOutage / 100) + (longestApartMs ?? 0);
  const served =
    longestApartMs === null ? '' : `, and the ${longestApartMs.toFixed(0)} ms that an answer takes otherwise`;
  return [
    limitMs,
    `at most ${limitMs.toFixed(0)} ms (longest outage window + ${wait.abovePercentOfOutage} %${served})`,
  ];
}
