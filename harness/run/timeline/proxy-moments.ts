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
    select b.restart, p.version, {'endUs': p.endUs, 'status': p.status, 'requestId': p.requestId} as moment,
      p.status >= 400 and p.version is null as isOwnError
    from proxy p asof join begins b on p.endUs >= b.atUs, run
    where starts_with(p.requestId, run.runId)
  )
  select restart,
    arg_min(moment, moment.endUs) filter (isOwnError) as "proxy-first-error",
    arg_min(moment, moment.endUs) filter (not isOwnError and version = 'v' || restart) as "proxy-first-answer",
    arg_max(moment, moment.endUs) filter (isOwnError) as "proxy-last-error"
  from answers group by restart order by restart`;

const kinds = ['proxy-first-error', 'proxy-first-answer', 'proxy-last-error'] as const;

/**
 * The events.
 * @param begins when each deploy began, in microseconds since the run's origin, in order
 */
export async function proxyMoments(database: RunDatabase, begins: readonly number[]): Promise<TimelineEvent[]> {
  const rows = begins.map((atUs, index) => ({ atUs, restart: index + 1 }));
  await database.put('begins', { atUs: 'DOUBLE', restart: 'INTEGER' }, rows);
  const found = await database.all<{ restart: number } & Record<(typeof kinds)[number], Moment | null>>(
    momentsByRestart,
  );
  return kinds.flatMap((kind) =>
    found.flatMap((of): TimelineEvent[] => {
      const moment = of[kind];
      if (moment === null) return [];
      const { endUs, status, requestId } = moment;
      return [
        { atUs: Math.round(endUs), kind, source: 'proxy', restart: of.restart, detail: `${status} for ${requestId}` },
      ];
    }),
  );
}

/** Which restart had begun last at this time; 0 before the first. `begins` is in order. */
export function restartAt(begins: readonly number[], atUs: number): number {
  return begins.findLastIndex((us) => us <= atUs) + 1;
}
