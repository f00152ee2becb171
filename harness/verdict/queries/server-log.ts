/** What the access logs of a service of the user's say of the drops. A log explains the client's counts, and changes none. */
import { runFiles } from '../../run/run-folder.ts';
import { query } from './query.ts';

/** Client and server stamp on one machine; its wall clock may be set a little while the load goes on. */
const clocksUs = 2_000;

/** Lines and requests of different slices of time are never held side by side. */
const sliceUs = 50_000;
const slicesOf = (from: string, to: string): string =>
  `unnest(range((${from}) // ${sliceUs}, (${to}) // ${sliceUs} + 1)) as slice, (${from}) // ${sliceUs} as firstSlice`;

/** The table `server_pairs`: of a log without ids, each line with the requests whose it may be, by time, method, path, status. */
export const makeServerPairs = `
create or replace table server_pairs as
with timed as (
  select *, atUs - case when isEnd then coalesce(durationUs, 0) else 0 end as beganUs, beganUs + withinUs as latestUs,
    atUs + case when isEnd then 0 else coalesce(durationUs, 0) end as endedUs
  from server where seq is null
), loose as (
  select *, ${slicesOf(`beganUs - ${clocksUs}`, `latestUs + ${clocksUs}`)} from timed
), asked as (
  select seq, method, path, status, outcome, sentUs, doneUs, ${slicesOf('sentUs', 'doneUs')}
  from ledger where written and exists (from timed)
)
select loose.line, loose.log, l.seq, false as isMatch
from loose join asked as l using (slice, method, path)
where slice = greatest(loose.firstSlice, l.firstSlice)
  and latestUs + ${clocksUs} >= sentUs and beganUs - ${clocksUs} <= doneUs
  and (l.status is null or l.status = loose.status)
  -- Who got no answer may have gone before the server had one.
  and not (outcome = 'ok' and endedUs > doneUs + ${clocksUs})`;

/** A line that may be of one request only is its; both are then out of the question for others. To be run again. */
export const matchPairs = `
update server_pairs as p set isMatch = true from (
  with free as (
    select line, log, seq from server_pairs
    where line not in (select line from server_pairs where isMatch)
      and (log, seq) not in (select (log, seq) from server_pairs where isMatch)
  ), sole as (select log, any_value(seq) as seq, line from free group by line, log having count(*) = 1)
  select log, seq, any_value(line) as line from sole group by log, seq having count(*) = 1
) as m
where p.line = m.line and p.seq = m.seq`;

/**
 * The table `server_lines`: each line with its request. Services hand ids on: where a log has the request itself, calls behind
 * it that stand in the same log are no lines of it.
 */
export const makeServerLines = `
create or replace table server_lines as
select s.line, s.log, s.logLine, coalesce(s.seq, p.seq) as seq, s.seq is null as isLikely,
  coalesce(s.isUnread, false) as isUnread, s.atUs, s.status, s.bytes,
  s.durationUs, s.upstream, s.upstreamStatus, s.said
from server as s left join server_pairs as p on p.line = s.line and p.isMatch
where coalesce(s.seq, p.seq) is not null
qualify coalesce(s.isOther, false) = bool_and(coalesce(s.isOther, false)) over (partition by s.log, coalesce(s.seq, p.seq), s.isUnread)`;

/** Share of the ok answers that a log may lack, and what it lacks still says something. */
const mostMissing = 0.01;

/**
 * Shares of the requests by which a log without ids may have more lines than there were requests: at all, and before the first
 * drop, where none is missing that would hide others. Above them somebody else asks the same, and any line may be his.
 */
const mostOthers = { ever: 0.01, early: 0.05 };
const beforeDropUs = 10_000;

/**
 * The table `log_counts`: ok answers, and those of which a log has no line (without ids: none that could be its own). Of a log
 * that lacks many, as that of one of several servers, a missing line means nothing.
 */
export const makeLogCounts = `
create or replace table log_counts as
with known as (
  select distinct log, seq from server_lines union select distinct log, seq from server_pairs
), counted as (
  select g.log, count(*) as answered, count(*) filter (known.seq is null and not exists (
      from log_gaps as gap where gap.log = g.log and gap.fromUs <= l.doneUs and gap.toUs >= l.sentUs)) as missing
  from (from server_logs where joined in ('id', 'time')) as g cross join (from ledger where outcome = 'ok') as l
    left join known on known.log = g.log and known.seq = l.seq
  group by g.log
), first_drop as (
  select coalesce(min(sentUs), 1e15) as us from ledger where dropped
), asked as (
  select count(*) as all, count(*) filter (sentUs < us) as early from ledger, first_drop where written
), told as (
  select log, count(*) as all,
    count(*) filter (atUs - case when isEnd then coalesce(durationUs, 0) else 0 end + withinUs < us - ${beforeDropUs}) as early
  from server, first_drop where seq is null and isUnread is null
  group by log
)
select counted.*, missing <= ${mostMissing} * answered as isWhole,
  coalesce(told.all - asked.all <= ${mostOthers.ever} * asked.all and told.early - asked.early <= ${mostOthers.early} * asked.early, true) as isAlone
from asked, counted left join told using (log)`;

