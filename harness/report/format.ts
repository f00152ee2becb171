/** How figures and tables are written in reports. */
import { markdownTable } from 'markdown-table';
import { present } from '../base/present.ts';
import type { QueryName } from '../verdict/queries/all.ts';
import type { Verdict } from '../verdict/record/verdict.ts';

/** Paragraphs; what is false or empty is left out. */
export function paragraphs(...parts: readonly (string | false)[]): string {
  return present(parts).join('\n\n');
}

/** A list; a line that is false is left out. */
export function listOf(lines: readonly (string | false)[]): string {
  return present(lines)
    .map((line) => `- ${line}`)
    .join('\n');
}

/** Milliseconds, as exact as a reader needs them; a dash where they are not known. */
export function inMs(ms: number | null): string {
  return ms === null ? '–' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** Microseconds since run start, as seconds. */
export function atSeconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`;
}

/** A number with its sign. */
export function signed(value: number): string {
  return value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1);
}

/** Order of words: the same on every machine, whatever its language. */
export function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en');
}

/** The entries of a record by their names. */
export function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => inOrder(a, b));
}

/** Counts, the greatest first. */
export function byCount(record: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(record).sort(([a, many], [b, more]) => more - many || inOrder(a, b));
}

/** Counts by name in one line: `ok 3, refused 1`; a dash where there is none. */
export function countsText(record: Readonly<Record<string, number>>): string {
  return (
    byName(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || '–'
  );
}

/** Of several sites: the one that an event is about. */
export function siteText({ site }: { readonly site?: string | undefined }): string {
  return site === undefined ? '' : ` of ${site}`;
}

/** The event that opened or closed a window of drops. */
export function eventText(event: Verdict['dropWindows'][number]['openedBy']): string {
  return event === null ? 'no event that was seen' : `\`${event.kind}\`${siteText(event)} at ${atSeconds(event.atUs)}`;
}

/** A column of a table: its heading, what a row shows in it (null: not known), and the query that counts it, if one does. */
export type Column<Row> = readonly [
  head: string,
  cell: (row: Row) => string | number | null,
  query?: QueryName | undefined,
];

/** Columns of a table; one that does not hold is left out. */
export type Columns<Row> = readonly (Column<Row> | false)[];

/** A table with a line for each row. */
export function tableOf<Row>(rows: readonly Row[], columns: Columns<Row>): string {
  const shown = present(columns);
  const cells = rows.map((row) => shown.map(([, cell]) => String(cell(row) ?? '–')));
  return markdownTable([shown.map(([head]) => head), ...cells]);
}

/** Which query counts which columns of a table. */
export function countedByColumn<Row>(columns: Columns<Row>): string {
  const heads = new Map<string, string[]>();
  for (const [head, , query] of present(columns)) {
    if (query !== undefined) heads.set(query, [...(heads.get(query) ?? []), head]);
  }
  return `Counted by ${[...heads].map(([query, all]) => `\`${query}\` (${all.join(', ')})`).join(', ')}.`;
}

/** Which queries count what stands above. */
export function countedBy(...queries: readonly QueryName[]): string {
  return `Counted by ${queries.map((query) => `\`${query}\``).join(', ')}.`;
}

/** A figure that a report shows: what it is, its value (null: not known), and the query that counts it, if one does. */
export type Figure = readonly [label: string, value: string | number | null, query?: QueryName];

/** A table of figures, each beside the query that counts it; one that does not hold is left out. */
export function figuresTable(figures: readonly (Figure | false)[]): string {
  return tableOf(present(figures), [
    ['figure', ([label]) => label],
    ['value', ([, value]) => value],
    ['query', ([, , query]) => (query === undefined ? null : `\`${query}\``)],
  ]);
}
