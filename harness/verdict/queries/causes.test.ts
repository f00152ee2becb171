import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e17 from '../../../experiments/E17-proxy.ts';
import e6 from '../../../experiments/E6-blue-green.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { badRow, runRecord } from '../testing.ts';
import { answersOf, sharedRun } from '../testing-database.ts';
import { queries } from './all.ts';
import {
  accessFieldsOf,
  event,
  eventsOf,
  idOf,
  linesOf,
  originWallUs,
  siteLineOf,
  stampOf,
  type AccessFields,
  type FolderContent,
} from '../testing-folder.ts';

type Failure = 'refused' | 'reset' | 'timeout' | 'cancelled' | 'other';
const words: Readonly<Record<Failure, string>> = {
  refused: 'dial tcp 127.0.0.1:18080: connect: connection refused',
  reset: 'EOF',
  timeout: 'i/o timeout',
  cancelled: 'context canceled',
  other: 'no such thing',
};

/** A drop, and what the witnesses say of it; times count from the case's own zero. */
interface Case {
  /** When it was due, sent and done. */
  readonly life?: readonly [fromUs: number, toUs: number];
  readonly row?: Partial<LedgerRow>;
  /** What the proxy's access log has; null for nothing. It had the request as long as the client. */
  readonly access?: AccessFields | null;
  readonly proxyLife?: readonly [fromUs: number, toUs: number];
  readonly site?: readonly Partial<SiteLine>[];
  readonly tries?: readonly (readonly [atUs: number, failure: Failure])[];
  /** Of its restart; null for none. */
  readonly window?: Partial<RestartWindow> | null;
  readonly events?: readonly TimelineEvent[];
  /** The cause that is found; null for none. */
  readonly cause: string | null;
  /** Why the proxy's last try failed. */
  readonly failure?: string | null;
  /** Where it stands: the line among those of its test. */
  readonly file?: string;
  readonly line?: number;
}

const farApartUs = 100_000_000;

/** What the cases come to in one run, each with a restart of its own, far from all others. */
function contentOf(cases: readonly Case[], run: RunRecord): FolderContent {
  const content = linesOf({ run: { ...run, durationMs: ((cases.length + 1) * farApartUs) / 1000 } });
  const timeline: TimelineEvent[] = [];
  const proxyLog: { atUs: number; text: string }[] = [];
  for (const [index, one] of cases.entries()) {
    const zero = index * farApartUs;
    const [fromUs, toUs] = one.life ?? [1_400_000, 1_400_000];
    const row = badRow(index, {
      dueUs: zero + fromUs,
      sentUs: zero + fromUs,
      doneUs: zero + toUs,
      firstByteUs: zero + toUs,
      requestId: idOf(index),
      ...one.row,
    });
    content.ledger.push(row);
    const [beginUs, endUs] = one.proxyLife ?? [fromUs, toUs];
    const stamps = { StartUTC: stampOf(zero + beginUs), Duration: (endUs - beginUs) * 1000 };
    if (one.access !== null)
      content.access?.push(accessFieldsOf(row, { DownstreamContentSize: 0, ...stamps, ...one.access }));
    for (const over of one.site ?? []) content.site?.push(siteLineOf(row, over));
    for (const [atUs, failure] of one.tries ?? []) {
      const said = { level: 'debug', error: words[failure], message: '502 Bad Gateway' };
      proxyLog.push({ atUs: zero + atUs, text: JSON.stringify(said) });
    }
    timeline.push(...eventsIn(one).map((seen) => ({ ...seen, atUs: seen.atUs + zero, restart: index + 1 })));
  }
  proxyLog.sort((a, b) => a.atUs - b.atUs);
  return {
    ...content,
    timeline: timeline.sort((a, b) => a.atUs - b.atUs),
    proxyLog: proxyLog.map(({ atUs, text }) => `${stampOf(atUs)} ${text}`),
  };
}

function eventsIn({ window, events = [] }: Case): readonly TimelineEvent[] {
  return [...(window === null ? [] : eventsOf(window ?? {})), ...events];
}

/** How many lines these cases have in each file. */
function linesIn(cases: readonly Case[]): Record<string, number> {
  const sum = (linesOfOne: (one: Case) => number): number => cases.reduce((all, one) => all + linesOfOne(one), 0);
  return {
    'witnesses/access.ndjson.gz': sum(({ access }) => (access === null ? 0 : 1)),
    'witnesses/site-requests.ndjson.gz': sum(({ site = [] }) => site.length),
    'witnesses/traefik.log.gz': sum(({ tries = [] }) => tries.length),
    'timeline.ndjson': sum((one) => eventsIn(one).length),
  };
}

