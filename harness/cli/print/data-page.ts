/** docs/data.md, made from the declarations of a run's files and from the database of a kept run. */
import { markdownTable } from 'markdown-table';
import type { DescribedTable } from '../../verdict/dictionary.ts';
import { deployerFile } from '../../run/files/deployer-log.ts';
import { engineEventsFile } from '../../run/files/engine-events.ts';
import type { Fields, RecordFile } from '../../run/files/fields.ts';
import { accessLogFile } from '../../run/files/access-log.ts';
import { journalFile } from '../../run/files/journal.ts';
import { holdsFile } from '../../run/files/holds.ts';
import { ledgerFile } from '../../run/files/ledger.ts';
import { databaseStateFile, notesFile } from '../../run/files/notes.ts';
import { queuesFile } from '../../run/files/queues.ts';
import { runFiles } from '../../run/run-folder.ts';
import { serverLogFile } from '../../run/files/server-log.ts';
import { siteLogFile } from '../../run/files/site-log.ts';
import { timelineFile } from '../../run/files/timeline.ts';
import { namedQueries } from '../../verdict/queries/all.ts';
import { exampleQueries } from './query-text.ts';

const recordFiles: readonly RecordFile<Fields>[] = [
  ledgerFile,
  holdsFile,
  timelineFile,
  accessLogFile,
  siteLogFile,
  databaseStateFile,
  notesFile,
  queuesFile,
  engineEventsFile,
  deployerFile,
  journalFile,
  serverLogFile,
];

/** Files that are no lines of JSON, or that another page tells of. */
const otherFiles: readonly (readonly [name: string, about: string])[] = [
  [
    runFiles.run,
    'What was asked, of whom, and when: experiment, seed, options, versions; the only place with a wall clock.',
  ],
  [runFiles.verdict, 'The verdict ([its schema](verdict.schema.json)).'],
  [runFiles.joined, 'Rows that were not plainly answered, with what every witness says of them (the view `requests`).'],
  [runFiles.direct, 'The direct probe: rows as in the ledger.'],
  [
    runFiles.proxyLog,
    "Traefik's own log at DEBUG, each line behind the engine's stamp: failed tries, checks up and down.",
  ],
  [runFiles.kernel, "Change of the kernel's counters over the load, in the server's network namespace."],
  [runFiles.controls, 'The calibration, and the verdicts of the controls that the run was made beside.'],
  [runFiles.capacity, "autocannon's capacity before and after, where it was asked for; never a count of drops."],
  [runFiles.hashes, 'sha256 of every other file.'],
  [`${runFiles.lab}/`, 'Units, sockets and proxy files as they ran.'],
  [`${runFiles.charts}/, ${runFiles.report}, ${runFiles.page}`, 'The report, made of all the others.'],
];

/** The page as Markdown. */
export function dataPage(tables: readonly DescribedTable[]): string {
  return `# Data of a run

Made from harness/run/ and harness/verdict/queries/ by \`npm run schema\` in a checkout; do not edit.

Commands are written as in a checkout; from the package, \`npm run query -- RUN\` is \`npx restart-proof query RUN\`.

A run is a folder of files. Times in \`Us\` are microseconds since the run's origin (the first due time) on CLOCK_MONOTONIC of the
engine's kernel, unless a field says otherwise; \`Ms\` are milliseconds.

- [Ask a run](#ask-a-run) in SQL, with this project
- [Open it with plain DuckDB](#open-it-with-plain-duckdb), without
- [Files](#files), field by field
- [Tables and views](#tables-and-views), column by column
- [Named queries](#named-queries)

## Ask a run

    npm run query -- reports/E5/latest                          lists tables, columns, queries, examples
    npm run query -- reports/E5/latest drop-windows             a named query
    npm run query -- reports/E5/latest "select …" --csv         a question of your own; or --json

${exampleQueries.map(([question, sql]) => `${question}:\n\n    ${sql}\n`).join('\n')}
## Open it with plain DuckDB

Every file but Traefik's own log is JSON, a line a record, gzipped where its name says so:

    duckdb -c "select outcome, count(*) from 'reports/E1/latest/ledger.ndjson.gz' group by outcome"

    create view ledger as from 'ledger.ndjson.gz';
    create view proxy as select "request_X-Request-Id" as requestId, * from 'witnesses/access.ndjson.gz';
    create view site as select request as requestId, * from 'witnesses/site-requests.ndjson.gz';
    select l.seq, l.outcome, p.DownstreamStatus, s.status
    from ledger as l left join proxy as p using (requestId) left join site as s using (requestId)
    where l.outcome <> 'ok';

The site stamps by CLOCK_MONOTONIC: its origin is \`originMonotonicUs\` in run.json. The proxy stamps by the wall clock: its origin
is \`originMonotonicUs + wallOffsetUs[0]\`.

## Files

${markdownTable([['file', 'what it holds'], ...otherFiles.map(([name, about]) => [`\`${name}\``, about])])}

${recordFiles.map(fileText).join('\n\n')}

## Tables and views

${tables.map(tableText).join('\n\n')}

## Named queries

${markdownTable([['query', 'what it answers'], ...Object.entries(namedQueries).map(([name, { about }]) => [`\`${name}\``, about])])}
`;
}

function fileText({ name, about, fields }: RecordFile<Fields>): string {
  const rows = Object.entries(fields).map(([field, { words, about: text, mayBeMissing }]) => [
    `\`${field}\``,
    `${words}${mayBeMissing === true ? ', or not there' : ''}`,
    text,
  ]);
  return `### ${name}\n\n${about}\n\n${markdownTable([['field', 'is', 'what'], ...rows])}`;
}

function tableText({ name, about, file, columns }: DescribedTable): string {
  const from = file === null ? '' : ` From \`${file}\`.`;
  const rows = columns.map((column) => [`\`${column.name}\``, column.type, column.about]);
  return `### ${name}\n\n${about}${from}\n\n${markdownTable([['column', 'type', 'what'], ...rows])}`;
}
