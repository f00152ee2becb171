/** Asks runs that were made up for a test: their lines become a folder, the folder a database. */
import type { Row } from '../run/database.ts';
import type { LedgerRow } from '../run/files/ledger.ts';
import { openRunDatabase } from './evidence.ts';
import { askerOf, countLedger, type LedgerSummary } from './ledger-summary.ts';
import { namedQueries, queries, type QueryName } from './queries/all.ts';
import { views } from './queries/views.ts';
import { linesOf, writeFolder, type FolderContent } from './testing-folder.ts';

/**
 * What these queries answer, in their order.
 * @param asked names of queries, or SQL
 */
export async function answersOf<const A extends readonly string[]>(
  content: FolderContent,
  ...asked: A
): Promise<{ -readonly [K in keyof A]: Row[] }> {
  const { database } = await openRunDatabase(await writeFolder(content, { isTimelineGiven: true }));
  try {
    const answers: Row[][] = [];
    for (const name of asked) answers.push(await database.all(namedQueries[name]?.sql ?? name));
    return answers as { -readonly [K in keyof A]: Row[] };
  } finally {
    await database.close();
  }
}

/** A restart, as far as queries ask for it; what is left out is null. */
export type Restart = Readonly<Partial<Record<(typeof restartColumns)[number], number | null>>>;

const restartColumns = ['restart', 'deployBeginUs', 'outOfRotationUs', 'steadyUs'] as const;

/** A ledger on its own. */
export interface Case {
  readonly rows: readonly LedgerRow[];
  readonly restarts?: readonly Restart[];
  /** Of the schedule; 300 unless said. */
  readonly slots?: number;
}

/**
 * What a query answers in each case. They stand in one database, which takes long to open: each is a trial of its own.
 * @param content what the run is beside the ledgers, and its restarts where a case has none of its own
 */
export async function answersOfEach(
  name: QueryName,
  cases: readonly Case[],
  content: Partial<FolderContent> = {},
): Promise<Row[][]> {
  const ledger = cases.flatMap(({ rows }, trial) => rows.map((row) => ({ ...row, trial })));
  const { sql } = queries[name];
  const asked = cases.map(({ restarts, slots = 300 }, trial) => {
    const parts = [
      `ledger as (select * from the_run.main.ledger where trial = ${trial})`,
      `run as (select * replace (${slots} as slots) from the_run.main.run)`,
      ...(restarts === undefined ? [] : [`restarts as (${restartsIn(restarts)})`]),
      `drops as (${views.drops.sql})`,
    ];
    const isWith = sql.startsWith('with ');
    return `with ${parts.join(',\n')}${isWith ? `, ${sql.slice('with '.length)}` : `\n${sql}`}`;
  });
  return answersOf(linesOf({ ...content, ledger }), ...asked);
}

function restartsIn(restarts: readonly Restart[]): string {
  const rowOf = (one: Restart): string => `(${restartColumns.map((column) => String(one[column] ?? null)).join(', ')})`;
  const rows = [{}, ...restarts].map(rowOf).join(', ');
  return `select * from (values ${rows}) as t(${restartColumns.join(', ')}) where restart is not null`;
}

/** What the ledger comes to in a run. */
export async function summaryOf(content: Partial<FolderContent>): Promise<LedgerSummary> {
  const { database, tables } = await openRunDatabase(await writeFolder(linesOf(content), { isTimelineGiven: true }));
  try {
    return await countLedger(askerOf(database), tables.windows);
  } finally {
    await database.close();
  }
}
