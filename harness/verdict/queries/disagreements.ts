/**
 * Reconciliation by request id: every row of the ledger beside its line in the proxy's access log and in the site's own
 * log. Each rule says what three honest witnesses of one request cannot say together.
 */
import { runFiles } from '../../run/run-folder.ts';
import { oneClockUs, toleranceUs, wallClockUs } from '../tolerances.ts';
import { query, type Query } from './query.ts';
import { transitAboveMs } from './waits.ts';

/** When it holds, and what is then said. */
type Rule = readonly [condition: string, sentence: string];

const p = "' (line ' || p.line || ')'";
const s = "' (line ' || s.line || ')'";

/** Ledger (l) beside its schedule and the proxy's line (p). */
const besideProxy: readonly Rule[] = [
  [
    "l.outcome in ('refused', 'connect-timeout', 'reset', 'closed', 'unreachable', 'unsent') and l.status is not null",
    "l.outcome || ' of a request that was answered ' || l.status",
  ],
  [
    "l.outcome in ('ok', 'wrong') and l.status is null or starts_with(l.outcome, 'status-') and l.outcome is distinct from 'status-' || l.status",
    "l.outcome || ' with status ' || coalesce(l.status::varchar, 'none')",
  ],
  // A drop must not be passed off as the generator's own failure, of which a run may have a few.
  ["l.outcome = 'local' and l.error is null", "'local, without an error'"],
  [
    "l.outcome = 'local' and l.status is not null and p.status >= 400 and p.status <> 499",
    `'local here, and answered ' || p.status || ' by the proxy' || ${p}`,
  ],
  ['l.dueUs <> round(l.seq * 1e6 / ratePerSecond)', "'it was not due at ' || l.dueUs || ' µs'"],
  ["p.line is not null and l.outcome = 'ok' and p.backend is null", `'ok, and by the proxy itself' || ${p}`],
  ['p.backendSite <> l.site', `'the proxy asked ' || p.backend || ', of another site' || ${p}`],
  // What is filled into a path stands in the proxy's log alone.
  [
    "p.method <> l.method or p.path <> l.path and not (l.request is not null and contains(l.path, '{'))",
    `'the proxy''s log has ' || p.method || ' ' || p.path || ${p}`,
  ],
  ['l.status <> p.status', `l.status || ' here, ' || p.status || ' in the proxy''s log' || ${p}`],
  [
    "hasVersions and p.line is not null and l.outcome = 'ok' and l.version is distinct from p.version",
    `'version ' || coalesce(l.version, 'none') || ' here, ' || coalesce(p.version, 'none') || ' in the proxy''s log' || ${p}`,
  ],
  // Of a HEAD the proxy counts the text of its own answer, which is not sent.
  [
    "l.status is not null and l.outcome <> 'truncated' and l.bytes <> p.bytes and l.method <> 'HEAD'",
    `l.bytes || ' bytes here, ' || p.bytes || ' in the proxy''s log' || ${p}`,
  ],
  [
    `p.startUs < coalesce(l.sentUs, l.dueUs) - ${wallClockUs} - wallMovedUs or p.startUs > l.doneUs + ${toleranceUs}`,
    `'the proxy saw it begin at ' || round(p.startUs)::bigint || ' µs' || ${p} || ', which is not while it was under way'`,
  ],
  // The client says that it had no answer: the proxy ended long before, or sent it in one piece. 499 is the proxy's word
  // for a client that went away, and of a proxy that died, or was told to leave, nobody knows what it still sent.
  [
    `l.status is null and not hasProxyDied and wasToldToLeave is null and (p.endUs < l.doneUs - ${toleranceUs}
      or (l.outcome not in ('timeout', 'connect-timeout') and p.status <> 499 and p.endUs <= l.doneUs + ${toleranceUs}
        and ((p.isMadeUp and p.status >= 400) or (not p.isMadeUp and p.bytes >= l.expectedBytes))))`,
    `l.outcome || ' here, and answered ' || p.status || ' by the proxy' || ${p}`,
  ],
  [
    `starts_with(l.outcome, 'status-') and l.doneUs > p.endUs + ${transitAboveMs * 1000}`,
    `'the proxy ended it at ' || round(p.endUs)::bigint || ' µs' || ${p} || ', long before the client was done'`,
  ],
  [
    `l.outcome = 'ok' and p.endUs > l.doneUs + ${toleranceUs}`,
    `'the proxy ended it at ' || round(p.endUs)::bigint || ' µs' || ${p} || ', after the client had its answer'`,
  ],
];

/** Ledger beside the site's line of the same status, version and instance (s), and the proxy's (p). */
const besideSite: readonly Rule[] = [
  [
    `l.outcome = 'ok' and s.receivedUs < p.startUs - ${wallClockUs} - wallMovedUs`,
    `'the site read it at ' || s.receivedUs || ' µs' || ${s} || ', before the proxy had it' || ${p}`,
  ],
  [
    `l.outcome = 'ok' and p.endUs < s.answeredUs - ${wallClockUs} - wallMovedUs`,
    `'the proxy ended it at ' || round(p.endUs)::bigint || ' µs' || ${p} || ', before the site answered' || ${s}`,
  ],
  [
    `s.receivedUs < coalesce(l.sentUs, l.dueUs) - ${oneClockUs}`,
    `'the site read it at ' || s.receivedUs || ' µs' || ${s} || ', which is not while it was under way'`,
  ],
  [
    `l.doneUs < s.answeredUs - ${oneClockUs}`,
    `'the site answered at ' || s.answeredUs || ' µs' || ${s} || ', after the client had its answer'`,
  ],
  [
    's.line is not null and s.bodyCrc32 is distinct from l.bodyCrc32',
    `'the site answered with another body than the one that arrived' || ${s}`,
  ],
  ['s.method <> l.method or s.path <> l.path', `'the site''s log has ' || s.method || ' ' || s.path || ${s}`],
];

