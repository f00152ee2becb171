/** Tables of what only a user's service has: what its units went through, and its access logs beside the drops. */
import type { RunDatabase } from '../../run/database.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import { originWallUsOf } from '../../run/tables.ts';
import { makeLogCounts, makeServerFates, makeServerLines, makeServerPairs, matchPairs } from '../queries/server-log.ts';
import { neverUs } from '../tolerances.ts';
import { unitSpans } from './service-windows.ts';

/** A line that is matched may leave another with one request only: how often that is followed. */
const mostMatchRounds = 10;

/** What the units of a user's service went through, by the journal; an experiment's table is empty. */
export async function putUnitSpans(
  database: RunDatabase,
  run: RunRecord,
  timeline: readonly TimelineEvent[],
): Promise<void> {
  const spans =
    run.kind === 'measure'
      ? unitSpans(timeline, { first: run.service.journal?.[0] ?? '', originWallUs: originWallUsOf(run) })
      : [];
  const times = { fromUs: 'DOUBLE', toUs: 'DOUBLE' } as const;
  await database.put(
    'unit_spans',
    { unit: 'VARCHAR', state: 'VARCHAR', ...times, line: 'INTEGER', said: 'VARCHAR' },
    spans.map((span) => ({ ...span, toUs: Math.min(span.toUs, neverUs) })),
  );
}

/** The access logs of a user's service, and their lines beside the drops; an experiment has none. */
export async function putServerLogs(database: RunDatabase, run: RunRecord): Promise<void> {
  const logs = run.kind === 'measure' ? (run.accessLogs ?? []) : [];
  const numbered = logs.map((log, index) => ({ ...log, log: index + 1 }));
  await database.put('server_logs', { log: 'INTEGER', path: 'VARCHAR', joined: 'VARCHAR' }, numbered);
  await database.put(
    'log_gaps',
    { log: 'INTEGER', fromUs: 'DOUBLE', toUs: 'DOUBLE' },
    numbered.flatMap(({ log, emptied }) => emptied.map(([fromUs, toUs]) => ({ log, fromUs, toUs }))),
  );
  await database.run(makeServerPairs);
  const hasNoIds = numbered.some(({ joined }) => joined === 'time');
  for (let round = 0; hasNoIds && round < mostMatchRounds; round++) await database.run(matchPairs);
  await database.run(makeServerLines);
  await database.run(makeLogCounts);
  await database.run(makeServerFates);
}
