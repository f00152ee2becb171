/** What kind of failure a request met, from what the client itself saw: a pure function of its row in the ledger. */
import { serverHeldAll } from './failure-words.ts';
import type { LedgerRow } from './ledger.ts';

/** Every kind; docs/glossary.md defines them. */
export const failureKinds = [
  'kept-connection race',
  'cut in flight',
  'port closed',
  'unreachable',
  'hang',
  'refused to serve',
  'wrong answer',
  'connections held',
] as const;

/** A kind of failure. */
export type FailureKind = (typeof failureKinds)[number];

/** What a close may take beside the round trip: the client's loop, and a server that closes at once. */
const closeSlackUs = 1_000;
/**
 * The same of a reset: a server that closes an idle connection resets it only where the request has arrived meanwhile,
 * unread, and its turn may take so long.
 */
const resetSlackUs = 10_000;

/** What the function looks at. */
export type FailedRow = Pick<
  LedgerRow,
  'connection' | 'connectedUs' | 'sentUs' | 'firstByteUs' | 'doneUs' | 'outcome' | 'error' | 'rttUs'
>;

/** The kind of failure; null where the request was answered as asked, or the generator itself failed. */
export function failureKindOf(row: FailedRow): FailureKind | null {
  switch (row.outcome) {
    case 'ok':
    case 'local':
      return null;
    case 'unsent':
      return row.error === serverHeldAll ? 'connections held' : null;
    case 'refused':
      return 'port closed';
    case 'unreachable':
      return 'unreachable';
    case 'connect-timeout':
    case 'timeout':
      return 'hang';
    case 'wrong':
    case 'parse':
      return 'wrong answer';
    case 'reset':
    case 'closed':
      return isKeptRace(row) ? 'kept-connection race' : 'cut in flight';
    case 'truncated':
      return 'cut in flight';
    default:
      return 'refused to serve';
  }
}

/** Was a connection that had carried requests before closed no later than the request can have reached the server? */
function isKeptRace({ connection, connectedUs, sentUs, firstByteUs, doneUs, outcome, rttUs }: FailedRow): boolean {
  if (connection !== 'kept' || connectedUs !== null || sentUs === null || firstByteUs !== null) return false;
  // Not told where a byte came back: then the server had read the request.
  if (rttUs === undefined) return false;
  const slackUs = outcome === 'closed' ? closeSlackUs : resetSlackUs;
  return doneUs - sentUs <= rttUs + slackUs;
}
