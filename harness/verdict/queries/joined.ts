/** joined.ndjson.gz. */
import { requestsAmong } from './views.ts';
import { stallAboveMs } from './waits.ts';

/**
 * Rows that were not plainly answered, with phase, witnesses, cause and what does not agree; the ledger itself is never
 * changed by it.
 * @param lines those of the ledger that it is about
 */
export function joinedAmong({ from, to }: { from: number; to: number }): string {
  return `
  select r.line, r.seq, dueUs, sentUs, doneUs, method, path, connection, outcome, status, error, version, restart, phase,
    waitUs, waitedAt, accessLine, proxyStatus, backend, siteLine, tries, cause, causeFile, causeLine, d.what as disagreement
  from (${requestsAmong(`(from ledger where line between ${from} and ${to} and (
    dropped or doneUs - dueUs > ${stallAboveMs * 1000} or line in (select line from disagreements)))`)}) as r
    left join disagreements as d using (line)
  order by r.line`;
}