const detail = "coalesce(': ' || s.said, ' (upstream ' || s.upstream || ')', '')";

const what = `
    case when s.line is null then case
        when exists (from log_gaps as gap where gap.log = g.log and gap.fromUs <= l.doneUs and gap.toUs >= coalesce(l.sentUs, l.dueUs))
          then 'not known: the log was emptied just then'
        when not l.written then 'never reached the server'
        when u.seq is not null then 'its id is in the log, in a line of no known form'
        when not coalesce(isWhole, false) then 'not told: it has no line of other requests either, which were answered'
        when g.joined = 'time' and (l.status is not null or exists (from server_pairs as p where p.log = g.log and p.seq = l.seq))
          then 'not told: without ids, ' || case when isAlone then 'several lines may be its own' else 'a line may be its own, or of others who ask the same' end
        when g.joined = 'time' then 'no line that could be its own: likely it never reached the server'
        else 'no line: it never reached the server, or that ended before it wrote one' end
      else case when s.isLikely then 'likely ' else '' end || case
        when s.status is null or s.status = 499 then 'had it, and gave no answer' || coalesce(' (' || s.status || ')', '') || ${detail}
        when l.outcome = 'timeout' then 'answered ' || s.status || ', too late for the client'
        when l.status is null and l.outcome <> 'parse' then 'answered ' || s.status || ' (the answer was lost on the way)' || coalesce(': ' || s.said, '')
        when l.status <> s.status then 'answered ' || s.status || ', and the client got ' || l.status
        when l.outcome = 'truncated' then 'answered ' || s.status || ', and the client got a part of it' || coalesce(': ' || s.said, '')
        else 'answered ' || s.status || ${detail} end
        || case when s.status between 200 and 299 then '' else coalesce(', after ' || goodStatus || ' in an earlier try', '') end end`;

/** A row for each drop and log. */
const fates = `
  select l.line, l.seq, l.method, g.log, s.line as serverLine, coalesce(s.isLikely, false) as isLikely, ${what} as what,
    goodStatus is not null as isProcessed
  from (from ledger where dropped) as l
    cross join (from server_logs where joined in ('id', 'time')) as g
    left join log_counts as counts on counts.log = g.log
    left join (
      -- Of several lines the last: a proxy in front may have tried again.
      select log, seq, arg_max(x, x.line) as s, min(x.status) filter (x.status between 200 and 299) as goodStatus
      from server_lines as x where not isUnread group by log, seq
    ) as last on last.log = g.log and last.seq = l.seq and (g.joined = 'id' or isAlone)
    left join (select distinct log, seq from server_lines where isUnread) as u on u.log = g.log and u.seq = l.seq`;

/** The table `server_fates`. */
export const makeServerFates = `create or replace table server_fates as ${fates}`;

/** A step to the causes: what a log shows for certain. */
export const ofServer = query(
  'Of a service of your own with --access-log: what a log that has ids says of the drop, and the line that says it.',
  `
  select line, arg_min(what, log) as what, arg_min(serverLine, log) as serverLine
  from server_fates
  where serverLine is not null and not isLikely
  group by line`,
);

export const serverLogQueries = {
  'server-log-drops': query(
    'What each access log of a service of your own says of the drops, with the first row and the line in ' +
      `${runFiles.serverLog}.`,
    `
    select log, what, count(*) as dropped, min(seq) as seq, arg_min(serverLine, seq) as line
    from server_fates
    group by log, what
    order by log, dropped desc, what`,
  ),
  'server-log': query(
    'Drop by drop: what each access log of a service of your own says of it.',
    `
    select seq, log, what, serverLine from server_fates order by seq, log`,
  ),
  'server-log-kept': query(
    `Lines in ${runFiles.serverLog} that were understood, by log: with and without an id.`,
    `
    select log, count(*) filter (seq is not null) as withId, count(*) filter (seq is null) as withoutId
    from server
    where isUnread is null
    group by log
    order by log`,
  ),
  'server-log-processed': query(
    'Dropped requests that are not idempotent, and that a log shows as processed: a retry would have doubled them.',
    `
    select count(distinct seq) filter (not isLikely) as certain, count(distinct seq) filter (isLikely) as likely
    from server_fates where isProcessed and method in ('POST', 'PATCH')`,
  ),
  'server-log-disagreements': query(
    'Of each access log: requests that it has several times, ok answers that it does not have, other statuses.',
    `
    with found as (
      select log, seq, count(*) as lines, list(distinct status) as statuses from server_lines where not isUnread group by log, seq
    )
    select g.log,
      count(*) filter (found.lines > 1) as twice,
      coalesce(any_value(missing), 0) as missing,
      count(*) filter (outcome = 'ok' and found.seq is not null and not list_contains(statuses, l.status)) as differing
    from server_logs as g cross join ledger as l left join found on found.log = g.log and found.seq = l.seq
      left join log_counts on log_counts.log = g.log
    group by g.log
    order by g.log`,
  ),
} as const;
