/** Small runs made up for tests: a plan, rows and windows with sensible values where a test does not care. */
import type { LedgerRow, Outcome } from '../run/files/ledger.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { ExperimentRun, ServiceRun } from '../run/run-record.ts';
import type { Evidence } from './evidence.ts';
import type { LedgerSummary, RestartCounts } from './ledger-summary.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { Reconciliation, RestartVerdict, SiteVerdict, Verdict, WritesVerdict } from './record/verdict.ts';
import { expectedBodyCrc32 } from '../run/site-requests.ts';

/** A row that is ok after 2 ms. */
export function row(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  const dueUs = over.dueUs ?? seq * 10_000;
  const whole = {
    seq,
    trial: 1,
    dueUs,
    sentUs: dueUs + 100,
    connectedUs: null,
    firstByteUs: dueUs + 1_500,
    doneUs: dueUs + 2_000,
    method: 'GET' as const,
    path: '/notes/x',
    requestId: `run-1-${seq}`,
    connection: 'kept' as const,
    outcome: 'ok' as const,
    status: 200,
    bytes: 10,
    instance: 'i',
    version: 'v0',
    error: null,
    ...over,
  };
  const isAnswer = whole.outcome === 'ok' || whole.outcome === 'wrong' || whole.outcome.startsWith('status-');
  // What an answer held that is not ok is for its test to say.
  const bodyCrc32 = whole.outcome === 'ok' ? expectedBodyCrc32(whole) : isAnswer ? 1 : null;
  return { ...whole, ...(!isAnswer && failed(whole.outcome)), bodyCrc32, ...over };
}

/** What a row has that ended without a whole answer, unless a test says otherwise. */
function failed(outcome: Outcome): Partial<LedgerRow> {
  const answered = outcome === 'truncated' || outcome === 'parse';
  return {
    version: null,
    instance: null,
    error: errors[outcome] ?? null,
    ...(!answered && { status: null, firstByteUs: null }),
  };
}

const errors: Partial<Record<Outcome, string>> = {
  refused: 'ECONNREFUSED, connect',
  'connect-timeout': 'ETIMEDOUT, connect',
  reset: 'ECONNRESET, wait',
  closed: 'FIN, wait',
  truncated: 'FIN, body',
  timeout: 'ETIMEDOUT, wait',
  parse: 'the answer does not begin with HTTP/1.',
  unreachable: 'EHOSTUNREACH, connect',
  local: 'EADDRNOTAVAIL, connect',
  unsent: 'no connection was free in time',
};

/** A row that the proxy answered 502 at once. */
export function badRow(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  return row(seq, { outcome: 'status-502', status: 502, version: null, instance: null, ...over });
}

/** Restart 1, of which everything was seen: SIGTERM at 1 s, closed at 1.05 s, open again at 1.75 s. */
export const window: RestartWindow = {
  restart: 1,
  site: 'demo',
  deploy: 1,
  deployBeginUs: 990_000,
  deployEndUs: 1_200_000,
  siteBeginUs: null,
  retireUs: 990_000,
  sigtermUs: 1_000_000,
  acceptStoppedUs: 1_050_000,
  acceptStoppedLine: 5,
  idleWhenStopped: 0,
  killedUs: null,
  exitUs: 1_100_000,
  socketStoppedUs: null,
  socketStartedUs: null,
  startUs: 1_250_000,
  internalListeningUs: 1_300_000,
  acceptingUs: 1_750_000,
  readyUs: 1_750_100,
  givenUpUs: null,
  rollBackUs: null,
  closedAgain: [],
  steadyUs: null,
  firstAnswerUs: 1_755_000,
};

/** Of seed 1 the first restart begins so long after the lead. */
const drawnMs = 155;

/** The record of a run of `experiment` at 100 a second for 3 s, with one restart, as its seed has it. */
export function runRecord(experiment: Experiment, over: Partial<ExperimentRun> = {}): ExperimentRun {
  const hasRestart = experiment.deploy.action !== 'none';
  const deploy = {
    ...experiment.deploy,
    restarts: 1,
    leadMs: hasRestart ? 990 - drawnMs : 0,
    tailMs: hasRestart ? 3_000 - 990 : 3_000,
  };
  return {
    kind: 'experiment',
    schema: 1,
    runId: '20261123T120000Z-abcd',
    experiment: { ...experiment, deploy, load: { ...experiment.load, ratePerSecond: 100 } },
    variant: null,
    variantAbout: null,
    changes: [],
    seed: 1,
    command: 'npm run experiment E1 -- --seed 1',
    startedAt: '2026-11-23T12:00:00.000Z',
    originMonotonicUs: 1_000_000_000,
    wallOffsetUs: [5, 5],
    deployBeginsMs: hasRestart ? [990] : [],
    witnessLines: {},
    durationMs: 3_000,
    fingerprint: { traefik: '3.7.15', systemd: '252', node: 'v24', kernel: '6' },
    aborted: null,
    unfinished: 0,
    troubles: [],
    ...over,
  };
}