/**
 * A run for the cases of several tests.
 * @returns makes a test that holds the causes that are found against those of its cases, and their lines
 */
function runWith(run: RunRecord): (title: string, cases: Record<string, Case>) => void {
  const all: Case[] = [];
  const shared = sharedRun(() => contentOf(all, run));
  return (title, cases) => {
    const from = all.length;
    const before = linesIn(all);
    all.push(...Object.values(cases));
    it(title, async () => {
      const found = await shared().database.all('select seq, cause, file, witnessLine, failure from causes');
      const told = Object.keys(cases).map((name, nth) => [name, found.find((of) => of['seq'] === from + nth)] as const);
      expect(Object.fromEntries(told.map(([name, of]) => [name, of?.['cause'] ?? null]))).toEqual(
        Object.fromEntries(Object.entries(cases).map(([name, { cause }]) => [name, cause])),
      );
      for (const [name, of] of told) {
        const { file, line = 0, failure } = cases[name] ?? {};
        if (file !== undefined) expect(of, name).toMatchObject({ file, witnessLine: (before[file] ?? 0) + line });
        if (failure !== undefined) expect(of, name).toMatchObject({ failure });
      }
    });
  };
}
const explains = runWith(runRecord(resolveExperiment(e1, { changes: [] })));

const refused = 'refused: nobody listened at the backend’s port';
const reset = 'reset: the backend’s connection ended before the answer';
const timeout = 'timeout: the backend took no connection, or gave no answer, in time';
const either = 'refused or reset: the proxy’s own log does not tell which';

/** A 502 of the proxy's whose whole life is one moment, at which its own log has a failure of this kind. */
const gateway = (atUs: number, failure: Failure, cause: string | null, window: Case['window'] = {}): Case => ({
  life: [atUs, atUs],
  tries: [[atUs, failure]],
  window,
  cause,
});

