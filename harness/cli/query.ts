/** `query`: asks a run any question, in SQL. */
import { exitCodes, HarnessError } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { didYouMean } from '../base/nearest.ts';
import { answerText, csvText, tablesText } from './print/query-text.ts';
import { command } from './command.ts';

/** Rows that are printed as a table, and that are read at all. */
const mostShown = 1_000;
const mostRows = 1_000_000;

/** Exits 0 whatever the answer is. */
export const query = command({
  name: 'query',
  about: 'ask a run any question in SQL, or list what can be asked',
  takes: [
    ['<run>', "the run's folder, such as reports/measure/latest"],
    ['[sql]', 'a select over the tables and views of the run, or the name of a query'],
  ],
  options: { '--json': 'the rows as JSON, an object each', '--csv': 'the rows as CSV' },
  notes: `Without SQL it lists tables, columns with their units, the named queries that verdicts are made of, and examples. DuckDB runs
the query; it can read nothing but the run, and change nothing. docs/data.md tells of every file and column.`,
  examples: [
    'npm run query -- reports/E5/latest',
    'npm run query -- reports/measure/latest drop-windows',
    'npm run query -- reports/E5/latest "select phase, max(waitUs) / 1000 as ms from requests group by phase" --csv',
  ],
  run: async (context, folder, sql, options) => {
    const { openRunDatabase } = await import('../verdict/evidence.ts');
    const { namedQueries } = await import('../verdict/queries/all.ts');
    const { open, database } = await openRunDatabase(folder);
    try {
      await database.lock();
      if (sql === undefined) {
        const { describeTables } = await import('../verdict/dictionary.ts');
        const call = context.callOf('query');
        context.stdout(tablesText(await describeTables(database, open.record), namedQueries, { folder, call }));
        return exitCodes.pass;
      }
      // One word is no SQL.
      if (/^[\w-]+$/u.test(sql) && namedQueries[sql] === undefined) {
        const hint = `${didYouMean(sql, Object.keys(namedQueries))}${context.callOf('query')} ${folder} lists them.`;
        throw new HarnessError('query-wrong', `There is no query of the name ${sql}.`, { hint });
      }
      const isTable = options.json !== true && options.csv !== true;
      const answer = await database.answer(namedQueries[sql]?.sql ?? sql, {
        most: isTable ? mostShown : mostRows,
        signal: context.signal,
      });
      const { names, rows } = answer;
      if (options.json === true)
        context.stdout(jsonText(rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])))));
      else context.stdout(options.csv === true ? csvText(answer) : answerText(answer));
      if (answer.isCut) context.stderr(`note: only the first ${rows.length} rows; ask with a limit, or for sums\n`);
      return exitCodes.pass;
    } catch (error) {
      // DuckDB ends an interrupted query with an error of its own.
      if (context.signal.aborted) return exitCodes.interrupted;
      throw error;
    } finally {
      await database.close();
    }
  },
});
