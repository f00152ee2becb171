import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e17 from '../../../experiments/E17-proxy.ts';
import e3 from '../../../experiments/E3-retry.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { badRow, row, runRecord } from '../testing.ts';
import { suspectsAmong } from './disagreements.ts';
import { joinedAmong, makeNoted } from './joined.ts';
import { answersOf, sharedRun } from '../testing-database.ts';
import {
  accessFieldsOf,
  event,
  eventsOf,
  idOf,
  linesOf,
  originMonotonicUs,
  originWallUs,
  siteLineOf,
  stampOf,
  type AccessFields,
  type FolderContent,
} from '../testing-folder.ts';

/** What a line of the proxy's log has, with its times since the case's zero. */
type Access = AccessFields & { readonly startUs?: number; readonly endUs?: number };
type Site = Partial<Omit<SiteLine, 'receivedUs' | 'answeredUs' | 'bodyCrc32'>> & {
  readonly bodyCrc32?: number | undefined;
  readonly receivedUs?: number;
  readonly answeredUs?: number;
};

/**
 * A request due 70 ms after the case's zero, sent 100 µs later, and done at 72 ms; the proxy had it from 70.3 to 71.3 ms,
 * the site from 70.4 to 71 ms. The logs have what the row has, but where a case says otherwise; null: no line.
 */
interface Case {
  readonly row?: Partial<LedgerRow>;
  readonly access?: Access | null;
  readonly site?: Site | readonly Site[] | null;
  /** Events that no deploy caused. */
  readonly ends?: readonly Pick<TimelineEvent, 'atUs' | 'kind'>[];
  readonly window?: Partial<RestartWindow>;
  /** What is said of it; nothing where all agree. */
  readonly says?: string;
}

const times = ['dueUs', 'sentUs', 'connectedUs', 'firstByteUs', 'doneUs'] as const;

function rowIn({ row: over = {} }: Case, seq: number, zero: number): LedgerRow {
  const own = { sentUs: 70_100, firstByteUs: 71_500, doneUs: 72_000, ...over, dueUs: over.dueUs ?? 70_000 };
  const moved = Object.fromEntries(
    times.flatMap((name) => {
      const value = own[name];
      return value === undefined ? [] : [[name, value === null ? null : value + zero]];
    }),
  );
  return row(seq, { ...over, ...moved, requestId: idOf(seq) });
}

function siteIn(one: LedgerRow, over: Site, zero: number): SiteLine {
  const { receivedUs = 70_400, answeredUs = 71_000, ...rest } = over;
  const at = (us: number): number => originMonotonicUs + zero + us;
  return siteLineOf(one, { receivedUs: at(receivedUs), answeredUs: at(answeredUs), ...(rest as Partial<SiteLine>) });
}

/** Of a hundred a second. */
const seqOf = (index: number): number => index * 100 + 7;

/** What the cases come to, a second apart in one run. */
function contentOf(cases: readonly Case[], over: Partial<FolderContent>): FolderContent {
  const content = linesOf(over);
  const timeline: TimelineEvent[] = [];
  for (const [index, one] of cases.entries()) {
    const zero = index * 1_000_000;
    const own = rowIn(one, seqOf(index), zero);
    content.ledger.push(own);
    if (one.access !== null) {
      const { startUs = 70_300, endUs = startUs + 1_000, ...rest } = one.access ?? {};
      const stamps = { StartUTC: stampOf(zero + startUs), Duration: (endUs - startUs) * 1000 };
      content.access?.push(accessFieldsOf(own, { ...stamps, ...rest }));
    }
    const lines = one.site === null || (one.site === undefined && own.version === null) ? [] : [one.site ?? {}].flat();
    for (const line of lines) content.site?.push(siteIn(own, line, zero));
    for (const { atUs, kind } of one.ends ?? [])
      timeline.push(event(kind, atUs + zero, { source: 'journal', restart: 0 }));
    if (one.window === undefined) continue;
    const seen = eventsOf({ restart: index + 1, ...one.window });
    timeline.push(...seen.map((told) => ({ ...told, atUs: told.atUs + zero })));
  }
  return { ...content, timeline: timeline.sort((a, b) => a.atUs - b.atUs) };
}

/**
 * A run for the cases of several tests.
 * @returns makes a test that holds what is said of its cases against what they say
 */
