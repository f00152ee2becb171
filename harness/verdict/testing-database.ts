/** Asks runs that were made up for a test: their lines become a folder, the folder a database. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../run/database.ts';
import type { LedgerRow } from '../run/files/ledger.ts';
import { openRunDatabase, type JudgedRun } from './evidence.ts';
import { countLedger, type LedgerSummary } from './ledger-summary.ts';
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

/**
 * A run for all tests of a file, which take part in it while they are collected: a database takes long to open.
 * @param make called before the first test runs
 * @returns the run, for the tests
 */
export function sharedRun(make: () => Partial<FolderContent>): () => JudgedRun {
  let run: JudgedRun | undefined;
  beforeAll(async () => {
    const folder = await writeFolder(linesOf(make()), { isOfOneTest: false, isTimelineGiven: true });
    run = await openRunDatabase(folder);
    return () => rm(folder, { recursive: true });
  });
  afterAll(async () => await run?.database.close());
  return () => run ?? expect.fail('the run is opened before the tests');
}

/** A restart, as far as queries ask for it; what is left out is null. */
type Restart = Readonly<Partial<Record<(typeof restartColumns)[number], number | null>>>;

const restartColumns = ['restart', 'deployBeginUs', 'deployEndUs', 'outOfRotationUs', 'steadyUs'] as const;

/** A ledger on its own. */
export interface Case {
  readonly rows: readonly LedgerRow[];
  /** Its own restarts, in place of those of the run. */
  readonly restarts?: readonly Restart[];
  /** Of the schedule; 300 unless said. */
  readonly slots?: number;
}

/** Ledgers that share a run: each is a trial of its own, of which queries know nothing. */
export interface SharedLedgers {
  /** The run, for the tests. */
  run(): JudgedRun;
  /** Takes ledgers in, while tests are collected; gives what a query answers in each of them. */
  answers(name: QueryName, cases: readonly Case[]): () => Promise<Row[][]>;
  /** The same for what a ledger comes to. */
  summary(rows: readonly LedgerRow[]): () => Promise<LedgerSummary>;
  /** A test in which one figure of a query is as each case has it. */
  figures(
    title: string,
    asked: readonly [name: QueryName, figure: string],
    cases: Readonly<Record<string, readonly [expected: unknown, one: Case | readonly LedgerRow[]]>>,
  ): void;
}

/** @param make what the run is beside the ledgers; called before the first test runs */
export function sharedLedgers(make: () => Partial<FolderContent> = () => ({})): SharedLedgers {
  const ledger: LedgerRow[] = [];
  let trials = 0;
  const run = sharedRun(() => ({ ...make(), ledger }));
  /** Takes it in, and gives what a query answers in it. */
  const take = (one: Case): ((name: QueryName) => Promise<Row[]>) => {
    const trial = trials++;
    ledger.push(...one.rows.map((row) => ({ ...row, trial })));
    return (name) => run().database.all(within(one, trial, queries[name].sql));
  };
  const answers: SharedLedgers['answers'] = (name, cases) => {
    const asks = cases.map(take);
    return () => Promise.all(asks.map((ask) => ask(name)));
  };
  return {
    run,
    answers,
    summary(rows) {
      const ask = take({ rows });
      return () => countLedger(async <T>(name: QueryName) => (await ask(name)) as T[], run().tables.windows);
    },
    figures(title, [name, figure], cases) {
      const all = Object.values(cases).map(([, one]) => ('rows' in one ? one : { rows: one }));
      const found = answers(name, all);
      it(title, async () => {
        const figures = (await found()).map((rows) => rows[0]?.[figure]);
        const named = Object.keys(cases).map((key, index) => [key, figures[index]]);
        expect(Object.fromEntries(named)).toEqual(
          Object.fromEntries(Object.entries(cases).map(([key, [expected]]) => [key, expected])),
        );
      });
    },
  };
}

/** The query with this ledger in place of all, also in the views. */
function within({ restarts, slots = 300 }: Case, trial: number, sql: string): string {
  const parts = [
    `ledger as (select * from the_run.main.ledger where trial = ${trial})`,
    `run as (select * replace (${slots} as slots) from the_run.main.run)`,
    ...(restarts === undefined ? [] : [`restarts as (${restartsIn(restarts)})`]),
    ...Object.entries(views).map(([name, view]) => `${name} as (${view.sql})`),
  ];
  return `with ${parts.join(',\n')}\nselect * from (${sql})`;
}

function restartsIn(restarts: readonly Restart[]): string {
  const rowOf = (one: Restart): string => `(${restartColumns.map((column) => String(one[column] ?? null)).join(', ')})`;
  const rows = [{}, ...restarts].map(rowOf).join(', ');
  const names = restartColumns.join(', ');
  return `select *, 'demo' as site, restart as deploy from (values ${rows}) as t(${names}) where restart is not null`;
}