describe('a 502 of the proxy', () => {
  // The port is closed from 1.05 to 1.75 s, the old process leaves from 0.99 to 1.1 s; stamps may differ by 50 ms.
  const swap = {
    sigtermUs: null,
    retireUs: 2_000_000,
    acceptingUs: 1_500_000,
    acceptStoppedUs: 2_000_000,
    exitUs: 2_000_000,
  };
  const leaving = (over: Partial<RestartWindow>): Partial<RestartWindow> => ({
    retireUs: 2_000_000,
    sigtermUs: null,
    deployEndUs: 4_000_000,
    acceptStoppedUs: 3_000_000,
    acceptingUs: 3_000_000,
    readyUs: 3_000_000,
    ...over,
  });

  explains('is explained by the line of the proxy’s own log, while the port was closed or its process was leaving', {
    'it was refused': gateway(1_400_000, 'refused', refused),
    'it was reset': gateway(1_400_000, 'reset', reset),
    'it took too long': gateway(1_400_000, 'timeout', timeout),
    'its client had gone': gateway(1_400_000, 'cancelled', null),
    'words that nobody knows': gateway(1_400_000, 'other', null),
    'without a line': { cause: either, file: 'witnesses/access.ndjson.gz', line: 6 },
    'refused before the port closed': gateway(999_999, 'refused', null),
    'refused as the port closed': gateway(1_000_000, 'refused', refused),
    'refused as the port opened': gateway(1_800_000, 'refused', refused),
    'refused after the port opened': gateway(1_800_001, 'refused', null),
    'reset before it was retired': gateway(939_999, 'reset', null),
    'reset as it was retired': gateway(940_000, 'reset', reset),
    'reset after the port opened': gateway(1_800_001, 'reset', null),
    'its life met the outage': {
      ...gateway(1_010_000, 'refused', refused),
      life: [1_010_000, 1_010_000],
      proxyLife: [400_000, 1_010_000],
    },
    'its life did not': { ...gateway(999_999, 'refused', null), proxyLife: [400_000, 999_999] },
    'the outage was not seen': gateway(1_400_000, 'refused', null, {
      retireUs: null,
      acceptStoppedUs: null,
      exitUs: null,
    }),
    'an outage of no length': gateway(2_050_000, 'refused', refused, { ...swap, acceptingUs: 2_000_000 }),
    'after an outage of no length': gateway(2_050_001, 'refused', null, { ...swap, acceptingUs: 2_000_000 }),
    // A process that is leaving, far from any closed port: it opened again at once, at 3 s.
    'as it was leaving': gateway(2_550_000, 'reset', reset, leaving({ exitUs: 2_500_000 })),
    'before it was leaving': gateway(1_949_999, 'reset', null, leaving({ exitUs: 2_500_000 })),
    'after it had left': gateway(2_550_001, 'reset', null, leaving({ exitUs: 2_500_000 })),
    'no retiring was seen': gateway(2_949_999, 'reset', null, leaving({ retireUs: null, exitUs: 3_500_000 })),
    'no retiring was seen, and it was leaving': gateway(
      3_550_000,
      'reset',
      reset,
      leaving({ retireUs: null, exitUs: 3_500_000 }),
    ),
    'no end was seen': gateway(2_900_000, 'reset', reset, leaving({ exitUs: null })),
    'no end was seen, and the port had closed': gateway(3_050_001, 'reset', null, leaving({ exitUs: null })),
    'its retiring alone was seen': gateway(2_050_000, 'reset', reset, {
      sigtermUs: null,
      retireUs: 2_000_000,
      acceptStoppedUs: null,
      exitUs: null,
    }),
    'after its retiring alone': gateway(2_050_001, 'reset', null, {
      sigtermUs: null,
      retireUs: 2_000_000,
      acceptStoppedUs: null,
      exitUs: null,
    }),
  });

  // The error comes just before the answer, at 1.4 s, and is stamped up to 50 ms later.
  const end = 1_400_000;
  const tried = (failure: string | null, ...tries: [number, Failure][]): Case => ({
    life: [end, end],
    tries,
    cause: failure === 'refused' ? refused : failure === 'timeout' ? timeout : either,
    failure,
  });
  explains('is explained by the failed try nearest to its end, if no other kind is as near', {
    'too early': tried(null, [end - 5_001, 'refused']),
    'just before': tried('refused', [end - 5_000, 'refused']),
    'long after': tried('refused', [end + 50_000, 'refused']),
    'too late': tried(null, [end + 50_001, 'refused']),
    'the nearest of several': {
      ...tried('refused', [end - 4_000, 'timeout'], [end + 1_000, 'refused'], [end + 20_000, 'reset']),
      // Behind the four above, the second of its own.
      file: 'witnesses/traefik.log.gz',
      line: 6,
    },
    'the earlier of two as near': tried('timeout', [end - 4_000, 'timeout'], [end + 4_000, 'refused']),
    'another kind within 2 ms': tried('refused or reset', [end, 'refused'], [end + 2_000, 'reset']),
    'another kind 2 ms before': tried('refused or reset', [end - 2_000, 'reset'], [end, 'refused']),
    'another kind beyond that': tried('refused', [end, 'refused'], [end + 2_001, 'reset']),
    'its own kind within 2 ms': tried('refused', [end, 'refused'], [end + 2_000, 'refused']),
  });

  const bytes = JSON.stringify({ id: 'x', text: `note x ${'.'.repeat(32)}` }).length;
  const passed = (over: AccessFields, cause: string | null): Case => ({
    ...gateway(1_400_000, 'reset', cause),
    access: over,
  });
  explains('has no cause where the proxy passed on all of the site’s answer, whatever else failed then', {
    whole: passed({ DownstreamStatus: 200, 'origin_X-App-Version': 'v0', DownstreamContentSize: bytes }, null),
    'one byte less': passed(
      { DownstreamStatus: 200, 'origin_X-App-Version': 'v0', DownstreamContentSize: bytes - 1 },
      reset,
    ),
    'of its own': passed({ DownstreamContentSize: bytes }, reset),
  });

  const run = runRecord(resolveExperiment(e6, { changes: [['proxy.check.intervalMs', 100]] }));
  runWith(run)('in a swap is explained until the check has had two intervals to see that the old port is closed', {
    before: gateway(1_949_999, 'refused', null, swap),
    'as it closes': gateway(1_950_000, 'refused', refused, swap),
    'two intervals later': gateway(2_250_000, 'refused', refused, swap),
    'after that': gateway(2_250_001, 'refused', null, swap),
  });

  // The process ended by itself at 2 s, and another accepted at 2.3 s; the restart came later.
  const byItself = (atUs: number, cause: string | null): Case => ({
    ...gateway(atUs, 'refused', cause, null),
    events: [event('main-exited', 2_000_000), event('accepting', 2_300_000)],
  });
  explains('is explained by an end that nobody asked for, too', {
    before: byItself(1_949_999, null),
    'as it ended': byItself(1_950_000, refused),
    'as the next accepted': byItself(2_350_000, refused),
    after: byItself(2_350_001, null),
  });
});

