/** The proxy's logs against the ledger: did every request arrive that was sent, once, and get the same answer? */
import { runFiles } from '../../run/run-folder.ts';
import { query } from './query.ts';

export const proxyQueries = {
  'proxy-witness': query(
    "Requests in the proxy's access log and in the ledger: all but arrived and ledgerSent must be 0. Missing are not those that a proxy which was restarted had no line for, as the timeline shows.",
    `
    with sent as (
      select l.line, p.line as accessLine, l.status, p.status as proxyStatus
      from ledger as l left join proxy as p on p.seq = l.seq and p.isLast
      where l.written
    ), arrived as (
      select seq, isLast, coalesce(seq < slots, false) as isPlanned
      from proxy, run
      where seq is not null or starts_with(oddId, idPrefix)
    )
    select
      (select count(*) from arrived) as arrived,
      (select count(*) from sent) as ledgerSent,
      (select count(*) from sent, run where accessLine is null and not (isProxyDeployed and sent.line in (
        select line from causes where file = '${runFiles.timeline}'))) as missing,
      (select count(*) from arrived anti join (select seq from ledger where written) as l on l.seq = arrived.seq
        where isLast or not isPlanned) as extra,
      (select count(distinct seq) from arrived where not isLast and isPlanned) as repeated,
      (select count(*) from sent where status <> proxyStatus) as disagreeing`,
  ),
  'proxy-answers': query(
    'Answers that the proxy made up after a backend had failed it, and when it answered for the last time, µs.',
    `
    -- A try that the balancer turned away with its 503, since the check had just found the backend down, failed nowhere.
    select count(*) filter (backend is not null and isMadeUp and status >= 400 and status <> 503) as answers,
      max(endUs) as lastUs
    from proxy`,
  ),
  reconciliation: query(
    'Rows of the ledger, those that a witness contradicts, and drops without a cause.',
    `
    select
      (select count(*) from ledger) as rows,
      (select count(*) from disagreements) as disagreeing,
      (select count(*) from ledger anti join causes using (line) where dropped) as unexplained`,
  ),
  disagreements: query(
    'The first rows that a witness contradicts.',
    `
    select seq, what from disagreements order by line limit 50`,
  ),
  causes: query(
    'Drops by cause, with the first of each and the line that shows it.',
    `
    select cause, count(*) as dropped, arg_min({'seq': seq, 'file': file, 'line': witnessLine}, line) as example,
      arg_min(said, line) as said
    from causes
    group by cause
    order by min(line)`,
  ),
  unexplained: query(
    'The first drops of which no witness other than the client shows a cause.',
    `
    select seq from ledger anti join causes using (line) where dropped order by line limit 50`,
  ),
} as const;
