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
    select max(transitUs) as longestTransitUs,
      count(*) filter (transitUs > ${transitAboveMs * 1000}) as slowTransits,
      arg_min(seq, line) filter (transitUs > ${transitAboveMs * 1000}) as firstSlow,
      quantile_disc(least(10000, floor(inSiteUs / 1000)), 0.5) as medianInSiteMs
    from (
      -- Where the proxy itself is restarted, what waits for it waits on this way.
      select a.* exclude (transitUs), case when not isProxyDeployed or not exists (
          from restless, ledger as l where l.line = a.line and restless.site = l.site
            and l.doneUs >= restless.fromUs and l.dueUs <= restless.toUs + ${aftermathUs}) then transitUs end as transitUs
      from answers as a, run
    )`,
  ),
  stalls: query(
    `Ok answers more than ${stallAboveMs} ms late: where they waited, and whether a restart explains it.`,
    `
    select line, seq, waitedAt, exists (
        from restless where restless.site = r.site and r.doneUs >= restless.fromUs and r.dueUs <= restless.toUs + ${aftermathUs}
      ) as isOfRestart
    from requests as r
    where waitUs > ${stallAboveMs * 1000} and sentUs is not null
    order by line`,
  ),
} as const;
