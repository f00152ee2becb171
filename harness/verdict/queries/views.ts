/** Views over the tables of a run, for all further questions. Parts of a request's life are µs. */

const waitedAt = `case greatest(toSiteUs, inSiteUs, toProxyUs, backUs, lateUs)
    when toSiteUs then 'between the ' || case when hasProxy then 'proxy' else 'client' end
      || ' and the site: in the queue of its port, or on a port that was closed'
    when inSiteUs then 'in the site'
    when toProxyUs then 'on the way to the proxy'
    when backUs then 'on the way back'
    when lateUs then 'in the generator'
    else 'at a place that no witness shows' end`;

/** The parts of the life of an answered request, from the three logs; null where a witness is missing. */
const parts = `
    l.sentUs - l.dueUs as lateUs,
    atLeast0(case when hasProxy then p.startUs - l.sentUs else 0 end) as toProxyUs,
    atLeast0(s.receivedUs - case when hasProxy then p.startUs else l.sentUs end) as toSiteUs,
    atLeast0(s.answeredUs - s.receivedUs - l.askedUs) as inSiteUs,
    atLeast0(l.doneUs - s.answeredUs) as backUs`;

const besideLogs = `
    left join proxy as p on p.seq = l.seq and p.isLast
    left join site as s on s.seq = l.seq and s.isLast`;

/** Rows of this part of the ledger, with all that the run's files say of each. */
export function requestsAmong(rows: string): string {
  return `
  select r.* exclude (hasProxy), case when outcome = 'ok' and sentUs is not null and (accessLine is not null or not hasProxy) and siteLine is not null then ${waitedAt}
    when outcome = 'ok' then 'at a place that no witness shows' end as waitedAt
  from (
    select l.* exclude (oddId, isDamaged), f.restart, f.phase,
      p.line as accessLine, p.status as proxyStatus, p.backend,
      s.line as siteLine, coalesce(t.tries, case when s.line is null then 0 else 1 end) as tries,${parts},
      c.cause, c.file as causeFile, c.witnessLine as causeLine, hasProxy
    from ${rows} as l${besideLogs}
      asof left join moments as f on f.site = l.site and l.dueUs >= f.fromUs
      left join causes as c on c.line = l.line
      left join (select seq, count(*) as tries from site where not isOnly group by seq) as t on t.seq = l.seq, run
  ) as r`;
}

/** What the columns hold that the views have beside those of the run's files. */
export const viewColumns = {
  restart: 'The restart that it belongs to, from 1; 0 for what lies before the first.',
  phase: 'Where in its restart it was due: before, draining, down, warming or after (glossary.md).',
  accessLine: "Its last line in the proxy's access log; null where there is none.",
  proxyStatus: 'Status by the proxy’s log.',
  siteLine: "Its last whole line in the site's log; null where there is none.",
  tries: 'Lines of it in the site’s log: how often the proxy tried it there.',
  lateUs: 'From its due time until it left, µs.',
  toProxyUs: 'From the client to the proxy, µs.',
  toSiteUs: 'From the proxy (or the client, without one) until the site had read it, µs: queueing, too.',
  inSiteUs: 'In the site, less the time that it asked for, µs.',
  backUs: 'From the site to the end at the client, µs.',
  transitUs: 'Between client and proxy, both ways, µs; null without a proxy.',
  waitedAt: 'Of an ok answer: where most of its time went.',
  cause: 'Of a drop: the cause that a witness shows; null where none does.',
  causeFile: 'The file of that witness.',
  causeLine: 'And the line in it.',
  known: 'What the client knows of the write: acknowledged, failed (surely not applied) or indeterminate.',
  step:
    'Where in a deploy it ended: before-command, accepting (since the command began, while the service still accepted), ' +
    'refusing, answering-again (before the command ended) or after-command.',
  untilBackUs:
    'Of one that the service ended: how long until the same holder was open again, µs; null: not before the load ended.',
  refusingFromUs: 'The last request on a new connection that was answered before the first that was refused, µs.',
  refusingToUs: 'The first such answer after the last that was refused, µs.',
  fate: 'What became of it: stored, absent, recovered (indeterminate, and stored), or lost, early, misattributed.',
} as const;