function runWith(over: Partial<FolderContent> = {}): (title: string, cases: Record<string, Case>) => void {
  const all: Case[] = [];
  const run = sharedRun(() => contentOf(all, over));
  return (title, cases) => {
    const before = all.length;
    all.push(...Object.values(cases));
    it(title, async () => {
      const found = await run().database.all('select seq, what from disagreements');
      const said = Object.keys(cases).map((name, nth) => {
        const index = before + nth;
        const what = found.find((of) => of['seq'] === seqOf(index))?.['what'] as string | undefined;
        const since = what?.replaceAll(/(?<=at )\d+(?= µs)/gu, (us) => String(Number(us) - index * 1_000_000));
        return [name, since?.replaceAll(/ \(line \d+\)/gu, '')];
      });
      expect(Object.fromEntries(said)).toEqual(
        Object.fromEntries(Object.entries(cases).map(([name, { says }]) => [name, says])),
      );
    });
  };
}

const runOf = (file: typeof e1, variant?: string) => runRecord(resolveExperiment(file, { variant, changes: [] }));
/** Bytes of the whole body of `GET /notes/x`. */
const whole = JSON.stringify({ id: 'x', text: `note x ${'.'.repeat(32)}` }).length;
const ownError: Access = { DownstreamStatus: 502, 'origin_X-App-Version': undefined, DownstreamContentSize: 11 };

const itSays = runWith();

