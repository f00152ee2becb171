/** What each restart did to the load. */
import { query } from './query.ts';

export const restarts = {
  'restart-drops': query(
    'Drops of each restart: by kind of request, and those that lateness can cause.',
    `
    select restart, method || ' ' || connection as kind, count(*) as dropped,
      count(*) filter (failureKind in ('hang', 'kept-connection race')) as droppedIfLate
    from drops
    group by restart, kind
    order by min(line)`,
  ),
  'restart-load': query(
    'Of each restart: requests due in its outage window, how late the latest of its at-risk span left, the longest wait.',
    `
    with outages as (
      select restart, sum(due) as due from (select unnest(outage) as restart, due from placed) group by restart
    ), risks as (
      select restart, max(latestUs) as latestUs from (select unnest(atRisk) as restart, latestUs from placed) group by restart
    ), own as (
      select restart, max(longestWaitUs) as longestWaitUs from placed group by restart
    )
    select restart, coalesce(due, 0) as dueInOutage, coalesce(latestUs, 0) as latestUs, longestWaitUs
    from restarts left join outages using (restart) left join risks using (restart) left join own using (restart)
    order by restart`,
  ),
  'restart-in-flight': query(
    'Requests under way when each old process was told to end.',
    `
    with spanning as (
      -- The first process of any site that was told after the sending; by time alone DuckDB finds it in half the time.
      select ledger.site, sentUs, doneUs from ledger asof join restarts on sentUs <= toldUs where doneUs > toldUs
    )
    select restart, count(*) as inFlight
    from restarts join spanning on restarts.site = spanning.site and sentUs <= toldUs and doneUs > toldUs
    group by restart`,
  ),
  'restart-queues': query(
    "The most connections that waited at the site's port in the at-risk span of each restart.",
    `
    with seen as (
      select unnest(atRisk) as restart, waiting
      from queues asof join moments on moments.site = queues.site and atUs >= moments.fromUs
    )
    select restart, coalesce(max(waiting), 0) as longestQueue
    from restarts left join seen using (restart)
    where exists (from queues)
    group by restart`,
  ),
  'first-answer-after-start': query(
    'Of each restart of a service of your own: when the first ok answer had come that was asked for after the start, µs.',
    `
    select restart, doneUs as answeredUs
    from restarts asof join (
        select sentUs, doneUs from ledger where outcome = 'ok' and sentUs is not null
      ) as ok on restarts.startUs < ok.sentUs`,
  ),
  'last-drop-before-steady': query(
    'Of each deploy of a service of your own: the last drop before it was called steady, µs.',
    `
    select restart, max(dueUs) as lastUs
    from restarts join ledger on dropped and dueUs >= deployBeginUs and dueUs < steadyUs
    group by restart`,
  ),
} as const;
