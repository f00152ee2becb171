/** What a verdict counts is a query with a name: `query RUN NAME` runs it on any run. */

/** A query over the tables of a run. */
export interface Query {
  /** What it answers, in a line. */
  readonly about: string;
  readonly sql: string;
}

/** A query, with its lines moved to the left. */
export function query(about: string, sql: string): Query {
  const lines = sql.replace(/^\n|\s+$/gu, '').split('\n');
  const indent = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/u)));
  return { about, sql: lines.map((line) => line.slice(indent)).join('\n') };
}