describe('a row beside the proxy’s line', () => {
  const gone = { outcome: 'status-502', status: 502, version: null } as const;
  const truncated = { outcome: 'truncated', version: null, bodyCrc32: null } as const;
  itSays('agrees, or not, in what was asked and answered', {
    'as it was': {},
    'another method': { access: { RequestMethod: 'POST' }, says: "the proxy's log has POST /notes/x" },
    'another path': { access: { RequestPath: '/notes/y' }, says: "the proxy's log has GET /notes/y" },
    'another status': { access: { DownstreamStatus: 500 }, says: "200 here, 500 in the proxy's log" },
    'another version': { access: { 'origin_X-App-Version': 'v1' }, says: "version v0 here, v1 in the proxy's log" },
    'no version': { access: { 'origin_X-App-Version': undefined }, says: "version v0 here, none in the proxy's log" },
    'another length': { access: { DownstreamContentSize: 9 }, says: "10 bytes here, 9 in the proxy's log" },
    'no backend': {
      access: { ServiceAddr: undefined },
      says: 'ok, and by the proxy itself; the site has it, and the proxy asked nobody',
    },
    'no backend, and not ok': {
      row: { outcome: 'status-503', status: 503, version: null },
      access: { ServiceAddr: undefined },
    },
    'another version of what is not ok': { row: gone, access: { 'origin_X-App-Version': 'v9' } },
    'the length of what was cut': { row: { ...truncated, bytes: 3 }, access: { DownstreamContentSize: 10 } },
    'the length of none': { row: { outcome: 'timeout', bytes: 3 }, access: { DownstreamStatus: 499 } },
    'the length of what is wrong': {
      row: { outcome: 'wrong', bytes: 3, bodyCrc32: 5 },
      access: { DownstreamContentSize: 10 },
      says: "3 bytes here, 10 in the proxy's log",
    },
    'no line': { access: null },
    'another due time': { row: { dueUs: 69_999 }, says: 'it was not due at 69999 µs' },
  });

  const given = { outcome: 'timeout', status: null } as const;
  const passed = { DownstreamStatus: 499 };
  const never = { outcome: 'refused', status: null, firstByteUs: null, sentUs: null } as const;
  const begun = (us: number): string => `the proxy saw it begin at ${us} µs, which is not while it was under way`;
  itSays('was under way while the client waited, give or take the clocks', {
    // Sent at 70.1 ms, and 5 ms before at the earliest; done at 72 ms, and 50 ms after at the latest.
    'as early as can be': { access: { startUs: 65_100 } },
    'too early': { access: { startUs: 65_099 }, says: begun(65_099) },
    'as late as can be': { row: given, access: { ...passed, startUs: 122_000, endUs: 122_000 } },
    'too late': { row: given, access: { ...passed, startUs: 122_001, endUs: 122_001 }, says: begun(122_001) },
    'from the due time of what was never sent': { row: never, access: { startUs: 65_000, endUs: 122_001 } },
    'too early for that': { row: never, access: { startUs: 64_999, endUs: 122_001 }, says: begun(64_999) },
    // The site read it at 70.4 ms, and answered at 71 ms.
    'had after the site read it': { access: { startUs: 75_400, endUs: 76_400 } },
    'had too long after that': {
      access: { startUs: 75_401, endUs: 76_401 },
      says: 'the site read it at 70400 µs, before the proxy had it',
    },
    'ended before the site answered': { access: { startUs: 65_900, endUs: 66_000 } },
    'ended too long before that': {
      access: { startUs: 65_900, endUs: 65_999 },
      says: 'the proxy ended it at 65999 µs, before the site answered',
    },
    'ended as late as can be': { access: { endUs: 122_000 } },
    'ended too late': {
      access: { endUs: 122_001 },
      says: 'the proxy ended it at 122001 µs, after the client had its answer',
    },
    'ended when no answer was waited for': { row: given, access: { ...passed, endUs: 9_070_300 } },
    // The proxy answered by itself at 71.3 ms.
    'done 100 ms later': { row: { outcome: 'status-502', status: 502, version: null, doneUs: 171_300 } },
    'done later than that': {
      row: { outcome: 'status-502', status: 502, version: null, doneUs: 171_301 },
      says: 'the proxy ended it at 71300 µs, long before the client was done',
    },
  });

  const itSaysWithMovedClock = runWith({ run: { ...runOf(e1), wallOffsetUs: [5, 6] } });
  itSaysWithMovedClock('may be further away by as much as the wall clock moved', {
    moved: { access: { startUs: 75_401, endUs: 76_401 } },
  });

  itSays('cannot have a status that its outcome denies', {
    'an answer that was made a drop': {
      row: { outcome: 'reset', status: 200 },
      says: 'reset of a request that was answered 200',
    },
    'another status': { row: { outcome: 'status-502' }, says: 'status-502 with status 200' },
  });

  const local = { outcome: 'local', status: null, version: null, error: 'limit: x' } as const;
  itSays('cannot be the generator’s own failure where it has no error, or the proxy answered one', {
    'too large for the generator': { row: local },
    'closed by the generator': { row: local, access: { DownstreamStatus: 499 } },
    'without an error': { row: { ...local, error: null }, says: 'local, without an error' },
    'an error of the proxy’s': { row: local, access: ownError, says: 'local here, and answered 502 by the proxy' },
    'the same, read': {
      row: { ...local, status: 502, bytes: 11 },
      access: ownError,
      says: 'local here, and answered 502 by the proxy',
    },
  });

  const closed = { outcome: 'closed', status: null, version: null, doneUs: 200_000 } as const;
  const of = (outcome: LedgerRow['outcome'], access: Access, answered?: number): Case => ({
    row: { outcome, status: null, version: null },
    access,
    ...(answered !== undefined && { says: `${outcome} here, and answered ${answered} by the proxy` }),
  });
  const passedOn: Access = { DownstreamStatus: 200, 'origin_X-App-Version': 'v0', DownstreamContentSize: 200 };
  itSays('cannot have no answer where the proxy gave one', {
    'long before': {
      row: closed,
      access: { DownstreamStatus: 200, 'origin_X-App-Version': 'v0', endUs: 149_999 },
      says: 'closed here, and answered 200 by the proxy',
    },
    'long before, and cut': {
      row: closed,
      access: { ...passedOn, DownstreamStatus: 499, endUs: 149_999 },
      says: 'closed here, and answered 499 by the proxy',
    },
    'at once, and in part': { row: closed, access: { ...passedOn, DownstreamContentSize: 10, endUs: 150_000 } },
    'a deadline, long after': {
      row: { ...closed, outcome: 'timeout' },
      access: passedOn,
      says: 'timeout here, and answered 200 by the proxy',
    },
    // The proxy's own answer is sent in one piece, and so was one that it passed on whole.
    'an error of its own': of('reset', ownError, 502),
    'another of its own': of('reset', { ...ownError, DownstreamStatus: 400 }, 400),
    'to a generator that failed': of('local', passedOn, 200),
    'passed on whole': of('closed', passedOn, 200),
    'to what was refused': {
      ...of('refused', ownError, 502),
      row: { outcome: 'refused', status: null, sentUs: null },
    },
    'as late as can be': of('reset', { ...ownError, endUs: 122_000 }, 502),
    'later than that': of('reset', { ...ownError, endUs: 122_001 }),
    // One that was cut was not; nor what the client had left; nor what both gave up at one moment.
    'passed on in part': of('closed', { ...passedOn, DownstreamContentSize: 10 }),
    'the client had left': of('closed', { ...ownError, DownstreamStatus: 499 }),
    'both gave up': of('timeout', ownError),
    'both gave up connecting': of('connect-timeout', ownError),
    // What a backend answered, whatever it was, the proxy may have passed on in part.
    'an error of the backend’s': of('reset', { ...passedOn, DownstreamStatus: 502, DownstreamContentSize: 10 }),
    'no error, of nobody': of('reset', { ...passedOn, 'origin_X-App-Version': undefined, DownstreamContentSize: 10 }),
  });

  const one: Case = { row: { outcome: 'reset', status: null, version: null }, access: ownError };
  const told = (role: string, action: string) => ({ atWallUs: originWallUs, action, role, detail: '' });
  runWith({ engine: [told('edge', 'die')] })('of a proxy that died may have ended anyhow', { died: one });
  const others = { engine: [told('client', 'die'), told('edge', 'start')] };
  runWith(others)('of a proxy that started, while another container died, may not', {
    started: { ...one, says: 'reset here, and answered 502 by the proxy' },
  });

  // It leaves from 60 to 73 ms, give or take the 50 ms of the stamps.
  const leaving = {
    deployBeginUs: 60_000,
    retireUs: 60_000,
    sigtermUs: 60_000,
    acceptStoppedUs: 65_000,
    exitUs: 73_000,
  };
  const under: Case = { row: closed, access: passedOn };
  runWith({ run: runOf(e17) })('of a proxy that was told to leave may have ended anyhow, and at no other time', {
    'under way as it left': { ...under, window: { ...leaving, acceptingUs: 80_000, readyUs: 90_000 } },
    'under way long before': { ...under, says: 'closed here, and answered 200 by the proxy' },
  });
  itSays('of a proxy that stayed may not, though the site behind it left', {
    'under way as the site left': {
      ...under,
      window: { ...leaving, acceptingUs: 80_000, readyUs: 90_000 },
      says: 'closed here, and answered 200 by the proxy',
    },
  });

  const direct = { run: runOf(e1, 'direct'), access: null };
  runWith(direct)('is not asked for where there is no proxy', { direct: { access: null } });
});