/** The record of a measurement of a service that the user runs, at 100 a second for 3 s, with a command under the load. */
export function serviceRecord(over: Partial<ServiceRun['service']> = {}): ServiceRun {
  return {
    kind: 'measure',
    schema: 1,
    runId: '20261123T120000Z-abcd',
    service: {
      url: 'http://127.0.0.1:8080/',
      address: '127.0.0.1',
      port: 8080,
      tls: null,
      method: 'GET',
      path: '/',
      headers: [],
      bodyBytes: null,
      expectedStatus: null,
      ratePerSecond: 100,
      connections: 'kept',
      timeoutMs: 30_000,
      maxConnections: 100,
      maxHeadBytes: 300 * 1024,
      maxAnswerBytes: 2 ** 30,
      whileCommand: 'systemctl restart site',
      maxDropped: 0,
      maxGapMs: null,
      maxWaitMs: null,
      mustChange: false,
      ...over,
    },
    seed: 1,
    command: 'npm run measure',
    startedAt: '2026-11-23T12:00:00.000Z',
    originMonotonicUs: 1_000_000_000,
    wallOffsetUs: null,
    durationMs: 3_000,
    fingerprint: {},
    aborted: null,
    unfinished: 0,
    troubles: [],
    before: null,
    commandRun: true,
    shell: null,
    listeners: null,
    underWay: null,
    notes: [],
  };
}

/** Writes that never met the database's lock for long. */
export const busy = { refused: 0, shortestRefusalMs: null, longestRefusalMs: null, waits: 0, longestWaitMs: 0.1 };

/** A database that agrees with the ledger. */
export const writes: WritesVerdict = {
  acknowledged: 10,
  failed: 0,
  indeterminate: 0,
  recovered: 0,
  lost: 0,
  duplicated: 0,
  early: 0,
  altered: 0,
  misattributed: 0,
  unexpected: 0,
  examples: { lost: [], early: [], altered: [], duplicated: [], misattributed: [], unexpected: [] },
  integrity: 'ok',
  busy,
};

/** Witnesses that agree in everything. */
export const reconciliation: Reconciliation = {
  rows: 300,
  disagreeing: 0,
  disagreements: [],
  causes: {},
  examples: {},
  unexplained: 0,
  unexplainedRows: [],
};

/** What 300 rows come to that were answered in 2 ms each, but for the drops: each a 502 of its own slot, in restart 1. */
export function ledgerOf(dropped = 0, over: Partial<LedgerSummary> = {}): LedgerSummary {
  const ok = 300 - dropped;
  const outcomes: Record<string, number> = dropped === 0 ? { ok } : { ok, 'status-502': dropped };
  const all = { due: 300, sent: 300, dropped, outcomes };
  return {
    all,
    byMethod: { GET: all },
    byConnection: { kept: all },
    byKind: { 'GET kept': all },
    // Due from 0.99 s to 1.76 s.
    atRisk: { due: 77, dropped, byMethod: { GET: { due: 77, dropped } } },
    droppedIfLate: 0,
    failureKinds: dropped === 0 ? {} : { 'refused to serve': dropped },
    withoutLength: 0,
    tlsError: null,
    resendable: 0,
    perRestart: [restartCounts(dropped)],
    missingSlots: 0,
    repeatedSlots: 0,
    silenceUs: dropped * 10_000,
    isGoneAtEnd: false,
    affectedUs: dropped === 0 ? null : (dropped - 1) * 10_000,
    longestWaitUs: 2_000,
    lag: { p50Us: 100, p99Us: 100, maxUs: 100 },
    achievedRate: 100,
    ...over,
  };
}

/** What restart 1 did to that load. */
export function restartCounts(dropped = 0, over: Partial<RestartCounts> = {}): RestartCounts {
  return {
    dueInOutage: 70,
    dropped,
    droppedIfLate: 0,
    droppedByKind: dropped === 0 ? {} : { 'GET kept': dropped },
    inFlightAtSigterm: 0,
    longestWaitUs: 2_000,
    latestUs: 100,
    longestQueue: null,
    ...over,
  };
}

/** A proxy's log that agrees with that ledger. */
export const proxy: NonNullable<Verdict['witnesses']['proxy']> = {
  arrived: 300,
  ledgerSent: 300,
  missing: 0,
  extra: 0,
  repeated: 0,
  disagreeing: 0,
};