describe('an answer for which the proxy asked no backend', () => {
  const unasked = (status: number, atUs: number, cause: string | null): Case => ({
    life: [atUs, atUs + 1_000],
    row: { outcome: `status-${status}`, status },
    access: { ServiceAddr: undefined, DownstreamStatus: status },
    cause,
  });

  explains('of 404 had no route; of any other status but 503 it has no cause, even within a restart', {
    404: { ...unasked(404, 20_000, 'the proxy had no route'), file: 'witnesses/access.ndjson.gz', line: 1 },
    502: unasked(502, 1_400_000, null),
    500: unasked(500, 1_400_000, null),
    503: unasked(503, 1_400_000, null),
  });

  it('of 503 is explained by the check: as long as no backend was up, or one was just found down', async () => {
    const check = (atUs: number, server: string, to: string): string =>
      `${stampOf(atUs)} ${JSON.stringify({ serviceName: 'demo@file', message: `Setting status of http://${server} to ${to}` })}`;
    const times: Record<string, [atUs: number, cause: string | null, line: number | null]> = {
      // Blue alone is down from 1 s to 2 s, give or take 50 ms; each request takes a millisecond.
      before: [948_999, null, null],
      'just before': [949_000, 'the proxy’s check held no backend to be up', 1],
      amidst: [1_500_000, 'the proxy’s check held no backend to be up', 1],
      'just after': [2_050_000, 'the proxy’s check held no backend to be up', 1],
      after: [2_070_001, null, null],
      // Green, which comes up at 5 s, is up when blue goes down at 6 s: one tick is 10 ms.
      'before it was chosen': [5_988_999, null, null],
      'chosen as it went': [5_989_000, 'the proxy had chosen a backend that its check was just finding down', 3],
      'chosen just after': [6_010_000, 'the proxy had chosen a backend that its check was just finding down', 3],
      'after it was chosen': [6_010_001, null, null],
    };
    const ledger = Object.values(times).map(([atUs], seq) =>
      badRow(seq, {
        dueUs: atUs,
        sentUs: atUs,
        doneUs: atUs + 1_000,
        outcome: 'status-503',
        status: 503,
        requestId: idOf(seq),
      }),
    );
    const access = ledger.map((row) =>
      accessFieldsOf(row, { ServiceAddr: undefined, StartUTC: stampOf(row.sentUs ?? 0), Duration: 1_000_000 }),
    );
    const blue = linesOf({
      ledger,
      access,
      proxyLog: [check(1_000_000, 'blue', 'DOWN'), check(2_000_000, 'blue', 'UP')],
    });
    const [alone] = await answersOf(blue, 'select seq, cause, file, witnessLine from causes order by seq');
    const names = Object.keys(times);
    const expected = (from: number, to: number) =>
      Object.values(times)
        .map(([, cause, line], seq) => ({ seq, cause, file: 'witnesses/traefik.log.gz', witnessLine: line }))
        .slice(from, to)
        .filter(({ cause }) => cause !== null);
    expect(alone).toEqual(expected(0, names.indexOf('before it was chosen')));
    const two = [check(3_000_000, 'green', 'DOWN'), check(5_000_000, 'green', 'UP'), check(6_000_000, 'blue', 'DOWN')];
    const [beside] = await answersOf(
      { ...blue, proxyLog: two },
      'select seq, cause, file, witnessLine from causes order by seq',
    );
    expect(beside).toEqual(expected(names.indexOf('before it was chosen'), names.length));
  });
});

