/** Answers to queries, and what can be asked, as text. */
import { markdownTable } from 'markdown-table';
import { shownLine } from '../../base/foreign-text.ts';
import type { Answer } from '../../run/database.ts';
import type { DescribedTable } from '../../verdict/dictionary.ts';
import type { Query } from '../../verdict/queries/query.ts';

/** Questions that a reader may begin with. */
export const exampleQueries: readonly (readonly [question: string, sql: string])[] = [
  [
    'The 99th percentile of the wait of POSTs on kept connections while draining, ms',
    "select quantile_disc(waitUs, 0.99) / 1000 as ms from requests where method = 'POST' and connection = 'kept' and phase = 'draining'",
  ],
  [
    'Requests that waited over 800 ms in restart 3, and where',
    'select seq, waitUs / 1000 as ms, waitedAt, phase from requests where restart = 3 and waitUs > 800000 order by seq',
  ],
  [
    'Drops by second',
    'select dueUs // 1000000 as second, count(*) as dropped from drops group by second order by second',
  ],
  [
    'How often the site was asked, a request',
    'select tries, count(*) as requests from requests group by tries order by tries',
  ],
  [
    'Writes by the version that answered',
    'select version, fate, count(*) as writes from writes group by all order by all',
  ],
];

/** An answer as a table for people. */
export function answerText({ names, rows }: Answer): string {
  return `${markdownTable([[...names], ...rows.map((row) => row.map(shown))])}\n${rows.length} ${rows.length === 1 ? 'row' : 'rows'}\n`;
}

/** RFC 4180, with the line ends of Unix. */
export function csvText({ names, rows }: Answer): string {
  const field = (text: string): string => (/[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [names, ...rows.map((row) => row.map(textOf))].map((row) => `${row.map(field).join(',')}\n`).join('');
}

function shown(value: unknown): string {
  return value === null ? 'null' : shownLine(textOf(value));
}

function textOf(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Tables with their columns, named queries, and examples.
 * @param call how a user calls the command
 */
export function tablesText(
  tables: readonly DescribedTable[],
  queries: Readonly<Record<string, Query>>,
  { folder, call }: { folder: string; call: string },
): string {
  const width = Math.max(...Object.keys(queries).map((name) => name.length));
  return [
    ...tables.map(({ name, about, columns }) => {
      const rows = columns.map((column) => `  ${column.name.padEnd(20)} ${column.type.padEnd(9)} ${column.about}\n`);
      return `${name}: ${about}\n${rows.join('')}`;
    }),
    `Named queries (${call} RUN NAME):\n${Object.entries(queries)
      .map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}\n`)
      .join('')}`,
    `Examples:\n${exampleQueries.map(([question, sql]) => `  ${question}:\n  ${call} ${folder} "${sql}"\n`).join('')}`,
  ].join('\n');
}
