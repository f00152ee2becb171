/** What kind of failure a request met, from what the client itself saw. */
import { queueFull, serverHeldAll } from './failure-words.ts';

/** Every kind; docs/glossary.md defines them. */
export const failureKinds = [
  'kept-connection race',
  'cut in flight',
  'port closed',
  'queue full',
  'unreachable',
  'hang',
  'refused to serve',
  'wrong answer',
  'connections held',
  'handshake ended',
  'certificate not accepted',
  'stream refused',
] as const;

/** A kind of failure. */
export type FailureKind = (typeof failureKinds)[number];

/** A close may take so long beside the round trip: the client's loop, and a server that closes at once. */
const closeSlackUs = 1_000;
/**
 * The same of a reset: a server that closes an idle connection resets it only where the request has arrived meanwhile,
 * unread, and its turn may take so long.
 */
const resetSlackUs = 10_000;

/** SQL over columns of the ledger: why a request failed; null where it was answered as asked, or the generator itself failed. */
export const failureKind = `case
  when outcome in ('ok', 'local') then null
  when outcome = 'unsent' then case when error = '${serverHeldAll}' then 'connections held' end
  when outcome = 'tls' then case
    when starts_with(error, 'deadline, ') then 'hang'
    when starts_with(error, 'certificate ') then 'certificate not accepted'
    else 'handshake ended' end
  when outcome = 'refused' then case when error = '${queueFull}' then 'queue full' else 'port closed' end
  when outcome = 'refused-stream' then 'stream refused'
  when outcome = 'unreachable' then 'unreachable'
  when outcome in ('connect-timeout', 'timeout') then 'hang'
  when outcome in ('wrong', 'parse') or starts_with(outcome, 'status-2') or starts_with(outcome, 'status-3')
    then 'wrong answer'
  when outcome in ('reset', 'closed') and connection = 'kept' and connectedUs is null and sentUs is not null
    and firstByteUs is null and rttUs is not null
    and doneUs - sentUs <= rttUs + case outcome when 'closed' then ${closeSlackUs} else ${resetSlackUs} end
    then 'kept-connection race'
  when outcome in ('reset', 'closed', 'truncated') then 'cut in flight'
  else 'refused to serve' end`;