describe('what the site itself says', () => {
  const file = 'witnesses/site-requests.ndjson.gz';
  const own = (
    cause: string | null,
    line: number | null,
    row: Partial<LedgerRow>,
    ...site: Partial<SiteLine>[]
  ): Case => ({
    life: [20_000, 20_000],
    row: { outcome: 'status-503', status: 503, version: 'v0', ...row },
    access: null,
    site: site.map((over) => ({ status: 503, version: 'v0', ...over })),
    cause,
    ...(line !== null && { file, line }),
  });
  const cut = (cause: string | null, atUs: number, status: number | null, over: Partial<Case> = {}): Case => ({
    life: [atUs, atUs],
    row: { outcome: 'truncated', status: null },
    access: null,
    site: [{ status, outcome: 'cut' }],
    cause,
    ...over,
  });
  const answered = 'the site itself answered 503';
  const ended = 'the site’s process ended with the request under way';
  const broken = 'the site broke off its answer';

  explains('explains a drop by its line', {
    'its answer': own(answered, 1, {}, {}),
    'SQLite was content': own(answered, 2, {}, { store: { waitMs: 1, code: 'OK' } }),
    'SQLite’s word': own(`${answered} (SQLITE_BUSY)`, 3, {}, { store: { waitMs: 1, code: 'SQLITE_BUSY' } }),
    'another body': own(
      'the site answered with another body than was asked for',
      4,
      { outcome: 'wrong', status: 200 },
      { status: 200 },
    ),
    'the answer names no site': own(null, null, { version: null }, {}),
    'another status': own(null, null, {}, { status: 200 }),
    'no status': own(null, null, { outcome: 'reset', status: null }, { status: null }),
    'the second line': own(answered, 9, {}, { status: 200 }, {}),
    'an answer that was cut': own(broken, 10, {}, { outcome: 'cut' }),
    'cut as its process ended': cut(ended, 1_400_000, null, { file, line: 11 }),
    'cut while leaving': cut(ended, 1_000_000, null, { window: { acceptStoppedUs: 1_090_000 } }),
    'cut outside of every restart': cut(broken, 20_000, 200),
    'cut before it was answered': cut(null, 20_000, null),
    'sent after the restart': cut(null, 1_900_000, null, { life: [1_900_000, 3_000_000] }),
    'sent within the restart': cut(ended, 1_700_000, null, { life: [1_700_000, 3_000_000] }),
    'never sent, and due before it': cut(ended, 20_000, null, {
      life: [20_000, 3_000_000],
      row: { outcome: 'truncated', status: null, sentUs: null },
    }),
  });
});

describe('a request of which the proxy knows nothing', () => {
  const lostAt = async (
    engine: readonly (readonly [role: string, action: string, atUs: number])[],
    answeredUs: number | null,
    ...times: number[]
  ) => {
    const ledger = times.map((atUs, seq) =>
      badRow(seq, { dueUs: atUs, sentUs: atUs, doneUs: atUs, outcome: 'refused', status: null, requestId: idOf(seq) }),
    );
    const other = { 'request_X-Request-Id': 'another', StartUTC: stampOf(answeredUs ?? 0), Duration: 0 };
    const content = linesOf({
      ledger,
      timeline: eventsOf(),
      access: answeredUs === null ? [] : [accessFieldsOf(badRow(9), other)],
      engine: engine.map(([role, action, atUs]) => ({ role, action, atWallUs: originWallUs + atUs, detail: '' })),
    });
    const [found] = await answersOf(content, 'select seq, cause, file, witnessLine from causes order by seq');
    return found;
  };
  const cause = { cause: 'the proxy’s container had ended', file: 'witnesses/engine.ndjson' };

  it('is explained by the end of the proxy’s container, from a second before the engine tells of it', async () => {
    const engine = [
      ['server', 'die', 10],
      ['edge', 'kill', 20],
      ['edge', 'die', 1_500_000],
    ] as const;
    expect(await lostAt(engine, null, 499_999, 500_000, 1_600_000)).toEqual([
      { seq: 1, ...cause, witnessLine: 3 },
      { seq: 2, ...cause, witnessLine: 3 },
    ]);
  });

  it('is not explained by an end before which the proxy still answered somebody else', async () => {
    // It answered for the last time at 1.05 s, give or take 50 ms.
    expect(await lostAt([['edge', 'die', 1_500_000]], 1_050_000, 999_999, 1_000_000)).toEqual([
      { seq: 1, ...cause, witnessLine: 1 },
    ]);
  });

  it('is explained by nothing else, not even by a restart', async () => {
    expect(
      await lostAt(
        [
          ['client', 'die', 0],
          ['edge', 'start', 0],
        ],
        null,
        1_400_000,
      ),
    ).toEqual([]);
  });
});