describe('a row beside the site’s line', () => {
  const other = 'the site answered with another body than the one that arrived';
  const process = "the site's log names another process";
  const none = (status: number): string => `the site's log has no answer ${status} to it`;

  const cut = { outcome: 'cut' } as const;
  const bad = { outcome: 'status-502', status: 502 } as const;
  itSays('agrees, or not, in what was asked and answered', {
    'as it was': {},
    'another method': { site: { method: 'POST' }, says: "the site's log has POST /notes/x" },
    'another path': { site: { path: '/notes/y' }, says: "the site's log has GET /notes/y" },
    'another status': { site: { status: 201 }, says: none(200) },
    'it was cut': { site: cut, says: none(200) },
    'another version': { site: { version: 'v1' }, says: process },
    'another instance': { site: { instance: 'j' }, says: process },
    'another body': { site: { bodyCrc32: 7 }, says: other },
    'no body': { site: { bodyCrc32: undefined }, says: other },
    'the body of what was cut': { row: { outcome: 'truncated', bodyCrc32: null } },
    'no line': { site: null, says: none(200) },
    'no line of what is not ok': { row: { ...bad, version: null } },
    'no line of what is not ok, and names the site': {
      row: { ...bad, version: 'v0' },
      access: { 'origin_X-App-Version': 'v0' },
      site: null,
      says: none(502),
    },
    'no line of what names nobody': { row: { version: null }, site: null, says: none(200) },
    'both were cut': { row: { outcome: 'truncated', bodyCrc32: null, version: null }, site: cut },
    'cut before its end': { row: { outcome: 'truncated', bytes: whole - 1, version: null }, site: cut },
    'cut at its end': {
      row: { outcome: 'truncated', bytes: whole, version: null },
      site: cut,
      says: 'truncated with all of the body',
    },
    'of several tries by that of its process': {
      site: [{ version: 'v9', instance: 'other', receivedUs: 70_000 }, {}],
    },
    'beside a try that failed': { site: [{ version: 'v9', instance: 'other', status: 500, receivedUs: 70_000 }, {}] },
  });

  const sentUs = { outcome: 'local', sentUs: null, status: 200, version: 'v0', instance: 'i' } as const;
  const read = (us: number): string => `the site read it at ${us} µs, which is not while it was under way`;
  const reversed = 'the site answered it before it read it';
  itSays('was read after it was sent, and answered before the client had it, give or take a millisecond', {
    'as early as can be': { site: { receivedUs: 69_100 } },
    'too early': { site: { receivedUs: 69_099 }, says: read(69_099) },
    'read as it was answered': { site: { receivedUs: 71_000 } },
    'read after it was answered': { site: { receivedUs: 71_001 }, says: reversed },
    'answered as it was read': { site: { answeredUs: 70_400 } },
    'answered before it was read': { site: { answeredUs: 70_399 }, says: reversed },
    'answered as late as can be': { site: { answeredUs: 73_000 } },
    'answered too late': {
      site: { answeredUs: 73_001 },
      says: 'the site answered at 73001 µs, after the client had its answer',
    },
    'from the due time of what was never sent': {
      row: { ...sentUs, bodyCrc32: 5 },
      access: null,
      site: { receivedUs: 69_000 },
    },
    'too early for that': {
      row: { ...sentUs, bodyCrc32: 5 },
      access: null,
      site: { receivedUs: 68_999 },
      says: read(68_999),
    },
  });

  const write = { method: 'POST', path: '/notes', status: 201 } as const;
  const again: Site = { receivedUs: 70_410 };
  itSays('is there once for each try, and whole once for each write that is tried once', {
    'one try twice': { site: [{}, { status: 500 }], says: "the site's log has one try of it twice" },
    'a second try': { site: [{}, { receivedUs: 70_401 }] },
    'by another process': { site: [{}, { instance: 'j' }] },
    'a write': { row: write },
    'a write, twice': { row: write, site: [{}, again], says: 'the site answered it 2 times' },
    'a write, once cut': { row: write, site: [{ ...again, outcome: 'cut' }, {}] },
    'a write that SQLite refused': {
      row: write,
      site: { store: { waitMs: 1, code: 'SQLITE_BUSY' } },
      says: 'the site answered 201 to what SQLite refused',
    },
  });

  const unavailable: Case = {
    row: { outcome: 'status-503', status: 503, version: null, bytes: 0 },
    access: { ServiceAddr: undefined },
    site: {},
  };
  itSays('is not there where the proxy asked nobody', {
    'it was read': { ...unavailable, says: 'the site has it, and the proxy asked nobody' },
    'it was not': { ...unavailable, site: null },
  });

  runWith({ run: runOf(e3) })('is there again, or from before, where the proxy tries again', {
    'a write': { row: write, site: [{}, again] },
    'asked nobody in the end': unavailable,
  });

  /** Retired at 60 ms, and gone, with its port, at 90 ms. */
  const killed = (over: Partial<RestartWindow>, doneUs: number, isForgiven: boolean): Case => ({
    row: { doneUs },
    site: null,
    window: {
      deployBeginUs: 0,
      retireUs: 60_000,
      sigtermUs: null,
      exitUs: 90_000,
      acceptStoppedUs: 90_000,
      deployEndUs: 200_000,
      acceptingUs: 300_000,
      readyUs: 300_000,
      ...over,
    },
    ...(!isForgiven && { says: none(200) }),
  });
  itSays('need not be there of a process that was killed between its answer and its line', {
    'from its retiring': killed({}, 80_000, true),
    'just then': killed({ retireUs: 80_000 }, 80_000, true),
    'not before': killed({ retireUs: 80_001 }, 80_000, false),
    'to 50 ms after its end': killed({}, 140_000, true),
    'not after that': killed({}, 140_001, false),
    'not where it closed its port itself': killed({ acceptStoppedUs: 89_999 }, 80_000, false),
    'not where it did not end': killed({ exitUs: null, acceptStoppedUs: null }, 80_000, false),
    'from its end where no retiring was seen': killed(
      { retireUs: null, exitUs: 75_000, acceptStoppedUs: 75_000 },
      75_000,
      true,
    ),
    'not before that': killed({ retireUs: null, exitUs: 75_000, acceptStoppedUs: 75_000 }, 74_999, false),
  });

  /** Killed at 100 ms; one that says that it ends has written its lines. */
  const struck = (doneUs: number, isForgiven: boolean, ...said: TimelineEvent['kind'][]): Case => ({
    row: { doneUs },
    site: null,
    ends: [...said, 'main-exited' as const].map((kind) => ({ atUs: 100_000, kind })),
    ...(!isForgiven && { says: none(200) }),
  });
  itSays('need not be there of a process that a stranger killed, give or take 50 ms', {
    'just before': struck(80_000, true),
    'to 50 ms after its end': struck(150_000, true),
    'not after that': struck(150_001, false),
    'not where it said that it ends': struck(80_000, false, 'exit'),
    'where it was only told to end': struck(80_000, true, 'sigterm'),
  });
});

