/** What a run's tables and views hold: for those who ask questions of their own, and for docs/data.md. */
import type { RunDatabase } from '../run/database.ts';
import type { RunRecord } from '../run/run-record.ts';
import { runConstants, runTables } from '../run/tables.ts';
import { derivedTables } from './run-tables.ts';
import { viewColumns, views, type View } from './queries/views.ts';

/** A table or view. */
export interface DescribedTable {
  readonly name: string;
  readonly about: string;
  /** The file that it is read from; null of what is worked out. */
  readonly file: string | null;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly about: string }[];
}

/** Columns that serve the loading of a file alone. */
const hidden: ReadonlySet<string> = new Set(['isDamaged', 'oddId']);

const lineAbout = 'Number of the line in its file, from 1.';

/**
 * Every table and view that a question may be about, the most useful first.
 * @throws {Error} when a column is told of nowhere: that is a fault of the harness
 */
export async function describeTables(database: RunDatabase, record: RunRecord): Promise<DescribedTable[]> {
  const files = runTables(record);
  const told: Record<string, string> = { line: lineAbout, ...viewColumns };
  for (const { columns } of files) for (const [name, { about }] of Object.entries(columns)) told[name] ??= about;
  const constants = runConstants(record);
  const named = [
    ...Object.entries<View>(views).map(([name, { about, columns }]) => {
      return { name, about, file: null, own: { ...viewColumns, ...columns } };
    }),
    ...Object.entries(derivedTables).map(([name, { about, columns }]) => ({ name, about, file: null, own: columns })),
    ...files.map(({ name, about, file, columns }) => ({ name, about, file: file.name, own: aboutsOf(columns) })),
    { name: 'run', about: 'The run itself, in one row.', file: null, own: aboutsOf(constants) },
  ];
  const described: DescribedTable[] = [];
  for (const { name, about, file, own } of named) {
    const rows = await database.all<{ column_name: string; column_type: string }>(`describe ${name}`);
    const columns = rows
      .filter(({ column_name: column }) => !hidden.has(column))
      .map(({ column_name: column, column_type: type }) => {
        const text = (own as Record<string, string>)[column] ?? told[column];
        if (text === undefined) throw new Error(`${name}.${column} is told of nowhere`);
        return { name: column, type, about: text };
      });
    described.push({ name, about, file, columns });
  }
  return described;
}

function aboutsOf(columns: Readonly<Record<string, { readonly about: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(columns).map(([name, { about }]) => [name, about]));
}
