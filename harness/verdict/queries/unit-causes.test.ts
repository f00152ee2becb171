import { expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { EventKind, TimelineEvent } from '../../run/files/timeline.ts';
import { journalDoubts } from '../service/unit-journal.ts';
import { row, serviceRecord } from '../testing.ts';
import { sharedRun } from '../testing-database.ts';

const event = (atMs: number, kind: EventKind, source: TimelineEvent['source'] = 'journal'): TimelineEvent => ({
  atUs: atMs * 1000,
  kind,
  source,
  restart: kind === 'load-begin' ? 0 : 1,
  detail: `shop.service: ${kind}`,
});

/** Told to stop at 1000 ms, gone from 1200 to 1300, answers again from 1500. */
const timeline = [
  event(0, 'load-begin', 'deployer'),
  event(950, 'deploy-begin', 'deployer'),
  event(1000, 'sigterm'),
  event(1200, 'main-exited'),
  event(1300, 'start'),
];

type Fate = [outcome: LedgerRow['outcome'], sentMs: number, doneMs: number, cause: string | null, line?: number];

const fates: Fate[] = [
  ['refused', 900, 901, null],
  ['refused', 1100, 1101, 'refused: nobody listened; shop.service was stopping', 3],
  ['refused', 1250, 1251, 'refused: nobody listened; shop.service had no process', 4],
  ['refused', 1400, 1401, 'refused: nobody listened; shop.service had started, and did not listen yet', 5],
  // Somebody is answered by then.
  ['refused', 1600, 1601, null],
  ['reset', 900, 1190, 'cut while shop.service was stopping', 3],
  ['truncated', 1150, 1210, 'cut: the process of shop.service ended with the request under way', 4],
  ['reset', 1290, 1291, 'cut while shop.service had no process', 4],
  ['closed', 1400, 1401, null],
  ['refused-stream', 1100, 1101, 'not processed, as the server said, while shop.service was stopping', 3],
  ['status-502', 1100, 1101, 'answered 502 while shop.service was stopping', 3],
  ['status-503', 1350, 1351, 'answered 503 while shop.service was starting', 5],
  // Nothing that a restart makes.
  ['status-404', 1100, 1101, null],
  ['wrong', 1100, 1101, null],
  ['timeout', 1100, 1101, null],
];

const shared = sharedRun(() => ({
  run: serviceRecord({ journal: ['shop.service'] }),
  timeline,
  ledger: [
    ...fates.map(([outcome, sentMs, doneMs], seq) => {
      const status = /^status-(\d+)$/u.exec(outcome)?.[1];
      const stamps = { dueUs: sentMs * 1000, sentUs: sentMs * 1000, doneUs: doneMs * 1000 };
      return row(seq, { ...stamps, outcome, ...(status !== undefined && { status: Number(status) }) });
    }),
    row(fates.length, { dueUs: 1_490_000, sentUs: 1_490_000, doneUs: 1_500_000 }),
  ],
}));

it('a drop has the cause that the journal shows of its moment, with the line', async () => {
  const found = await shared().database.all<{ seq: number; cause: string; witnessLine: number; said: string }>(
    'select seq, cause, witnessLine, said from causes order by seq',
  );
  const told = fates.flatMap(([, , , cause, line], seq) => (cause === null ? [] : [{ seq, cause, witnessLine: line }]));
  expect(found.map(({ seq, cause, witnessLine }) => ({ seq, cause, witnessLine }))).toEqual(told);
  // The origin of the run is 1000 s after 1970 by its wall clock.
  expect(found[0]?.said).toBe('SIGTERM 00:16:41.000 UTC: shop.service: sigterm');
});

it('the unit’s end closes no port: there is no outage window, and the phases are known as far as they go', () => {
  expect(shared().tables.windows).toMatchObject([
    { sigtermUs: 1_000_000, exitUs: 1_200_000, startUs: 1_300_000, acceptStoppedUs: null, acceptingUs: null },
  ]);
});

it('a journal that was asked for is there, or a note of the run says why not', () => {
  const run = serviceRecord({ journal: ['shop.service'] });
  expect(journalDoubts(run, true)).toEqual([]);
  expect(journalDoubts(serviceRecord(), false)).toEqual([]);
  expect(journalDoubts(run, false)).toEqual([expect.stringContaining('witnesses/journal.ndjson is missing')]);
  expect(journalDoubts({ ...run, notes: ['What the journal has to say is missing: no.'] }, false)).toEqual([]);
});