describe('without a proxy', () => {
  const of = (fromUs: number, toUs: number, isExplained: boolean, row: Partial<LedgerRow> = {}): Case => ({
    life: [fromUs, toUs],
    row: { outcome: 'refused', status: null, ...row },
    access: null,
    cause: isExplained ? 'the site’s port was closed, or its process was leaving' : null,
  });
  const run = runRecord(resolveExperiment(e1, { variant: 'direct', changes: [] }));
  runWith(run)('a drop is explained by the event that closed the port, or made the process leave', {
    'in the outage': { ...of(1_400_000, 1_400_000, true), file: 'timeline.ndjson', line: 4 },
    // Each restart has eight lines, of which the fourth closes the port.
    'in the second outage': { ...of(1_200_000, 1_200_000, true), file: 'timeline.ndjson', line: 12 },
    'as it was retired': of(945_000, 945_000, true),
    before: of(939_999, 939_999, false),
    after: of(1_800_001, 1_800_001, false),
    'sent after it': of(2_000_000, 3_000_000, false),
    'due within it, and never sent': of(1_500_000, 3_000_000, true, { sentUs: null }),
  });
});

describe('a restart of the proxy itself', () => {
  const run = runRecord(resolveExperiment(e17, { changes: [] }));
  const file = 'timeline.ndjson';
  const closed = 'refused: nobody listened at the proxy’s port';
  const ended = 'the proxy ended with the request under way';
  const early = 'the proxy accepted before it had its routes';
  const of = (life: readonly [number, number], outcome: LedgerRow['outcome'], cause: string | null): Case => ({
    life,
    row: { outcome, status: null },
    access: null,
    // It leaves from 0.99 to 1.1 s, its port is closed from 1.05 to 1.75 s, and it has its routes at 1.9 s.
    window: { readyUs: 1_900_000 },
    cause,
  });
  const noRoute = (atUs: number, cause: string | null, over: Partial<Case> = {}): Case => ({
    ...of([atUs, atUs], 'status-404', cause),
    row: { outcome: 'status-404', status: 404 },
    ...over,
  });

  runWith(run)('explains what met nobody at its port, what it left unanswered, and what came before its routes', {
    'refused while nobody listened': { ...of([1_400_000, 1_400_000], 'refused', closed), file, line: 4 },
    'refused before it left': of([939_999, 939_999], 'refused', null),
    'refused after it accepted again': of([1_800_001, 1_800_001], 'refused', null),
    'closed in mid-request as it left': { ...of([700_000, 1_060_000], 'closed', ended), file, line: 28 },
    'reset as it left': of([1_000_000, 1_060_000], 'reset', ended),
    'closed long after it': of([2_500_000, 2_600_000], 'closed', null),
    'no route, and none yet': { ...noRoute(1_800_000, early), file, line: 56 },
    'no route, within the stamps’ tolerance': noRoute(1_949_999, early),
    'no route, after they were made': noRoute(1_960_000, null),
    'no route, before it accepted': noRoute(1_690_000, null),
    'no route, and it had started': noRoute(1_690_000, early, { events: [event('start', 1_700_000)] }),
    'no route, with a line of the proxy': noRoute(1_800_000, 'the proxy had no route', {
      access: { ServiceAddr: undefined, DownstreamStatus: 404 },
    }),
    'no route, and the site’s own answer': noRoute(1_800_000, null, {
      row: { outcome: 'status-404', status: 404, version: 'v0' },
    }),
  });
});

describe('a port that never opened again', () => {
  // The last of all, since nothing ends it.
  explains('explains a 502 to the end of the load', {
    refused: gateway(60_000_000, 'refused', refused, { acceptingUs: null }),
  });
});

describe('the sums', () => {
  it('count drops by cause, each with its first row, and those without one', async () => {
    const timedOut = { outcome: 'timeout', status: null } as const;
    const direct = runRecord(resolveExperiment(e1, { variant: 'direct', changes: [] }));
    const many = Array.from({ length: 60 }, (_, index) => badRow(190 + index, timedOut));
    const unsent = badRow(113, { outcome: 'unsent', sentUs: null });
    const ledger = [badRow(111, timedOut), badRow(112, timedOut), unsent, ...many];
    const content = linesOf({ run: direct, timeline: eventsOf(), ledger, access: null });
    const [sums, causes, unexplained] = await answersOf(content, 'reconciliation', queries.causes.sql, 'unexplained');
    expect(sums).toMatchObject([{ rows: 63, unexplained: 60 }]);
    const cause = 'the site’s port was closed, or its process was leaving';
    expect(causes).toEqual([
      { cause, dropped: 2, example: { seq: 111, file: 'timeline.ndjson', line: 4 }, said: null },
    ]);
    expect(unexplained.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, index) => 190 + index));
  });
});
