import { describe, expect, it } from 'vitest';
import { proxyMoments } from '../../run/timeline/proxy-moments.ts';
import { openDatabase, type Row } from '../../run/database.ts';
import e17 from '../../../experiments/E17-proxy.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { badRow, row, runRecord } from '../testing.ts';
import { answersOf } from '../testing-database.ts';
import { accessFieldsOf, eventsOf, idOf, linesOf, stampOf, writeFolder, type AccessFields } from '../testing-folder.ts';

const ok = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow => row(seq, { requestId: idOf(seq), ...over });
const line = (seq: number, over: AccessFields = {}): AccessFields => accessFieldsOf(ok(seq), over);

async function witnessOf(access: AccessFields[], ledger: LedgerRow[]): Promise<Row | undefined> {
  const [[found]] = await answersOf(linesOf({ access, ledger }), 'proxy-witness');
  return found;
}

describe('the proxy’s log against the ledger', () => {
  it('agrees when each request that was written arrived once and got the same answer', async () => {
    const ledger = [
      ...[0, 1, 2].map((seq) => ok(seq)),
      badRow(3, { outcome: 'refused', requestId: idOf(3) }),
      ok(4, { outcome: 'unsent', sentUs: null }),
      // No status is held against a row that has none.
      badRow(5, { outcome: 'timeout', status: null, requestId: idOf(5) }),
    ];
    const access = [...[0, 1, 2].map((seq) => line(seq)), line(5, { DownstreamStatus: 499 })];
    const others = [line(9, { 'request_X-Request-Id': 'prime-9' }), line(8, { 'request_X-Request-Id': undefined })];
    expect(await witnessOf([...access, ...others], ledger)).toEqual({
      arrived: 4,
      ledgerSent: 4,
      missing: 0,
      extra: 0,
      repeated: 0,
      disagreeing: 0,
    });
  });

  it('finds what is missing, extra, repeated or answered otherwise', async () => {
    const never = ok(6, { outcome: 'unsent', sentUs: null });
    // Slot 300 is none of the schedule's, and slot 6 was never written.
    const access = [line(1), line(1), line(2), line(3, { DownstreamStatus: 502 }), line(300), line(300), line(6)];
    expect(await witnessOf(access, [ok(0), ok(1), ok(3), never])).toEqual({
      arrived: 7,
      ledgerSent: 3,
      missing: 1,
      extra: 4,
      repeated: 1,
      disagreeing: 1,
    });
  });

  it('misses nothing that a restart of the proxy itself explains, and all else', async () => {
    const run = runRecord(resolveExperiment(e17, { changes: [] }));
    const at = (seq: number, atUs: number): LedgerRow =>
      badRow(seq, {
        ...{ dueUs: atUs, sentUs: atUs, connectedUs: atUs, doneUs: atUs },
        ...{ outcome: 'status-404', status: 404, requestId: idOf(seq) },
      });
    // It accepts at 1.75 s, and has its routes at 1.9 s.
    const timeline = eventsOf({ readyUs: 1_900_000 });
    const content = linesOf({ run, timeline, access: [], ledger: [at(180, 1_800_000), at(250, 2_500_000)] });
    const [[found]] = await answersOf(content, 'proxy-witness');
    expect(found).toMatchObject({ ledgerSent: 2, missing: 1 });
  });

  it('expects a request that was written to a connection that stood', async () => {
    const died = { outcome: 'reset', status: null, connectedUs: null, firstByteUs: null } as const;
    const cases: [Partial<LedgerRow>, boolean][] = [
      [{ connectedUs: 90, error: 'ECONNRESET, connect' }, true],
      [{ firstByteUs: 90, error: 'ECONNRESET, connect' }, true],
      [{ error: null }, true],
      [{ error: 'ECONNRESET, wait' }, true],
      [{ error: 'ECONNREFUSED, connect' }, false],
      [{ outcome: 'local', error: 'EMFILE' }, false],
      [{ outcome: 'local', error: null }, false],
      [{ connectedUs: 90, firstByteUs: 90, sentUs: null }, false],
    ];
    const ledger = cases.map(([over], seq) => ok(seq, { ...died, ...over }));
    const asked = ['select written from ledger order by line', 'proxy-witness'] as const;
    const [rows, witness] = await answersOf(linesOf({ ledger }), ...asked);
    expect(rows.map(({ written }) => written)).toEqual(cases.map(([, isExpected]) => isExpected));
    expect(witness).toMatchObject([{ ledgerSent: 4, missing: 4 }]);
  });
});

describe('answers that the proxy made up after a backend had failed it', () => {
  it('have a backend, no version, and a status from 400 on', async () => {
    const own = { DownstreamStatus: 502, 'origin_X-App-Version': undefined };
    const access = [
      line(0, own),
      line(1, { ...own, DownstreamStatus: 400 }),
      line(2, { ...own, DownstreamStatus: 399 }),
      line(3, { ...own, ServiceAddr: undefined }),
      line(4, { DownstreamStatus: 502 }),
      // A second try, of which the balancer had no backend left; it names that of the first.
      line(4, { ...own, DownstreamStatus: 503 }),
    ];
    // The last one's answer ended 100 µs before slot 4's end.
    expect(await answersOf(linesOf({ access }), 'proxy-answers')).toEqual([[{ answers: 2, lastUs: 41_900 }]]);
  });
});

describe('what the proxy saw of each restart', () => {
  it('is its first and last answer of its own, and the new version’s first; each of the load’s', async () => {
    const at = (endUs: number, seq: number, status: number, version?: string): AccessFields => ({
      ...line(seq),
      StartUTC: stampOf(endUs - 1_000),
      Duration: 1_000_000,
      DownstreamStatus: status,
      'origin_X-App-Version': version,
    });
    const access = [
      at(500_000, 1, 502),
      at(1_100_000, 2, 502),
      at(1_690_000, 3, 502),
      at(1_300_000, 4, 503),
      // The site's own error names its version.
      at(1_000_000, 5, 503, 'v0'),
      at(1_720_000, 6, 200, 'v1'),
      at(1_710_000, 7, 500, 'v1'),
      at(1_650_000, 8, 200, 'v0'),
      { ...at(1_005_000, 9, 502), 'request_X-Request-Id': 'stranger' },
      at(2_100_000, 10, 200, 'v1'),
      at(2_200_000, 11, 200, 'v2'),
    ];
    const content = linesOf({ access });
    const database = await openDatabase(await writeFolder(content), content.run, ['proxy']);
    const found = await proxyMoments(
      database,
      [1_000_000, 2_000_000].map((atUs, index) => {
        return { site: 'demo', restart: index + 1, atUs, brought: `v${index + 1}` };
      }),
      false,
    );
    await database.close();
    const moment = (restart: number, kind: string, atUs: number, status: number, seq: number) => ({
      atUs,
      kind,
      source: 'proxy',
      restart,
      detail: `${status} for ${idOf(seq)}`,
    });
    expect(found).toEqual([
      moment(1, 'proxy-first-error', 1_100_000, 502, 2),
      moment(1, 'proxy-first-answer', 1_710_000, 500, 7),
      moment(2, 'proxy-first-answer', 2_200_000, 200, 11),
      moment(1, 'proxy-last-error', 1_690_000, 502, 3),
    ]);
  });
});
