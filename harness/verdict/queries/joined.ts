/** joined.ndjson.gz. */
import { query } from './query.ts';
import { requestsAmong } from './views.ts';
import { stallAboveMs } from './waits.ts';

/** The ledger itself is never changed by it. */
export const joined = query(
  'Rows that were not plainly answered, with phase, witnesses, cause and what does not agree.',
  `
  select r.line, r.seq, dueUs, sentUs, doneUs, method, path, connection, outcome, status, error, version, restart, phase,
    waitUs, waitedAt, accessLine, proxyStatus, backend, siteLine, tries, cause, causeFile, causeLine, d.what as disagreement
  from (${requestsAmong(`(from ledger where dropped or doneUs - dueUs > ${stallAboveMs * 1000}
    or line in (select line from disagreements))`)}) as r
    left join disagreements as d using (line)
  order by r.line`,
);