describe('the rows that do not agree', () => {
  it('are listed with their lines, the first fifty, and all that is wrong of each', async () => {
    const ledger = Array.from({ length: 60 }, (_, seq) => row(seq, { requestId: idOf(seq) }));
    const access = ledger.map((one) => accessFieldsOf(one, { RequestMethod: 'POST' }));
    const agreeing = badRow(60, { requestId: idOf(60) });
    const content = linesOf({
      ledger: [...ledger, agreeing],
      access: [...access, accessFieldsOf(agreeing)],
      site: ledger.slice(1).map((one) => siteLineOf(one)),
    });
    const [sums, listed, found, ...parts] = await answersOf(
      content,
      'reconciliation',
      'disagreements',
      `from (${suspectsAmong({})}) order by line`,
      ...[{ to: 20 }, { from: 20, to: 60 }, { from: 60 }].map((of) => `from (${suspectsAmong(of)}) order by line`),
    );
    expect(sums).toMatchObject([{ rows: 61, disagreeing: 60 }]);
    expect(listed).toHaveLength(50);
    expect(listed[49]).toEqual({ seq: 49, what: "the proxy's log has POST /notes/x (line 50)" });
    const both = "the proxy's log has POST /notes/x (line 1); the site's log has no answer 200 to it";
    expect(listed[0]).toEqual({ seq: 0, what: both });
    // A long run is looked at some slots at a time.
    expect(parts.map((rows) => rows.length)).toEqual([20, 40, 0]);
    expect(parts.flat()).toEqual(found);
  });
});

