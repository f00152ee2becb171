/** The direct probe: what it met, and whether the site's own log agrees. */
import { oneClockUs } from '../tolerances.ts';
import { query } from './query.ts';

/** The client waits no longer than this for an answer that has been given, unless it stood still. */
const answerUnderwayUs = 500_000;

export const directQueries = {
  direct: query(
    "The direct probe's requests by outcome.",
    `
    select outcome, count(*) as due, bool_or(dropped) as dropped, max(doneUs - dueUs) filter (outcome = 'ok') as longestUs
    from direct
    group by outcome
    order by min(line)`,
  ),
  'direct-disagreements': query(
    "Requests of the direct probe of which the site's own log says otherwise, or that have no row.",
    `
    with beside as (
      select d.seq, d.site, d.outcome, d.outcome = 'ok' or starts_with(d.outcome, 'status-') as isAnswered, d.status,
        d.version, d.instance, d.bodyCrc32, coalesce(d.sentUs, d.dueUs) as fromUs, d.doneUs,
        s.line as siteLine, count(s.line) over (partition by d.seq) as times,
        s.status as siteStatus, s.isCut, s.version as siteVersion, s.instance as siteInstance, s.bodyCrc32 as siteCrc32,
        s.receivedUs, s.answeredUs
      from direct as d left join site as s on s.oddId = d.requestId
    ), wrong as (
      select seq, case
        when siteLine is null and hasSiteLog and isAnswered and not exists (
            from deaths where deaths.site = beside.site and doneUs between deaths.fromUs and deaths.toUs)
          then 'has no line in the site''s log'
        when siteLine is null then null
        when times > 1 then 'was answered ' || times || ' times'
        when outcome in ('refused', 'unsent') then 'is ' || outcome || ', and the site read it'
        when not isAnswered then null
        when isCut or siteStatus <> status then 'is ' || outcome || ', and the site answered otherwise'
        when siteVersion <> version or siteInstance <> instance then 'was answered by another process'
        when siteCrc32 is distinct from bodyCrc32 then 'has another body than the site sent'
        when receivedUs < fromUs - ${oneClockUs} or answeredUs > doneUs + ${oneClockUs} or receivedUs > answeredUs
          then 'was under way at another time than the site read and answered it'
        when doneUs - answeredUs > ${answerUnderwayUs} then 'had its answer long after the site gave it' end as what
      from beside, run
      union all
      select seq, 'is there more than once' from direct group by seq having count(*) > 1
      union all
      select n, 'is missing' from range((select coalesce(max(seq), 0) from direct)) as slots(n) anti join direct on seq = n
      union all
      select try_cast(substr(oddId, length(probePrefix) + 1) as integer), 'is in the site''s log, and has no row'
      from site anti join direct on direct.requestId = site.oddId, run
      where starts_with(oddId, probePrefix)
    )
    select distinct seq, what from wrong where what is not null order by seq, what`,
  ),
} as const;
