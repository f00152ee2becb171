import { expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { assertRow } from './assert-row.ts';

const plan = { ratePerSecond: 100, deadlineMs: 30_000 };

/** Slot 7: due at 70 ms, sent 100 µs later on a kept connection, answered from 71.5 ms on, done at 72 ms. */
const answered: LedgerRow = {
  trial: 1,
  seq: 7,
  dueUs: 70_000,
  sentUs: 70_100,
  connectedUs: null,
  firstByteUs: 71_500,
  doneUs: 72_000,
  method: 'GET',
  path: '/',
  requestId: 'run-1-7',
  connection: 'kept',
  outcome: 'ok',
  status: 200,
  bytes: 2,
  bodyCrc32: 5,
  instance: 'i',
  version: 'v0',
  error: null,
};
/** The same without a byte of an answer. */
const failed = {
  ...answered,
  firstByteUs: null,
  status: null,
  bytes: 0,
  bodyCrc32: null,
  instance: null,
  version: null,
};
/** The same with part of an answer. */
const cut = { ...failed, firstByteUs: 71_500, status: 200, bytes: 1 };

it.each<LedgerRow>([
  answered,
  { ...answered, sentUs: 70_000, connectedUs: 70_000, firstByteUs: 70_000, doneUs: 70_000 },
  { ...answered, connection: 'new', connectedUs: 70_200 },
  { ...answered, outcome: 'status-503', status: 503 },
  { ...answered, outcome: 'wrong' },
  { ...failed, outcome: 'refused', error: 'ECONNREFUSED, connect' },
  { ...failed, outcome: 'reset', error: 'ECONNRESET, wait' },
  { ...failed, outcome: 'closed', error: 'FIN, wait' },
  { ...failed, outcome: 'unreachable', error: 'EHOSTUNREACH, connect' },
  { ...failed, outcome: 'timeout', error: 'ETIMEDOUT, wait' },
  { ...failed, outcome: 'timeout', error: 'deadline, wait', doneUs: 30_070_000 },
  { ...failed, outcome: 'connect-timeout', error: 'deadline, connect', doneUs: 30_070_000 },
  { ...failed, outcome: 'unsent', sentUs: null, error: 'no connection was free in time' },
  { ...answered, connection: 'new', connectedUs: 70_200, securedUs: 71_000 },
  { ...failed, connectedUs: 70_200, outcome: 'tls', error: 'certificate expired, handshake' },
  { ...failed, connectedUs: 70_200, securedUs: 71_000, outcome: 'tls', error: 'alert certificate_required, wait' },
  { ...failed, connectedUs: 70_200, outcome: 'tls', error: 'deadline, handshake', doneUs: 30_070_000 },
  { ...cut, outcome: 'truncated', error: 'close_notify, body' },
  { ...answered, protocol: 'h2', streamId: 3 },
  { ...failed, protocol: 'h2', outcome: 'refused', error: 'ECONNREFUSED, connect' },
  { ...failed, protocol: 'h2', streamId: 3, outcome: 'refused-stream', error: 'GOAWAY NO_ERROR, wait' },
  { ...failed, protocol: 'h2', streamId: 3, outcome: 'closed', error: 'FIN after GOAWAY NO_ERROR, wait' },
  { ...cut, outcome: 'truncated', error: 'FIN, body' },
  { ...cut, outcome: 'timeout', error: 'deadline, body', doneUs: 30_070_000 },
  { ...cut, outcome: 'local', error: 'limit: the answer is above 5 bytes' },
  { ...cut, outcome: 'parse', status: null, error: 'not a status line: "x"' },
])('a row keeps every rule: $outcome, $error', (row) => {
  expect(() => assertRow(row, plan)).not.toThrow();
});

it.each<[LedgerRow, string]>([
  [{ ...answered, dueUs: 69_999 }, 'it was not due at 69999 µs'],
  [{ ...answered, requestId: 'run-2-7' }, 'its id is run-2-7'],
  [{ ...answered, sentUs: 69_999 }, 'not in order'],
  [{ ...answered, connectedUs: 70_099 }, 'not in order'],
  [{ ...answered, connectedUs: 71_501 }, 'not in order'],
  [{ ...answered, firstByteUs: 72_001 }, 'not in order'],
  [{ ...failed, outcome: 'closed', error: 'FIN, wait', doneUs: 70_099 }, 'not in order'],
  [{ ...answered, sentUs: null }, 'it was not sent'],
  [{ ...failed, outcome: 'unsent', error: 'no connection was free in time' }, 'it was sent'],
  [
    { ...failed, outcome: 'unsent', sentUs: null, connectedUs: 70_100, error: 'no connection was free in time' },
    'never sent',
  ],
  [{ ...answered, connection: 'new' }, 'never connected'],
  [{ ...answered, protocol: 'h2' }, 'never had a stream'],
  [{ ...answered, protocol: 'h2', streamId: 2 }, 'its stream is 2'],
  [{ ...answered, streamId: 3 }, 'its stream is 3'],
  [{ ...answered, status: null }, 'it has no status'],
  [{ ...answered, outcome: 'status-502' }, 'its status is 200'],
  [{ ...answered, firstByteUs: null }, 'no byte of its answer'],
  [{ ...answered, bodyCrc32: null }, 'no check sum'],
  [{ ...answered, error: 'FIN, body' }, 'it has an error: FIN, body'],
  [{ ...failed, outcome: 'closed', error: 'FIN, wait', instance: 'i' }, 'a complete answer'],
  [{ ...failed, outcome: 'closed', error: 'FIN, wait', version: 'v0' }, 'a complete answer'],
  [{ ...failed, outcome: 'closed', error: 'FIN, wait', bodyCrc32: 7 }, 'a complete answer'],
  [{ ...failed, outcome: 'closed', error: 'FIN, wait', status: 200 }, 'its status is 200'],
  [{ ...cut, outcome: 'reset', error: 'ECONNRESET, wait' }, 'a byte of its answer came'],
  [{ ...failed, outcome: 'reset' }, 'its error is missing'],
  [{ ...failed, outcome: 'reset', error: 'FIN, wait' }, 'its error is FIN, wait'],
  [{ ...failed, outcome: 'refused', connectedUs: 70_200, error: 'ECONNREFUSED, connect' }, 'further than'],
  [{ ...cut, outcome: 'timeout', error: 'ETIMEDOUT, wait' }, 'further than'],
  [{ ...failed, outcome: 'truncated', error: 'FIN, body' }, 'less far than'],
  [{ ...answered, connection: 'new', connectedUs: 70_200, securedUs: 70_100 }, 'not in order'],
  [{ ...answered, connection: 'new', connectedUs: 70_200, securedUs: 71_501 }, 'not in order'],
  [{ ...answered, securedUs: 70_200 }, 'it was secured and never connected'],
  [{ ...failed, connectedUs: 70_200, securedUs: 71_000, outcome: 'tls', error: 'FIN, handshake' }, 'further than'],
  [{ ...failed, outcome: 'tls', error: 'FIN, handshake' }, 'further than'],
  [{ ...cut, outcome: 'tls', error: 'alert internal_error, wait' }, 'a byte of its answer came'],
  [{ ...failed, outcome: 'timeout', error: 'deadline, wait', doneUs: 30_069_999 }, 'given up after 29999999 µs'],
])('a row breaks a rule: $outcome, $error', (row, rule) => {
  expect(() => assertRow(row, plan)).toThrow(rule);
});