describe('joined.ndjson.gz', () => {
  it('has what was dropped, disagrees, or came more than 500 ms late, with what the witnesses say of it', async () => {
    const own = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow => row(seq, { requestId: idOf(seq), ...over });
    const ledger = [
      own(0),
      badRow(1, { requestId: idOf(1) }),
      own(2),
      own(3, { doneUs: 30_000 + 500_000 }),
      own(4, { doneUs: 40_000 + 500_001 }),
      own(5, { outcome: 'unsent', sentUs: null, status: null, version: null }),
      badRow(110, { requestId: idOf(110), path: '/nötes' }),
    ];
    const said = ledger.filter(({ sentUs }) => sentUs !== null);
    const access = said.map((one) => accessFieldsOf(one, one.seq === 2 ? { RequestMethod: 'POST' } : {}));
    const site = ledger.filter(({ outcome }) => outcome === 'ok').map((one) => siteLineOf(one));
    const [, rows, ...parts] = await answersOf(
      linesOf({ timeline: eventsOf(), ledger, access, site }),
      makeNoted,
      joinedAmong({ from: 1, to: 4 }),
      joinedAmong({ from: 1, to: 1 }),
      joinedAmong({ from: 2, to: 4 }),
    );
    expect(parts.flat()).toEqual(rows);
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 4, 110]);
    expect(rows[0]).toMatchObject({
      restart: 0,
      phase: 'before',
      cause: null,
      proxyStatus: 502,
      accessLine: 2,
      siteLine: null,
    });
    expect(rows[1]).toMatchObject({
      disagreement: "the proxy's log has POST /notes/x (line 3)",
      siteLine: 2,
      tries: 1,
    });
    expect(rows[2]).toMatchObject({ disagreement: null, waitUs: 500_001 });
    expect(rows[3]).toMatchObject({
      seq: 110,
      path: '/nötes',
      outcome: 'status-502',
      restart: 1,
      // Gone at 1.1 s; the next accepts at 1.75 s.
      phase: 'down',
      cause: 'refused or reset: the proxy’s own log does not tell which',
      causeFile: 'witnesses/access.ndjson.gz',
      causeLine: 6,
      accessLine: 6,
    });
  });
});
