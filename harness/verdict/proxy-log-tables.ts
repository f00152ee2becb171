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
  const failed: FailedTry[] = [];
  let retries = 0;
  let hasProxyLog = false;
  for await (const lines of readProxyLogLines(folder)) {
    hasProxyLog = true;
    for (const line of lines) {
      checks.addLogLine(line);
      if (line.kind === 'failed-try') failed.push(failedTryOf(line, originWallUs));
      if (line.kind === 'another-try') retries++;
    }
  }
  const columns = {
    site: 'VARCHAR',
    atUs: 'DOUBLE',
    line: 'INTEGER',
    failure: 'VARCHAR',
    otherBeforeUs: 'DOUBLE',
    otherAfterUs: 'DOUBLE',
  };
  const names = siteNamesOf(run);
  const siteOfPort = new Map(sites.flatMap(({ name, colours }) => colours.map((of) => [of.publicPort, name])));
  const tries = names.flatMap((site) => {
    const own = failed.filter(({ port }) => names.length === 1 || (siteOfPort.get(port) ?? site) === site);
    return besideOthers(own).map((one) => ({ site, ...one }));
  });
  await database.put('failed_tries', columns, tries);
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
  return { checks, hasProxyLog, tries: { retries, failedTries: failed.length } };
}

/** A try of the proxy that failed: without its words, of which a long run has millions. */
interface FailedTry {
  readonly atUs: number;
  readonly line: number;
  readonly failure: string;
  /** The port of the backend that was tried, as in `dial tcp 127.0.0.1:18080: connect: …`; NaN where the error has none (`EOF`). */
  readonly port: number;
}

function failedTryOf(
  { atWallUs, line, failure, error }: Extract<ProxyLogLine, { kind: 'failed-try' }>,
  originWallUs: number,
): FailedTry {
  return { atUs: atWallUs - originWallUs, line, failure, port: Number(/:(\d+): /u.exec(error)?.[1]) };
}

/** In the order of time, one of a moment; each with the nearest try before and after it that failed in another way. */
function besideOthers(failed: readonly FailedTry[]): object[] {
  const sorted = failed.toSorted((a, b) => a.atUs - b.atUs || a.line - b.line);
  const otherIn = (order: typeof sorted): (number | undefined)[] => {
    let [last, other]: [(typeof sorted)[number] | undefined, number | undefined] = [undefined, undefined];
    return order.map((one) => {
      if (last !== undefined && last.failure !== one.failure) other = last.atUs;
      last = one;
      return other;
    });
  };
  const before = otherIn(sorted);
  const after = otherIn(sorted.toReversed()).toReversed();
  return sorted
    .map((one, index) => ({ ...one, otherBeforeUs: before[index], otherAfterUs: after[index] }))
    .filter(({ atUs }, index) => sorted[index - 1]?.atUs !== atUs);
}
