/** joined.ndjson.gz. */
import { requestsAmong } from './views.ts';
import { stallAboveMs } from './waits.ts';

/** The table `noted`: lines of rows that were not plainly answered, numbered from 1. */
export const makeNoted = `
  create table noted as select row_number() over (order by line) as nth, line from ledger where dropped
    or doneUs - dueUs > ${stallAboveMs * 1000} or line in (select line from disagreements)`;

/** Rows that are noted, with phase, witnesses, cause and what does not agree. */
export function joinedAmong({ from, to }: { from: number; to: number }): string {
  return `
  select r.line, r.seq, dueUs, sentUs, doneUs, method, path, connection, outcome, status, error, version, restart, phase,
    waitUs, waitedAt, accessLine, proxyStatus, backend, siteLine, tries, cause, causeFile, causeLine, d.what as disagreement
  from (${requestsAmong(`(from ledger semi join (from noted where nth between ${from} and ${to}) using (line))`)}) as r
    left join disagreements as d using (line)
  order by r.line`;
}