/** What a view is made of. */
export interface View {
  readonly about: string;
  readonly sql: string;
  /** Worked out once, and kept as a table. */
  readonly isAskedOften?: true;
  /** Columns that no other view has. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** No proxy answers with one of these while its service is there, and none connects. */
const refusing = "('refused', 'unreachable', 'connect-timeout', 'status-502', 'status-503', 'status-504')";

/** Slices of time into which a run is cut at most, and how short they may be, µs. */
const slices = { most: 100_000, leastUs: 100_000 };

export const views = {
  refusals: {
    about: 'When the service refused during a deploy, as the ledger has it; a row for each restart in which it did.',
    sql: `
  with deploys as (
    select restart, deployBeginUs,
      coalesce(steadyUs, lead(deployBeginUs) over (order by deployBeginUs), 1e15) as untilUs
    from restarts
  ), refused as (
    select restart, min(sentUs) as firstUs, max(sentUs) as lastUs
    from deploys join ledger on sentUs >= deployBeginUs and sentUs < untilUs
    where outcome in ${refusing}
    group by restart
  ), accepted as (
    -- A service that drains answers on kept connections, and accepts no more; where all are kept they must do.
    select coalesce(connectedUs, sentUs) as atUs, sentUs, doneUs from ledger
    where outcome = 'ok' and (connectedUs is not null or not exists (from ledger where connectedUs is not null and connection = 'new'))
  )
  select restart, coalesce((select max(atUs) from accepted where sentUs < firstUs), firstUs) as refusingFromUs,
    coalesce((select min(doneUs) from accepted where sentUs > lastUs), 1e15) as refusingToUs
  from refused`,
  },
  held: {
    about: 'Lives of held connections, each with the restart and the step in which it ended.',
    sql: `
  with lives as (
    select * exclude (isDamaged), case when isEnded then min(openedUs) over (
        partition by holder order by generation rows between 1 following and unbounded following
      ) - endedUs end as untilBackUs
    from holds
  ), deploys as (
    select restart, deployBeginUs, deployEndUs, refusingFromUs, refusingToUs
    from restarts left join refusals using (restart)
  )
  select l.*, coalesce(d.restart, 0) as restart, case
      when d.restart is null then 'before-command'
      when endedUs <= refusingFromUs then 'accepting'
      when endedUs <= refusingToUs then 'refusing'
      when endedUs > deployEndUs then 'after-command'
      when refusingToUs is null then 'accepting'
      else 'answering-again' end as step
  from lives as l asof left join deploys as d on l.endedUs >= d.deployBeginUs`,
  },
  drops: {
    about:
      'Dropped requests. restart: the first whose at-risk span any part of its life meets, else the last begun; 0: none.',
    sql: `
  with spans as (
    from restarts qualify atRiskToUs > coalesce(
      max(atRiskToUs) over (partition by site order by restart rows between unbounded preceding and 1 preceding), -1)
  )
  -- Of the spans that end after its due time the first; it may begin too late, and then all others do.
  select l.*, coalesce(case when l.doneUs >= spans.atRiskFromUs then spans.restart end, begun.restart, 0) as restart
  from (from ledger where dropped) as l
    asof left join spans on spans.site = l.site and l.dueUs < spans.atRiskToUs
    asof left join restarts as begun on begun.site = l.site and l.dueUs >= begun.deployBeginUs`,
  },
  answers: {
    about: 'Ok answers that every log shows, with the parts of their life.',
    sql: `
  select l.line, l.seq, case when hasProxy then toProxyUs + backUs end as transitUs, * exclude (line, seq, hasProxy)
  from (select l.line, l.seq, l.site, l.dueUs, l.doneUs, hasProxy,${parts} from ledger as l${besideLogs}, run
    where l.outcome = 'ok' and l.sentUs is not null and s.line is not null and (p.line is not null or not hasProxy)) as l`,
  },
  requests: {
    about:
      'A row of the ledger with its phase and restart (by due time), the lines of proxy and site, the parts of its life, ' +
      'where it waited longest, and the cause if it was dropped.',
    sql: requestsAmong('ledger'),
  },
  writes: {
    about: 'Writes of the load: what the client was told (known), and what became of it (fate).',
    isAskedOften: true,
    sql: `
  with told as (
    select l.line, l.seq, l.site, l.requestId, l.outcome, l.version, n.writtenUs, n.id is not null as isStored,
      coalesce(s.answeredUs, again.answeredUs) as answeredUs, case
        when l.outcome in ('ok', 'wrong') and (hasSiteLog or l.status < 400) then 'acknowledged'
        -- Another 2xx than was expected, of a service of the user's own, is an acknowledgment all the same.
        when not hasSiteLog and l.outcome like 'status-2%' then 'acknowledged'
        -- The try that was answered so may not have been the first.
        when not hasSiteLog and not isOnlyTry and l.outcome in ('status-503', 'status-404') then 'indeterminate'
        when l.outcome in ('unsent', 'local', 'refused', 'connect-timeout', 'unreachable', 'status-503', 'status-404') then 'failed'
        -- Of several tries only the last one's error is known to be this request's.
        when isOnlyTry and c.failure = 'refused' then 'failed'
        else 'indeterminate' end as known
    from ledger as l
      left join (select id, site, min(writtenUs) as writtenUs from notes where id is not null group by id, site) as n
        on n.id = l.requestId and n.site = l.site
      left join site as s on s.seq = l.seq and s.isLast and s.status = l.status
      -- The last answer of all may have another status than the client's.
      left join (
        select seq, status, arg_max(answeredUs, line) as answeredUs from site where not isOnly and not isCut group by seq, status
      ) as again on again.seq = l.seq and again.status = l.status
      left join causes as c on c.line = l.line, run
    where l.isWrite
  )
  select line, seq, site, requestId, outcome, version, known, case
      when known = 'acknowledged' and not isStored then 'lost'
      -- Stamped on one clock: who commits before it answers never has them in this order.
      when known = 'acknowledged' and writtenUs > answeredUs then 'early'
      when known = 'failed' and isStored then 'misattributed'
      when known = 'indeterminate' and isStored then 'recovered'
      when isStored then 'stored' else 'absent' end as fate
  from told`,
  },
  placed: {
    about: 'Requests by site, method, and the moment (table moments) in which they were due.',
    isAskedOften: true,
    columns: {
      fromUs: 'The moment’s begin, µs.',
      atRisk: 'Restarts in whose at-risk span it lies.',
      outage: 'Restarts in whose outage window it lies.',
      due: 'How many were due.',
      dropped: 'How many of them were dropped.',
      latestUs: 'How late the latest of them left, µs.',
      longestWaitUs: 'The longest wait of an ok answer among them, µs.',
      firstLine: 'The line of the first of them in the ledger.',
    },
    sql: `
  with bounds as (
    select min(dueUs) as firstUs, max(dueUs) as lastUs, greatest(${slices.leastUs}, (lastUs - firstUs) // ${slices.most}) as sliceUs
    from ledger
  ), spans as (
    select *, lead(fromUs, 1, 1e15) over (partition by site order by fromUs) as toUs from moments
  ), sliced as (
    -- A row is held against the moments of its slice of time: an ASOF join, which sorts all rows, takes four times as long.
    select site, fromUs, toUs, firstUs, sliceUs, unnest(range(
        (greatest(fromUs, firstUs)::bigint - firstUs) // sliceUs, (least(toUs, lastUs)::bigint - firstUs) // sliceUs + 1)) as slice
    from spans, bounds
  ), found as (
    select site, fromUs, method, count(*) as due, count(*) filter (dropped) as dropped, max(sentUs - dueUs) as latestUs,
      max(waitUs) as longestWaitUs, min(line) as firstLine
    from (select l.*, (dueUs - firstUs) // sliceUs as slice from ledger as l, bounds) join sliced using (site, slice)
    where dueUs >= fromUs and dueUs < toUs
    group by site, fromUs, method
  )
  select site, fromUs, method, restart, atRisk, outage, due, dropped, latestUs, longestWaitUs, firstLine
  from found join moments using (site, fromUs)`,
  },
} as const satisfies Record<string, View>;
