/** Where answers that came late had waited. */
import { query } from './query.ts';

/** A stall: an ok answer that came this much later than the request itself asked for. */
export const stallAboveMs = 500;
/** The way to the proxy and back takes longer than this only where the proxy, or the machine, stood still. */
export const transitAboveMs = 100;
/** After a restart's at-risk span, what had queued is still being worked off. */
const aftermathUs = 1_000_000;

export const waits = {
  'answer-parts': query(
    'Of ok answers: the way between client and proxy, both directions, µs; the time in the site at the median, whole ms.',
    `
    with restarting as (
      select restless.* from restless, run where isProxyDeployed
    ), waiting as (
      -- Where the proxy itself is restarted, what waits for it waits on this way.
      select l.line
      from (from ledger where exists (from restarting)) as l
        asof join restarting as r on r.site = l.site and l.doneUs >= r.fromUs
      where l.dueUs <= toUs + ${aftermathUs}
    )
    select max(transitUs) as longestTransitUs,
      count(*) filter (transitUs > ${transitAboveMs * 1000}) as slowTransits,
      arg_min(seq, line) filter (transitUs > ${transitAboveMs * 1000}) as firstSlow,
      quantile_disc(least(10000, floor(inSiteUs / 1000)), 0.5) as medianInSiteMs
    from (
      select a.* exclude (transitUs), case when waiting.line is null then transitUs end as transitUs
      from answers as a left join waiting using (line)
    )`,
  ),
  stalls: query(
    `Ok answers more than ${stallAboveMs} ms late: where they waited, and whether a restart explains it.`,
    `
    select line, seq, waitedAt, coalesce(dueUs <= toUs + ${aftermathUs}, false) as isOfRestart
    from (from requests where waitUs > ${stallAboveMs * 1000} and sentUs is not null) as r
      asof left join restless on restless.site = r.site and r.doneUs >= restless.fromUs
    order by line`,
  ),
  'longest-apart': query(
    'The longest wait of an ok answer that has nothing to do with a restart.',
    `
    select max(waitUs) as longestUs
    from ledger as l asof left join restless on restless.site = l.site and l.doneUs >= restless.fromUs
    where coalesce(l.dueUs > toUs + ${aftermathUs}, true)`,
  ),
} as const;
