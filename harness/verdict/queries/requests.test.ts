import { expect, it } from 'vitest';
import { badRow, row } from '../testing.ts';
import { sharedLedgers } from '../testing-database.ts';

const ledgers = sharedLedgers();
const rows = [
  row(0, { request: 'home' }),
  row(1, { request: 'order' }),
  badRow(2, { request: 'order', outcome: 'wrong', error: 'expected body' }),
  badRow(3, { request: 'order', outcome: 'wrong', error: 'expected body' }),
  badRow(4, { request: 'order' }),
  row(5, { request: 'home', doneUs: 57_000 }),
];
const [mixed, single] = [[{ rows }], [{ rows: [row(0), badRow(1)] }]];
const outcomes = ledgers.answers('request-outcomes', [...mixed, ...single]);
const waits = ledgers.answers('request-waits', [...mixed, ...single]);
const missed = ledgers.answers('request-missed', [...mixed, ...single]);
const before = ledgers.answers('request-before', [...mixed, ...single]);

it('the requests of a mix are counted one by one, and a load that is none has no such rows', async () => {
  expect(await outcomes()).toEqual([
    [
      { request: 'home', outcome: 'ok', due: 2, sent: 2, dropped: false },
      { request: 'order', outcome: 'ok', due: 1, sent: 1, dropped: false },
      { request: 'order', outcome: 'wrong', due: 2, sent: 2, dropped: true },
      { request: 'order', outcome: 'status-502', due: 1, sent: 1, dropped: true },
    ],
    [],
  ]);
  expect(await waits()).toEqual([
    [
      { request: 'home', p50Us: 2_000, p99Us: 7_000, longestUs: 7_000 },
      { request: 'order', p50Us: 2_000, p99Us: 2_000, longestUs: 2_000 },
    ],
    [],
  ]);
  expect(await before()).toEqual([
    [
      { request: 'home', asked: 2, ok: 2, other: '' },
      { request: 'order', asked: 4, ok: 1, other: 'wrong' },
    ],
    [],
  ]);
  expect(await missed()).toEqual([[{ request: 'order', expectation: 'expected body', missed: 2 }], []]);
});