/** What all rules that are broken say. */
const said = [...besideProxy, ...besideSite]
  .map(([condition, says]) => `case when ${condition} then ${says} end`)
  .join(',\n        ');

const isUnmatched = "hasSiteLog and s.line is null and (l.outcome = 'ok' or l.version is not null)";

/** Rows of the ledger, and of the logs, from one slot to another; without an end all that there are. */
interface Slots {
  readonly from?: number;
  readonly to?: number;
}

/** {@link suspects} among these slots. */
export function suspectsAmong({ from, to }: Slots): string {
  const bounds = [from === undefined ? [] : `seq >= ${from}`, to === undefined ? [] : `seq < ${to}`].flat();
  const of = (table: string): string => (bounds.length === 0 ? table : `(from ${table} where ${bounds.join(' and ')})`);
  return `
  from (
    select l.line, l.seq, l.site, l.status, l.doneUs, ${isUnmatched} as isUnmatched, concat_ws('; ',
        ${said}) as what
    from ${of('ledger')} as l
      left join ${of('proxy')} as p on p.seq = l.seq and p.isLast
      left join (
        -- A proxy that was restarted ended with it under way, by the timeline.
        select line as leftLine, true as wasToldToLeave from causes, run where isProxyDeployed and file = '${runFiles.timeline}'
      ) as c on leftLine = l.line
      left join ${of('site')} as s on s.seq = l.seq and s.isFirst
        and s.status = l.status and s.version = l.version and s.instance = l.instance,
      run, (select count(*) > 0 as hasProxyDied from engine where role = 'edge' and action = 'die')
  )
  where isUnmatched or what <> ''`;
}

/** Makes a table that the others read: the ledger is joined with the logs once. */
export const suspects = query(
  "Rows that a log contradicts, and answers of which the site's log has no line of this status and process.",
  suspectsAmong({}),
);

/** Their rows together are the table `disagreements`. */
export const disagreementQueries = {
  'beside-logs': query(
    'Rows that the log of the proxy, or that of the site, contradicts.',
    `
    select line, seq, what from suspects where what <> ''`,
  ),
  'not-in-site': query(
    "Answers of which the site's log has no line, unless its process died just then; or that another process gave.",
    `
    with answered as (
      select u.line, u.seq, u.site, u.doneUs, u.status, min(s.line) as siteLine
      from suspects as u left join site as s on s.seq = u.seq and s.status = u.status and not s.isCut
      where isUnmatched
      group by all
    )
    select line, seq, case when siteLine is null
        then 'the site''s log has no answer ' || coalesce(status::varchar, '') || ' to it'
        else 'the site''s log names another process (line ' || siteLine || ')' end as what
    from answered
    where siteLine is not null or not exists (
      from deaths where deaths.site = answered.site and answered.doneUs between fromUs and toUs)`,
  ),
  'wrong-in-site': query(
    "Lines that the site's own log cannot hold of a request.",
    `
    select l.line, l.seq, case when s.answeredUs < s.receivedUs
        then 'the site answered it before it read it' || ${s}
        else 'the site answered ' || s.status || ' to what SQLite refused' || ${s} end as what
    from site as s join ledger as l using (seq)
    where s.answeredUs < s.receivedUs or s.status between 200 and 299 and s.code <> 'OK'`,
  ),
  'asked-nobody': query(
    'Requests that the site read, and that the proxy asked no backend for.',
    `
    select l.line, l.seq, 'the site has it' || ' (line ' || min(s.line) || ')' || ', and the proxy asked nobody' || ${p.replace('p.line', 'any_value(p.line)')} as what
    from proxy as p join ledger as l using (seq) join site as s using (seq), run
    where p.backend is null and p.isLast and isOnlyTry and hasProxy
    group by l.line, l.seq`,
  ),
  'truncated-whole': query(
    'Answers that are said to have been cut, of which the client has all of the body.',
    `
    select line, seq, 'truncated with all of the body' as what
    from ledger where outcome = 'truncated' and bytes >= expectedBytes`,
  ),
  'twice-in-site': query(
    "Requests of which the site's log has one try twice, or several answers to a write that was tried once.",
    `
    select l.line, l.seq, 'the site''s log has one try of it twice (line ' || max(s.line) || ')' as what
    from site as s join ledger as l using (seq)
    where not s.isOnly
    group by l.line, l.seq, s.instance, s.receivedUs having count(*) > 1
    union all
    select l.line, l.seq, 'the site answered it ' || count(*) || ' times (line ' || min(s.line) || ')' as what
    from site as s join ledger as l using (seq), run
    where not s.isOnly and isOnlyTry and l.method = 'POST' and not s.isCut
    group by l.line, l.seq having count(*) > 1`,
  ),
} as const satisfies Record<string, Query>;

/** What does not agree, row by row: a row for each row of the ledger of which something does not. */
export const makeDisagreements = `
create or replace table disagreements as
select line, any_value(seq) as seq, string_agg(what, '; ' order by nth, what) as what
from (${Object.values(disagreementQueries)
  .map(({ sql }, nth) => `(select *, ${nth} as nth from (${sql}))`)
  .join('\nunion all\n')})
group by line`;
