/** What became of the requests. */
import { query } from './query.ts';

export const counts = {
  outcomes: query(
    'Requests by method, connection and outcome: due, and of them sent.',
    `
    select method, connection, outcome, count(*) as due, count(sentUs) as sent, bool_or(dropped) as dropped
    from ledger
    group by method, connection, outcome
    order by min(line)`,
  ),
  'failure-kinds': query(
    'Failed requests by kind, from what the client itself saw.',
    `
    select failureKind as kind, count(*) as failed
    from ledger
    where failureKind is not null
    group by kind
    order by min(line)`,
  ),
  totals: query(
    'Sums over all requests: drops that lateness can cause, drops that a client may send again, the first error of TLS, waits, lateness.',
    `
    select
      count(*) filter (failureKind in ('hang', 'kept-connection race')) as droppedIfLate,
      count(*) filter (outcome = 'refused-stream' or (method in ('GET', 'HEAD', 'OPTIONS') and outcome in ('reset', 'closed')
        and not starts_with(error, 'RST_STREAM ')
        and sentUs is not null and connectedUs is null and firstByteUs is null)) as resendable,
      count(*) filter (hasNoLength and outcome = 'ok') as withoutLength,
      arg_min(error, line) filter (outcome = 'tls') as tlsError,
      max(dueUs) filter (dropped) - min(dueUs) filter (dropped) as affectedUs,
      max(waitUs) as longestWaitUs,
      count(sentUs) as sent,
      max(sentUs) - min(sentUs) as sendingUs,
      quantile_disc(sentUs - dueUs, 0.5) as lagP50Us,
      quantile_disc(sentUs - dueUs, 0.99) as lagP99Us,
      max(sentUs - dueUs) as lagMaxUs
    from ledger`,
  ),
  'kept-reuse': query(
    'Answers outside of restarts to requests on kept connections, and of them those on a connection used before.',
    `
    select count(*) as answered, count(*) filter (connectedUs is null) as reused
    from ledger asof join moments on ledger.site = moments.site and dueUs >= moments.fromUs
    where connection = 'kept' and status is not null and len(atRisk) = 0`,
  ),
  slots: query(
    'Slots of the schedule without a row; and rows too many, of a slot or of none.',
    `
    with rows as (
      select seq, seq < run.slots as isPlanned, count(*) as times from ledger, run group by all
    )
    select
      max(run.slots) - count(seq) filter (isPlanned) as missing,
      count(*) filter (isPlanned and times > 1) + coalesce(sum(times) filter (not isPlanned), 0) as repeated
    from run left join rows on true`,
  ),
  'at-risk': query(
    'Requests due in the at-risk span of a restart, by method.',
    `
    select method, sum(due) as due, sum(dropped) as dropped
    from placed
    where len(atRisk) > 0
    group by method
    order by min(firstLine)`,
  ),
  addresses: query(
    'Where requests went that were sent to another address than the first, since the name led there; null: the first.',
    `
    select address, count(*) as requests, min(sentUs) as fromUs
    from ledger
    where sentUs is not null
    group by address
    order by fromUs`,
  ),
  silence: query(
    'The longest stretch of the schedule in which no request due in it was answered as expected, µs.',
    `
    with asked as (
      select seq, dueUs, case when outcome = 'ok' then doneUs end as okUs
      from ledger
      where outcome not in ('local', 'unsent')
    ), bounds as (
      select min(okUs - dueUs) as shortestUs, max(dueUs) as lastUs from asked
    ), answered as (
      -- When the first ok answer came to this request or a later one.
      select dueUs, min(okUs) over (order by seq desc rows unbounded preceding) as okUs from asked
    )
    select max(least(okUs - shortestUs, lastUs) - dueUs) as silenceUs from answered, bounds`,
  ),
  end: query(
    'The last two requests that left: how they ended.',
    `
    select outcome from ledger where outcome not in ('local', 'unsent') order by seq desc limit 2`,
  ),
  changes: query(
    'Of each restart: outcomes, instances, versions and addresses that were not there before it began, and how many were.',
    `
    with spans as (
      select restart, deployBeginUs,
        coalesce(lag(coalesce(steadyUs, deployBeginUs)) over (order by restart), -1e15) as fromUs,
        coalesce(lead(deployBeginUs) over (order by restart), 1e15) as toUs
      from restarts
    ), names as (
      select restart, outcome, instance, version, address, bool_or(doneUs < deployBeginUs) as wasBefore
      from ledger join spans on dueUs >= fromUs and doneUs < toUs
      where outcome not in ('local', 'unsent')
      group by all
    )
    select restart, count(*) filter (wasBefore) as before, count(*) filter (not wasBefore) as new
    from names
    group by restart
    order by restart`,
  ),
  stale: query(
    'Answers of a version that was out of rotation, to requests sent after a newer one had answered; ok answers that name none; and restarts whose version nobody saw.',
    `
    with named as (
      select site, version, min(doneUs) as answeredUs, max(sentUs) as lastUs, count(*) as answers,
        try_cast(regexp_extract(version, '^v([0-9]+)$', 1) as bigint) as release
      from ledger
      where outcome = 'ok' and sentUs is not null
      group by site, version
    ), newer as (
      -- When this version, or any that is newer, had answered first.
      select site, release, min(answeredUs) over (partition by site order by release desc) as answeredUs
      from named
      where release is not null
    ), since as (
      select restarts.site, deploy, greatest(outOfRotationUs, answeredUs) as sinceUs
      from restarts asof join newer on newer.site = restarts.site and deploy <= release
      where outOfRotationUs is not null
    ), left_by as (
      select site, deploy, min(sinceUs) over (partition by site order by deploy desc) as sinceUs from since
    ), retired as (
      -- Of the version that a restart replaced, and of any that is older still.
      select named.site, version, sinceUs
      from named asof join left_by on left_by.site = named.site and release < deploy
      where lastUs > sinceUs
    )
    select (select count(*) from ledger join retired using (site, version) where outcome = 'ok' and sentUs > sinceUs) as stale,
      (select coalesce(sum(answers), 0) from named where release is null) as unnamed,
      (select count(outOfRotationUs) from restarts) - (select count(*) from since) as unseen`,
  ),
  'drop-windows': query(
    'Times in which requests were dropped: drops over 1 s apart belong to two. One that hung counts where it was sent.',
    `
    with placed as (
      select site, coalesce(sentUs, dueUs) as fromUs,
        -- Its end is the deadline's, and says nothing of when the service failed it.
        case when failureKind = 'hang' then coalesce(sentUs, dueUs) else doneUs end as atUs
      from ledger
      where dropped
    ), known as (
      select *, case when atUs - lag(atUs) over (order by atUs) > 1000000 then 1 else 0 end as isApart from placed
    ), numbered as (
      select *, sum(isApart) over (order by atUs rows unbounded preceding) as nth from known
    )
    select min(fromUs) as fromUs, min(atUs) as firstUs, arg_min(site, atUs) as firstSite,
      max(atUs) as toUs, arg_max(site, atUs) as lastSite, count(*) as dropped
    from numbered
    group by nth
    order by min(fromUs), nth`,
  ),
} as const;
