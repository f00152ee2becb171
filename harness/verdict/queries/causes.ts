/**
 * Why a request was dropped: a cause is a line of a witness other than the client that shows it. A phase, or a time
 * window, alone is none. The steps make the table `causes`, with a row for each drop that a witness explains.
 */
import { runFiles } from '../../run/run-folder.ts';
import { toleranceUs } from '../tolerances.ts';
import { query } from './query.ts';
import { ofServer } from './server-log.ts';
import { ofUnit } from './unit-causes.ts';

/**
 * The engine tells of a container's end when it has cleaned up after it. From when on it was gone, the proxy's own log
 * tells better: it answers nobody any more.
 */
const toldLateUs = 1_000_000;
/** Where two checks end at one tick, the proxy acts in one order and may log in the other, some ms apart. */
const oneTickUs = 10_000;
/**
 * The proxy writes the error, then the answer; the engine stamps the error when it has read it from a pipe. So the line
 * is looked for from a little before the answer's end to a while after it.
 */
const beforeUs = 5_000;
const afterUs = 50_000;
/** Tries nearer than this to the nearest one could have been written in either order. */
const confusableUs = 2_000;

/**
 * In their order; each makes a table that the next ones read. Spans are joined by time alone, which DuckDB does by sorting
 * both; with the site among the conditions it compares each drop with each span of its site.
 */
