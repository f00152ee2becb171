/** What the proxy's own log tells, as tables. */
import { CheckStates, portOf } from '../run/timeline/check-states.ts';
import { sitesOf } from '../experiment/units.ts';
import type { RunDatabase } from '../run/database.ts';
import { readProxyLogLines, type ProxyLogLine } from '../run/files/proxy-log.ts';
import type { RunRecord } from '../run/run-record.ts';
import { originWallUsOf, siteNamesOf } from '../run/tables.ts';
import { neverUs } from './tolerances.ts';

/** What the log told beside its tables. */
export interface ProxyLogTold {
  readonly checks: CheckStates;
  /** Has the proxy's own log any line? */
  readonly hasProxyLog: boolean;
  /** The two logs of the proxy beside each other: tries that it made again, and tries that failed. */
  readonly tries: { readonly retries: number; readonly failedTries: number };
}

/** The proxy's own log: tries that failed, with the nearest that failed otherwise, and what its check held of the backends. */
export async function putProxyLog(
  database: RunDatabase,
  { folder, run }: { folder: string; run: RunRecord },
): Promise<ProxyLogTold> {
  const originWallUs = originWallUsOf(run);
  const sites = run.kind === 'experiment' ? sitesOf(run.experiment) : [];
  const checks = new CheckStates();
  const names = siteNamesOf(run);
  const siteOfPort = new Map(sites.flatMap(({ name, colours }) => colours.map((of) => [of.publicPort, name])));
  const triesOf = (line: FailedTryLine): object[] => {
    const { port, ...failed } = failedTryOf(line, originWallUs);
    const own = names.filter((site) => names.length === 1 || (siteOfPort.get(port) ?? site) === site);
    return own.map((site) => ({ site, ...failed }));
  };
  let [retries, failedTries] = [0, 0];
  let hasProxyLog = false;
  await database.put('failed_tries', failedTryColumns, []);
  for await (const lines of readProxyLogLines(folder)) {
    hasProxyLog = true;
    for (const line of lines) {
      checks.addLogLine(line);
      if (line.kind === 'another-try') retries++;
    }
    const failed = lines.filter((line) => line.kind === 'failed-try');
    failedTries += failed.length;
    await database.append('failed_tries', failedTryColumns, failed.flatMap(triesOf));
  }
  await database.run(besideOthers);
  const since = (wallUs: number): number => Math.min(wallUs - originWallUs, neverUs);
  const downs = sites
    .flatMap(({ name: site, colours }) => {
      const ports = sites.length === 1 ? undefined : colours.map(({ publicPort }) => publicPort);
      const isOwn = (service: string): boolean => ports === undefined || ports.includes(portOf(service));
      return [
        ...checks.downTimes(ports).map(({ fromUs, untilUs, line }) => {
          return { site, isTurn: false, fromWhenUs: since(fromUs), toWhenUs: since(untilUs), line };
        }),
        ...checks
          .all()
          .filter(({ up, service }) => !up && isOwn(service))
          .map(({ atWallUs, line }) => {
            return { site, isTurn: true, fromWhenUs: since(atWallUs), toWhenUs: since(atWallUs), line };
          }),
      ];
    })
    .map((down, nth) => ({ ...down, nth }));
  await database.put(
    'downs',
    { site: 'VARCHAR', isTurn: 'BOOLEAN', nth: 'INTEGER', fromWhenUs: 'DOUBLE', toWhenUs: 'DOUBLE', line: 'INTEGER' },
    downs,
  );
  return { checks, hasProxyLog, tries: { retries, failedTries } };
}

const failedTryColumns = { site: 'VARCHAR', atUs: 'DOUBLE', line: 'INTEGER', failure: 'VARCHAR' } as const;

type FailedTryLine = Extract<ProxyLogLine, { kind: 'failed-try' }>;

/** A try of the proxy that failed: without its words, of which a long run has millions. */
interface FailedTry {
  readonly atUs: number;
  readonly line: number;
  readonly failure: string;
  /** The port of the backend that was tried, as in `dial tcp 127.0.0.1:18080: connect: …`; NaN where the error has none (`EOF`). */
  readonly port: number;
}

function failedTryOf({ atWallUs, line, failure, error }: FailedTryLine, originWallUs: number): FailedTry {
  return { atUs: atWallUs - originWallUs, line, failure, port: Number(/:(\d+): /u.exec(error)?.[1]) };
}

/** One try of a moment; each with the nearest try before and after it that failed in another way. */
const besideOthers = `
create or replace table failed_tries as
with beside as (
  select *, lag(atUs) over nth as beforeUs, lag(failure) over nth as before,
    lead(atUs) over nth as afterUs, lead(failure) over nth as after
  from failed_tries
  window nth as (partition by site order by atUs, line)
)
select site, atUs, line, failure,
  last_value(case when before <> failure then beforeUs end ignore nulls) over nth as otherBeforeUs,
  first_value(case when after <> failure then afterUs end ignore nulls) over (
    partition by site order by atUs, line rows between current row and unbounded following) as otherAfterUs
from beside
window nth as (partition by site order by atUs, line rows unbounded preceding)
qualify beforeUs is distinct from atUs`;
