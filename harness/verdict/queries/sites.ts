/** The same figures, site by site. */
import { query } from './query.ts';

export const siteQueries = {
  'site-outcomes': query(
    'Requests by site, method and outcome: due, and of them sent; the longest wait of those that were ok.',
    `
    select site, method, outcome, count(*) as due, count(sentUs) as sent, bool_or(dropped) as dropped,
      max(waitUs) as longestWaitUs
    from ledger
    group by site, method, outcome
    order by min(line)`,
  ),
  'site-at-risk': query(
    'Requests due in the at-risk span of a restart of their site.',
    `
    select site, sum(due) as due, sum(dropped) as dropped from placed where len(atRisk) > 0 group by site`,
  ),
  'site-silence': query(
    'Of each site: the longest stretch of the schedule in which no request to it that was due was answered, µs.',
    `
    with asked as (
      select site, seq, dueUs, case when outcome = 'ok' then doneUs end as okUs
      from ledger
      where outcome not in ('local', 'unsent')
    ), bounds as (
      select site, min(okUs - dueUs) as shortestUs, max(dueUs) as lastUs from asked group by site
    ), answered as (
      select site, dueUs, min(okUs) over (partition by site order by seq desc rows unbounded preceding) as okUs from asked
    )
    select site, max(least(okUs - shortestUs, lastUs) - dueUs) as silenceUs
    from answered join bounds using (site)
    group by site`,
  ),
  'site-writes': query(
    'Writes of each site, by what the client was told, and by what its database says of them.',
    `
    select site, known, fate, count(*) as writes from writes group by all`,
  ),
  'site-note-faults': query(
    'Notes stored twice, by the site that they were sent to; notes in the database of each site that no request to it wrote.',
    `
    with own as (select notes.* from notes, run where starts_with(id, idPrefix)
    ), faults as (
      -- Once in the database of each of two sites is twice, too.
      select coalesce(min(writes.site), min(own.site)) as site, 'duplicated' as fault
      from own left join writes on writes.requestId = own.id
      group by own.id
      having max(times) > 1 or count(distinct own.line) > 1
      union all
      select own.site, 'unexpected' from own anti join writes on writes.requestId = own.id and writes.site = own.site
    )
    select site, count(*) filter (fault = 'duplicated') as duplicated, count(*) filter (fault = 'unexpected') as unexpected
    from faults
    group by site`,
  ),
} as const;
