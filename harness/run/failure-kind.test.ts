import { describe, expect, it } from 'vitest';
import { noConnectionFree, serverHeldAll } from './failure-words.ts';
import { row } from '../verdict/testing.ts';
import { answersOf } from '../verdict/testing-database.ts';
import { linesOf } from '../verdict/testing-folder.ts';
import type { FailureKind } from './failure-kind.ts';
import type { LedgerRow } from './files/ledger.ts';

/** Sent at 1000 µs on a connection that had carried requests before, and nothing came. */
const unanswered: Partial<LedgerRow> = {
  connection: 'kept',
  connectedUs: null,
  sentUs: 1_000,
  firstByteUs: null,
  doneUs: 1_200,
  outcome: 'closed',
  error: 'FIN, wait',
};

describe('the kind of a failure', () => {
  const cases: [string, Partial<LedgerRow>, FailureKind | null][] = [
    ['a close at once', {}, 'kept-connection race'],
    ['a close 1 ms later', { doneUs: 2_000 }, 'kept-connection race'],
    ['a close after that', { doneUs: 2_001 }, 'cut in flight'],
    ['a close within the round trip of 20 ms', { doneUs: 21_900, rttUs: 20_000 }, 'kept-connection race'],
    ['a close after the round trip', { doneUs: 22_001, rttUs: 20_000 }, 'cut in flight'],
    ['a reset 10 ms later', { outcome: 'reset', error: 'ECONNRESET, wait', doneUs: 11_000 }, 'kept-connection race'],
    ['a reset after that', { outcome: 'reset', error: 'ECONNRESET, wait', doneUs: 11_001 }, 'cut in flight'],
    ['a close on the connection’s first request', { connectedUs: 1_100 }, 'cut in flight'],
    ['a close on a connection of its own', { connection: 'new', connectedUs: 1_100 }, 'cut in flight'],
    ['an answer that was cut', { outcome: 'truncated', firstByteUs: 1_100 }, 'cut in flight'],
    ['a handshake that was ended', { outcome: 'tls', error: 'FIN, handshake' }, 'handshake ended'],
    ['an alert', { outcome: 'tls', error: 'alert internal_error, handshake' }, 'handshake ended'],
    ['a certificate', { outcome: 'tls', error: 'certificate expired, handshake' }, 'certificate not accepted'],
    ['a handshake that hangs', { outcome: 'tls', error: 'deadline, handshake' }, 'hang'],
    ['a stream refused', { outcome: 'refused-stream', error: 'GOAWAY NO_ERROR, wait' }, 'stream refused'],
    ['a closed port', { outcome: 'refused' }, 'port closed'],
    ['a Unix socket that is not there', { outcome: 'refused', error: 'socket ENOENT, connect' }, 'port closed'],
    ['a full queue of one', { outcome: 'refused', error: 'socket EAGAIN, connect' }, 'queue full'],
    ['no route', { outcome: 'unreachable' }, 'unreachable'],
    ['no answer', { outcome: 'timeout' }, 'hang'],
    ['no connection', { outcome: 'connect-timeout' }, 'hang'],
    ['a status', { outcome: 'status-503' }, 'refused to serve'],
    ['a status of the client’s fault', { outcome: 'status-404' }, 'refused to serve'],
    ['a status of success that was not asked for', { outcome: 'status-200' }, 'wrong answer'],
    ['a redirect', { outcome: 'status-302' }, 'wrong answer'],
    ['another body', { outcome: 'wrong' }, 'wrong answer'],
    ['no HTTP', { outcome: 'parse' }, 'wrong answer'],
    ['every connection held', { outcome: 'unsent', sentUs: null, error: serverHeldAll }, 'connections held'],
    ['too few connections', { outcome: 'unsent', sentUs: null, error: noConnectionFree }, null],
    ['the generator’s own', { outcome: 'local' }, null],
    ['none', { outcome: 'ok' }, null],
  ];

  it('is told by what the client saw', async () => {
    const ledger = cases.map(([, over], seq) => row(seq, { ...unanswered, rttUs: 0, ...over }));
    // Where an interim answer came first, the server had read the request, and the row has no round trip.
    const interim = row(cases.length, unanswered);
    const asked = 'select failureKind from ledger order by line';
    const [kinds] = await answersOf(linesOf({ ledger: [...ledger, interim] }), asked);
    expect(kinds.pop()).toEqual({ failureKind: 'cut in flight' });
    expect(kinds.map(({ failureKind }, index) => [cases[index]?.[0], failureKind])).toEqual(
      cases.map(([name, , kind]) => [name, kind]),
    );
  });
});