export const causeSteps = {
  lost: query(
    "Every drop, with the proxy's line of it.",
    `
    select l.line, l.seq, l.site, l.outcome, l.status, l.version, l.doneUs, coalesce(l.sentUs, l.dueUs) as fromUs,
      p.line as accessLine, p.status as proxyStatus, p.backend, p.startUs, p.endUs,
      not p.isMadeUp and case when hasSiteLog then p.bytes >= l.expectedBytes else starts_with(l.outcome, 'status-') or l.outcome = 'wrong' end as isPassedOnWhole
    from ledger as l left join proxy as p on p.seq = l.seq and p.isLast, run
    where l.dropped`,
  ),
  said: query(
    "The site's own whole answer, with the status that the client got.",
    `
    select lost.line, min(site.line) as siteLine, arg_min(code, site.line) as code
    from lost join site on site.seq = lost.seq and site.status = lost.status
    where not isCut and lost.version is not null
    group by lost.line`,
  ),
  cut: query(
    "The site's line of an answer that was cut.",
    `
    select lost.line, min(site.line) as siteLine, arg_min({'of': site.status}, site.line).of as status
    from lost join site on site.seq = lost.seq
    where isCut
    group by lost.line`,
  ),
  ended: query(
    "The timeline's line of the closed port, or of the leaving process, that the drop met: at the client, and at the proxy.",
    `
    select lost.line,
      arg_min(ends.line, nth) filter (lost.site = ends.site and kind = 'closed' and doneUs >= ends.fromUs and lost.fromUs <= ends.toUs) as closed,
      arg_min(ends.line, nth) filter (lost.site = ends.site and kind = 'leaving' and doneUs >= ends.fromUs and lost.fromUs <= ends.toUs) as leaving,
      arg_min(ends.line, nth) filter (lost.site = ends.site and kind = 'routeless' and doneUs >= ends.fromUs and lost.fromUs <= ends.toUs) as routeless,
      arg_min(ends.line, nth) filter (lost.site = ends.site and kind = 'closed' and endUs >= ends.fromUs and startUs <= ends.toUs) as closedBehind,
      arg_min(ends.line, nth) filter (lost.site = ends.site and kind = 'leaving' and endUs >= ends.fromUs and startUs <= ends.toUs) as leavingBehind
    from lost join ends on greatest(doneUs, endUs) >= ends.fromUs and least(lost.fromUs, startUs) <= ends.toUs
    group by lost.line`,
  ),
  checked: query(
    "Of a 503 of the proxy's own: the lines at which its check found the last backend down, or some backend just then.",
    `
    select lost.line,
      arg_min(downs.line, nth) filter (lost.site = downs.site and not isTurn and endUs + ${toleranceUs} >= fromWhenUs and startUs - ${toleranceUs} <= toWhenUs) as down,
      arg_min(downs.line, nth) filter (lost.site = downs.site and isTurn and endUs + ${oneTickUs} >= fromWhenUs and startUs - ${oneTickUs} <= fromWhenUs) as turned
    from lost join downs on endUs + ${toleranceUs} >= fromWhenUs and startUs - ${toleranceUs} <= toWhenUs
    where accessLine is not null and backend is null and proxyStatus = 503
    group by lost.line`,
  ),
  nearest: query(
    "The failed try in the proxy's own log that is nearest to the end of its answer; of two as near the earlier.",
    `
    select lost.line, lost.endUs,
      case when b.atUs >= endUs - ${beforeUs} and (a.atUs is null or endUs - b.atUs <= a.atUs - endUs) then b else a end as try
    from lost
      asof left join failed_tries as b on lost.site = b.site and lost.endUs >= b.atUs
      asof left join failed_tries as a on lost.site = a.site and lost.endUs < a.atUs
    where backend is not null`,
  ),
  behind: query(
    'What stands behind an answer of the proxy: the try, if it is near; which failure, if no other kind is as near.',
    `
    select line, try.line as tryLine, case
        when try.atUs - try.otherBeforeUs <= ${confusableUs} and try.otherBeforeUs >= endUs - ${beforeUs}
          or try.otherAfterUs - try.atUs <= ${confusableUs} and try.otherAfterUs <= endUs + ${afterUs}
        then 'refused or reset' else try.failure end as failure
    from nearest
    where try.atUs between endUs - ${beforeUs} and endUs + ${afterUs}`,
  ),
  proxyEnd: query(
    "When the proxy's container ended, by the engine, and when the proxy answered for the last time.",
    `
    select min(line) as dieLine, arg_min(atWallUs, line) - (select originWallUs from run) as dieUs,
      (select max(endUs) from proxy) as lastUs
    from engine where role = 'edge' and action = 'die'`,
  ),
  ofUnit,
  ofServer,
  explained: query(
    'Each drop with the words of its cause, before those without one are left out.',
    `
    select lost.line, seq, behind.failure, case
        when said.line is not null and outcome = 'wrong' then {'cause': 'the site answered with another body than was asked for', 'file': '${runFiles.requestLog}', 'witnessLine': said.siteLine}
        when said.line is not null then {'cause': 'the site itself answered ' || lost.status || case when code <> 'OK' then ' (' || code || ')' else '' end, 'file': '${runFiles.requestLog}', 'witnessLine': said.siteLine}
        when isProxyDeployed and accessLine is null and outcome = 'status-404' and lost.version is null and routeless is not null
          then {'cause': 'the proxy accepted before it had its routes', 'file': '${runFiles.timeline}', 'witnessLine': routeless}
        when isProxyDeployed and lost.status is null and coalesce(closed, leaving) is not null
          then {'cause': case when outcome = 'refused' then 'refused: nobody listened at the proxy’s port'
              else 'the proxy ended with the request under way' end,
            'file': '${runFiles.timeline}', 'witnessLine': coalesce(closed, leaving)}
        when cut.line is not null and coalesce(closed, leaving) is not null then {'cause': 'the site’s process ended with the request under way', 'file': '${runFiles.requestLog}', 'witnessLine': cut.siteLine}
        when cut.status is not null then {'cause': 'the site broke off its answer', 'file': '${runFiles.requestLog}', 'witnessLine': cut.siteLine}
        when not hasSiteLog and isPassedOnWhole and lost.status = proxyStatus
          then {'cause': case when outcome = 'wrong' then 'the service answered otherwise than was asked for' else 'the service itself answered ' || proxyStatus end,
            'file': '${runFiles.accessLog}', 'witnessLine': accessLine}
        when accessLine is not null and backend is null and proxyStatus = 404 then {'cause': 'the proxy had no route', 'file': '${runFiles.accessLog}', 'witnessLine': accessLine}
        when down is not null then {'cause': 'the proxy’s check held no backend to be up', 'file': '${runFiles.proxyLog}', 'witnessLine': down}
        when turned is not null then {'cause': 'the proxy had chosen a backend that its check was just finding down', 'file': '${runFiles.proxyLog}', 'witnessLine': turned}
        when backend is not null and not coalesce(isPassedOnWhole, false) and coalesce(failure, 'refused or reset') not in ('cancelled', 'other')
            and (closedBehind is not null or coalesce(failure, 'refused or reset') <> 'refused' and leavingBehind is not null)
          then {'cause': case coalesce(failure, 'refused or reset')
              when 'refused' then 'refused: nobody listened at the backend’s port'
              when 'reset' then 'reset: the backend’s connection ended before the answer'
              when 'timeout' then 'timeout: the backend took no connection, or gave no answer, in time'
              else 'refused or reset: the proxy’s own log does not tell which' end,
            'file': case when tryLine is null then '${runFiles.accessLog}' else '${runFiles.proxyLog}' end, 'witnessLine': coalesce(tryLine, accessLine)}
        when hasProxy and dieUs <= doneUs + ${toldLateUs} and coalesce(lastUs <= doneUs + ${toleranceUs}, true)
          then {'cause': 'the proxy’s container had ended', 'file': '${runFiles.engineEvents}', 'witnessLine': dieLine}
        when ofUnit.line is not null then {'cause': ofUnit.cause, 'file': '${runFiles.timeline}', 'witnessLine': unitLine}
        when ofServer.line is not null then {'cause': 'the server’s log: ' || ofServer.what, 'file': '${runFiles.serverLog}', 'witnessLine': serverLine}
        when not hasProxy and coalesce(closed, leaving) is not null
          then {'cause': 'the site’s port was closed, or its process was leaving', 'file': '${runFiles.timeline}', 'witnessLine': coalesce(closed, leaving)}
      end as found
    from lost
      left join said using (line) left join cut using (line) left join ended using (line)
      left join checked using (line) left join behind using (line)
      left join ofUnit using (line) left join ofServer using (line), proxyEnd, run`,
  ),
  causes: query(
    'Drops that a witness other than the client explains, with the line that shows it.',
    `
    select line, seq, case when starts_with(found.cause, failure || ':') then failure end as failure,
      found.cause, found.file, found.witnessLine, ofUnit.said
    from explained left join ofUnit using (line) where found is not null`,
  ),
} as const;
