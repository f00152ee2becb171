/** What became of the writes: what the client was told, beside what the database held. The words are Jepsen's. */
import { query } from './query.ts';

export const writeQueries = {
  writes: query(
    'Writes by what the client was told, and by what the database says of them.',
    `
    select known, fate, count(*) as writes from writes group by known, fate order by known, fate`,
  ),
  'write-faults': query(
    'Writes that went wrong, in the order of the ledger.',
    `
    select fate, requestId from writes where fate in ('lost', 'early', 'misattributed') order by line`,
  ),
  'own-writes': query(
    "Of a service of the user's own: each request that writes, with what was acknowledged of it, and what is stored.",
    `
    select request, count(*) filter (known = 'acknowledged') as acknowledged,
      count(*) filter (fate in ('stored', 'recovered', 'misattributed')) as stored,
      min_by(requestId, line) filter (fate = 'lost') as lostId,
      (select count(id) from notes) as answers, (select min_by(id, line) from notes where id is not null) as answer
    from writes join (select line, request from ledger) using (line)
    group by request
    order by min(line)`,
  ),
  'note-faults': query(
    'Notes of this load that are stored twice, or that no request of the ledger wrote.',
    `
    with own as (select * from notes, run where starts_with(id, idPrefix))
    select 'duplicated' as fate, id, min(line) as line from own group by id having max(times) > 1 or count(*) > 1
    union all
    -- Of a service of the user's own another request than those that are looked up may store something, too.
    select 'unexpected' as fate, id, min(line) as line
    from own anti join (
      select requestId, site from writes union all select requestId, site from ledger, run where not hasSiteLog
    ) as sent on sent.requestId = own.id and sent.site = own.site
    group by id, own.site
    order by line`,
  ),
  'stored-texts': query(
    'Check sums of the texts that are stored of this load.',
    `
    select id, textCrc32s from notes, run where starts_with(id, idPrefix) and textCrc32s is not null order by line`,
  ),
  'database-state': query(
    'What SQLite said of the database itself.',
    `
    select integrity from notes where line = 1`,
  ),
  busy: query(
    "Writes that met the database's lock.",
    `
    select
      count(*) filter (code = 'SQLITE_BUSY') as refused,
      min(lockWaitMs) filter (code = 'SQLITE_BUSY') as shortestRefusalMs,
      max(lockWaitMs) filter (code = 'SQLITE_BUSY') as longestRefusalMs,
      count(*) filter (lockWaitMs > 5) as waits,
      coalesce(max(lockWaitMs), 0) as longestWaitMs
    from site`,
  ),
} as const;
