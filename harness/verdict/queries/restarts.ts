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
  'restart-outage': query(
    'Requests due in the outage window of each restart.',
    `
    with together as (
      select outage, count(*) as due from ledger asof join moments on dueUs >= moments.fromUs
      where len(outage) > 0
      group by outage
    )
    select restart, sum(due) as due from (select unnest(outage) as restart, due from together) group by restart`,
  ),
  'restart-in-flight': query(
    'Requests under way when each old process was told to end.',
    `
    with spanning as (
      select sentUs, doneUs from ledger asof join restarts on sentUs <= toldUs where doneUs > toldUs
    )
    select restart, count(*) as inFlight
    from restarts join spanning on sentUs <= toldUs and doneUs > toldUs
    group by restart`,
  ),
  'restart-lateness': query(
    'How late the latest request left that was due in the at-risk span of each restart, µs.',
    `
    with together as (
      select atRisk, max(sentUs - dueUs) as latestUs from ledger asof join moments on dueUs >= moments.fromUs
      where len(atRisk) > 0
      group by atRisk
    )
    select restart, max(latestUs) as latestUs from (select unnest(atRisk) as restart, latestUs from together)
    group by restart`,
  ),
  'restart-waits': query(
    'The longest wait for an ok answer, among requests due since each deploy began, µs.',
    `
    select restart, max(waitUs) as longestWaitUs
    from ledger asof join restarts on dueUs >= deployBeginUs
    group by restart`,
  ),
  'restart-queues': query(
    "The most connections that waited at the site's port in the at-risk span of each restart.",
    `
    select restart, coalesce(max(waiting), 0) as longestQueue
    from restarts left join queues on atUs >= atRiskFromUs and atUs < atRiskToUs and isOfSite
    where exists (from queues)
    group by restart`,
  ),
  'last-drop-before-steady': query(
    'Of each deploy of a service of your own: the last drop before it was called steady, µs.',
    `
    select restart, max(dueUs) as lastUs
    from restarts join ledger on dropped and dueUs >= deployBeginUs and dueUs < steadyUs
    group by restart`,
  ),
} as const;