/** Evidence beside the ledger in which nothing is wrong. */
export const evidence = {
  sites: null,
  requests: null,
  illRequests: [],
  addresses: [],
  stale: 0,
  holds: null,
  dropWindows: [],
  hasChanged: null,
  unchangedRestarts: [],
  isNotBack: false,
  waits: {
    stalls: { aboveMs: 500, count: 0, byPlace: {}, outsideRestarts: 0, outsideRows: [], medianInSiteMs: 1 },
    transit: { aboveMs: 100, longestMs: 4, slow: 0, firstSlowRow: null },
  },
  controls: [],
  calibration: null,
  witnessDoubts: [],
  unplanned: [],
  engine: [],
  writes,
  reconciliation,
  proxyTries: { answers: 0, retries: 0, failedTries: 0 },
  kernel: {},
  hashes: { experiment: 'e'.repeat(64), ledger: 'f'.repeat(64) },
} satisfies Partial<Evidence>;

/** A direct probe of which nothing was refused. */
export const direct: NonNullable<Verdict['direct']> = {
  ratePerSecond: 20,
  due: 60,
  dropped: 0,
  outcomes: { ok: 60 },
  longestWaitMs: 3,
};

/** A restart that dropped nothing, of which no event was seen. */
export function restartVerdict(over: Partial<RestartVerdict> = {}): RestartVerdict {
  return {
    restart: 1,
    deployBeginUs: 0,
    sigtermUs: null,
    acceptStoppedUs: null,
    acceptingUs: null,
    readyUs: null,
    outageMs: null,
    outageEnded: true,
    dueInOutage: 0,
    droppedInRestart: 0,
    droppedByKind: {},
    inFlightAtSigterm: 0,
    longestWaitMs: null,
    voided: false,
    predictedDropped: null,
    expectedQueue: null,
    longestQueue: null,
    ...over,
  };
}

/** One of several sites that was restarted three times, and dropped nothing. */
export function siteVerdict(site: string, over: Partial<SiteVerdict> = {}): SiteVerdict {
  return {
    site,
    due: 100,
    sent: 100,
    dropped: 0,
    outcomes: { ok: 100 },
    byMethod: {},
    atRisk: { due: 30, dropped: 0 },
    restarts: 3,
    badRestarts: 0,
    badRestartsUpper95: null,
    gapMs: 15,
    longestWaitMs: 10,
    longestOutageMs: 700,
    predicted: { dropped: 0, formula: '0' },
    writes: {
      acknowledged: 10,
      failed: 0,
      indeterminate: 0,
      lost: 0,
      early: 0,
      misattributed: 0,
      duplicated: 0,
      unexpected: 0,
    },
    ...over,
  };
}

/** A verdict that passed, of eight clean restarts, with what a test is about in place. */
export function verdictOfTest(over: Partial<Verdict>): Verdict {
  return {
    schema: 1,
    experiment: 'E5',
    variant: null,
    runId: '20261123T120000Z-abcd',
    verdict: 'pass',
    headline: 'nothing dropped',
    reasons: [],
    notes: [],
    due: 300,
    sent: 300,
    outcomes: { ok: 300 },
    byMethod: {},
    byConnection: {},
    byKind: {},
    dropped: 0,
    provenDropped: 0,
    failureKinds: {},
    withoutLength: 0,
    droppedOutsideRestarts: 0,
    retryingClient: { resent: 0, droppedAtBest: 0 },
    atRisk: { due: 100, dropped: 0, ratePercent: 0, byMethod: {} },
    stale: 0,
    writes,
    direct,
    reconciliation,
    unexplained: 0,
    dropWindows: [],
    proxyTries: evidence.proxyTries,
    ...evidence.waits,
    controls: [],
    calibration: null,
    restarts: 8,
    voidRestarts: 0,
    badRestarts: 0,
    badRestartsUpper95: null,
    badRestartsInterval95: null,
    dropRateInterval95: null,
    gapMs: 5,
    affectedMs: null,
    longestWaitMs: 10,
    longestOutageMs: 700,
    somaxconn: 4_096,
    power: { smallestWindowMs: 1, restartsFor99Percent: 299, restartsFor999Permille: 2_995 },
    perRestart: [],
    schedule: {
      ratePerSecond: 100,
      lagP50Ms: 0.1,
      lagP99Ms: 1,
      lagMaxMs: 2,
      achievedRate: 100,
      unsent: 0,
      local: 0,
    },
    predicted: { dropped: 0, range: [0, 0], formula: '0', differencePercent: null },
    expectations: [],
    witnesses: { proxy: null, kernel: {} },
    hashes: evidence.hashes,
    citation: '',
    ...over,
  };
}
