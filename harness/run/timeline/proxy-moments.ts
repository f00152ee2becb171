/** Of each restart: the proxy's first and last answer of its own (an error without the site), and the new version's first. */
import type { RunDatabase } from '../database.ts';
import type { TimelineEvent } from '../files/timeline.ts';

/** When an answer of the proxy ended, and to what. */
interface Moment {
  readonly endUs: number;
  readonly status: number;
  readonly requestId: string;
}

/** The site names its version in every answer: an error without one is the proxy's own. */
const momentsByRestart = `
  with answers as (
    select b.restart, b.version as brought, p.version, {'endUs': p.endUs, 'status': p.status, 'requestId': p.requestId} as moment,
      p.status >= 400 and p.isMadeUp as isOwnError
    from proxy p asof join begins b on p.site = b.site and p.endUs >= b.atUs, run
    where starts_with(p.requestId, run.runId)
  )
  select restart,
    arg_min(moment, moment.endUs) filter (isOwnError) as "proxy-first-error",
    arg_min(moment, moment.endUs) filter (not isOwnError and version = brought) as "proxy-first-answer",
    arg_max(moment, moment.endUs) filter (isOwnError) as "proxy-last-error"
  from answers group by restart order by restart`;

const kinds = ['proxy-first-error', 'proxy-first-answer', 'proxy-last-error'] as const;

/** A restart, as the proxy's answers are assigned to it. */
export interface RestartBegin {
  readonly site: string;
  readonly restart: number;
  readonly atUs: number;
  /** The version that it brings. */
  readonly brought: string;
}

/**
 * The events.
 * @param begins when each restart began, in microseconds since the run's origin
 * @param isNamed do events name their site?
 */
export async function proxyMoments(
  database: RunDatabase,
  begins: readonly RestartBegin[],
  isNamed: boolean,
): Promise<TimelineEvent[]> {
  const siteOf = new Map(begins.map(({ restart, site }) => [restart, site]));
  const columns = { site: 'VARCHAR', atUs: 'DOUBLE', restart: 'INTEGER', version: 'VARCHAR' } as const;
  const rows = begins.map(({ brought, ...begin }) => ({ ...begin, version: brought }));
  await database.put('begins', columns, rows);
  const found = await database.all<{ restart: number } & Record<(typeof kinds)[number], Moment | null>>(
    momentsByRestart,
  );
  return kinds.flatMap((kind) =>
    found.flatMap((of): TimelineEvent[] => {
      const moment = of[kind];
      if (moment === null) return [];
      const { endUs, status, requestId } = moment;
      const { restart } = of;
      const site = isNamed ? { site: siteOf.get(restart) ?? '' } : {};
      const detail = `${status} for ${requestId}`;
      return [{ atUs: Math.round(endUs), kind, source: 'proxy', restart, ...site, detail }];
    }),
  );
}
