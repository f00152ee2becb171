/**
 * The tables of a run's database: which file each is read from, and what its columns are. Times are microseconds since
 * the run's origin (the first due time) on the clock that all of the lab shares.
 */
import { STATUS_CODES } from 'node:http';
import { isOfProxy, sitesOf } from '../experiment/units.ts';
import { accessLogFile } from './files/access-log.ts';
import { engineEventsFile } from './files/engine-events.ts';
import { failureKind } from './failure-kind.ts';
import type { Field, Fields, RecordFile } from './files/fields.ts';
import { holdsFile } from './files/holds.ts';
import { ledgerFile } from './files/ledger.ts';
import { databaseStateFile, notesFile } from './files/notes.ts';
import { queuesFile } from './files/queues.ts';
import { runFiles } from './run-folder.ts';
import type { RunRecord } from './run-record.ts';
import { serverLogFile } from './files/server-log.ts';
import { siteLogFile } from './files/site-log.ts';
import { probeRunId, requestIdPrefix } from './site-requests.ts';
import { timelineFile } from './files/timeline.ts';

/** A column of a table. */
export interface Column {
  /** DuckDB's type. */
  readonly type: string;
  readonly about: string;
  /** What it is made of: the file's fields; or, where it is `derived`, other columns of the table. */
  readonly sql: string;
  /** Worked out once, or, where it would take much room, each time that it is asked for. */
  readonly derived?: 'stored' | 'virtual';
}

/** A table, and the file that it is read from. */
export interface RunTable {
  readonly name: string;
  readonly about: string;
  readonly file: RecordFile<Fields>;
  /** Of a file whose first line has another form than all others. */
  readonly head?: RecordFile<Fields>;
  readonly columns: Readonly<Record<string, Column>>;
  /** What is run once it is filled. */
  readonly afterLoad?: readonly string[];
}

/** Requests a second that were due. */
export function rateOf(record: RunRecord): number {
  return record.kind === 'experiment' ? record.experiment.load.ratePerSecond : record.service.ratePerSecond;
}

/** Is it a run in the lab of a service of the user's own? */
export function isOfOwnService(record: RunRecord): boolean {
  return record.kind === 'experiment' && record.experiment.service !== undefined;
}

/** The names of a run's sites; a service of the user's own is one. */
export function siteNamesOf(record: RunRecord): readonly [string, ...string[]] {
  if (record.kind === 'measure') return ['service'];
  const [first, ...others] = sitesOf(record.experiment).map(({ name }) => name);
  return [first ?? 'demo', ...others];
}

/** SQL that tells a write of the load. */
function writeSqlOf(record: RunRecord): string {
  if (!isOfOwnService(record)) return "method = 'POST' and path = '/notes'";
  const names = record.kind === 'experiment' ? (record.experiment.service?.writes?.requests ?? []) : [];
  return names.length === 0 ? 'false' : `request in (${names.map(quoted).join(', ')})`;
}

/** SQL for the site of a slot: they take turns. */
function siteSql(record: RunRecord): string {
  const [first, ...others] = siteNamesOf(record).map(quoted);
  return others.length === 0 ? String(first) : `([${[first, ...others].join(', ')}])[seq % ${others.length + 1} + 1]`;
}

const siteAbout = 'The site that it was for.';

/** SQL for the site behind a backend's address: the ports of site, and of its second colour, end alike (units.ts). */
function backendSiteSql(record: RunRecord): string {
  const names = siteNamesOf(record);
  if (names.length === 1) return 'null';
  const port = "try_cast(regexp_extract(ServiceAddr, ':([0-9]+)$', 1) as integer)";
  return `([${names.map(quoted).join(', ')}])[(${port} - 18080) % 100 + 1]`;
}

/** Every table that is read from a file; one whose file is not there is empty. */
export function runTables(record: RunRecord): RunTable[] {
  return [
    ledgerTable('ledger', runFiles.ledger, {
      prefix: requestIdPrefix(record.runId, 1),
      site: siteSql(record),
      writeSql: writeSqlOf(record),
      isDemo: !isOfOwnService(record),
    }),
    ledgerTable('direct', runFiles.direct, {
      prefix: requestIdPrefix(probeRunId(record.runId), 1),
      site: quoted(siteNamesOf(record)[0]),
      writeSql: writeSqlOf(record),
      isDemo: !isOfOwnService(record),
    }),
    proxyTable(record),
    siteTable(record),
    notesTable(record),
    queuesTable(record),
    holdsTable(),
    serverTable(record),
    { name: 'timeline', about: timelineFile.about, file: timelineFile, columns: columnsOf(timelineFile.fields) },
    {
      name: 'engine',
      about: engineEventsFile.about,
      file: engineEventsFile,
      columns: columnsOf(engineEventsFile.fields),
    },
  ];
}

/** The fields as columns, as they are. */
function columnsOf(fields: Fields): Record<string, Column> {
  const columns = Object.entries(fields).map(([name, { type, about }]: [string, Field<unknown>]) => {
    return [name, { type, about, sql: `"${name}"` }] as const;
  });
  return Object.fromEntries(columns);
}

function derived(type: string, sql: string, about: string): Column {
  return { type, sql, about, derived: 'stored' };
}

/** A text in SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Ids are nearly all made of prefix and number: only others are kept. */
function idColumns(
  { id, prefix, seq }: { id: string; prefix: string; seq?: string },
  about: string,
): Record<string, Column> {
  return {
    oddId: {
      type: 'VARCHAR',
      about: 'The id, where it is not the prefix of this load and the number of the slot.',
      sql:
        seq === undefined
          ? `case when ${seqIn(id, prefix)} is null then ${id} end`
          : `case when ${id} = ${quoted(prefix)} || ${seq} then null else ${id} end`,
    },
    requestId: { type: 'VARCHAR', sql: `coalesce(oddId, ${quoted(prefix)} || seq)`, about, derived: 'virtual' },
  };
}

/** The slot's number in an id; null where it is not of this load. */
function seqIn(id: string, prefix: string): string {
  const digits = `substr(${id}, ${prefix.length + 1})`;
  return `(case when starts_with(${id}, ${quoted(prefix)}) and regexp_full_match(${digits}, '0|[1-9][0-9]{0,8}') then ${digits}::integer end)`;
}

/** As app-under-test answers: `{"id":"…","text":"note … ................................"}` and `{"sleptMs":…}`. */
const expectedBytes = `case
  when method = 'POST' and path = '/notes' then 57 + 2 * strlen(coalesce(oddId, %PREFIX% || seq))
  when starts_with(path, '/notes/') then 57 + 2 * (strlen(path) - strlen('/notes/'))
  when starts_with(path, '/slow?ms=') then 12 + strlen(substr(path, 10)) end`;

const wasWritten = `sentUs is not null and not coalesce(ends_with(error, ', handshake'), false) and (connectedUs is not null or firstByteUs is not null
  or (outcome <> 'local' and not coalesce(ends_with(error, ', connect'), false)))`;

function ledgerTable(
  name: string,
  path: string,
  { prefix, site, writeSql, isDemo }: { prefix: string; site: string; writeSql: string; isDemo: boolean },
): RunTable {
  const { requestId, ...fields } = columnsOf(ledgerFile.fields);
  return {
    name,
    about:
      name === 'ledger'
        ? ledgerFile.about
        : "The direct probe: requests straight to the site's own port, without the proxy.",
    file: { ...ledgerFile, name: path },
    columns: {
      ...fields,
      ...idColumns({ id: 'requestId', prefix, seq: 'seq' }, requestId?.about ?? ''),
      site: derived('VARCHAR', site, siteAbout),
      dropped: derived(
        'BOOLEAN',
        "outcome not in ('ok', 'local', 'unsent')",
        'Due and sent, without a complete, expected answer.',
      ),
      written: derived('BOOLEAN', wasWritten, 'Was it written to a connection that stood?'),
      isWrite: derived('BOOLEAN', writeSql, 'Is it a write whose fate is looked up afterwards?'),
      askedUs: derived(
        'BIGINT',
        isDemo
          ? "case when starts_with(path, '/slow?ms=') then coalesce(try_cast(substr(path, 10) as integer), 0) * 1000 else 0 end"
          : '0',
        'The time that the request itself asks the site to take, µs.',
      ),
      waitUs: derived(
        'BIGINT',
        "case when outcome = 'ok' then doneUs - dueUs - askedUs end",
        'Of an ok answer: from its due time to its end, less what it asked for, µs.',
      ),
      expectedBytes: derived(
        'BIGINT',
        isDemo ? expectedBytes.replace('%PREFIX%', quoted(prefix)) : 'null',
        "Bytes of the body that the lab's site answers with; null of a path that it does not know.",
      ),
      failureKind: derived('VARCHAR', failureKind, 'Why it failed, from what the client itself saw (glossary.md).'),
    },
  };
}

/**
 * The demo site names its version in every answer. An answer of any other service is told from one that Traefik made up by
 * the text of the latter, which is that of its status alone, and by its Date, which Traefik's own has not.
 */
function madeUpSql(record: RunRecord): string {
  if (!isOfOwnService(record)) return 'version is null';
  const texts = Object.entries({
    499: 'Client Closed Request',
    500: STATUS_CODES[500],
    502: STATUS_CODES[502],
    504: STATUS_CODES[504],
  });
  const alike = texts.map(([status, text]) => `status = ${status} and bytes in (0, ${text?.length ?? 0})`);
  return `backend is null or not isDated and (${alike.map((one) => `(${one})`).join(' or ')})`;
}

function proxyTable(record: RunRecord): RunTable {
  const { fields } = accessLogFile;
  const id = '"request_X-Request-Id"';
  const prefix = requestIdPrefix(record.runId, 1);
  // As doubles, in this order: the timeline, which is written once, rounds them.
  const stampNs = 'epoch_ns(StartUTC::timestamp_ns)';
  const wallUs = `(${stampNs} // 1000000000 * 1000000)::double + (${stampNs} % 1000000000) / 1000.0`;
  const of = (
    field: keyof typeof fields,
    type: string,
    sql = `"${field}"`,
    about: string = fields[field].about,
  ): Column => ({
    type,
    about,
    sql,
  });
  return {
    name: 'proxy',
    about: accessLogFile.about,
    file: accessLogFile,
    columns: {
      seq: {
        type: 'INTEGER',
        about: 'The slot of the request; null where it is none of the load’s.',
        sql: seqIn(id, prefix),
      },
      ...idColumns({ id, prefix }, fields['request_X-Request-Id'].about),
      site: derived('VARCHAR', siteSql(record), siteAbout),
      backendSite: {
        type: 'VARCHAR',
        about: 'The site that the backend’s port belongs to; null where there is only one.',
        sql: backendSiteSql(record),
      },
      method: of('RequestMethod', 'VARCHAR'),
      path: of('RequestPath', 'VARCHAR'),
      status: of('DownstreamStatus', 'INTEGER'),
      bytes: of('DownstreamContentSize', 'BIGINT', 'coalesce(DownstreamContentSize, 0)'),
      startWallUs: of('StartUTC', 'DOUBLE', wallUs, 'When the proxy had it, by its wall clock, µs since 1970.'),
      durationUs: of('Duration', 'DOUBLE', 'Duration / 1000.0', 'From then to the end of its answer, µs.'),
      backend: of('ServiceAddr', 'VARCHAR'),
      version: of('origin_X-App-Version', 'VARCHAR'),
      isDated: of(
        'origin_Date',
        'BOOLEAN',
        '"origin_Date" is not null',
        'Does a backend’s Date show that it is its answer?',
      ),
      isLast: { type: 'BOOLEAN', about: 'Is it the last line of its request?', sql: 'true' },
      isMadeUp: derived('BOOLEAN', madeUpSql(record), 'Did the proxy make the answer up, or has it none?'),
      startUs: derived('DOUBLE', `startWallUs - ${originWallUsOf(record)}`, 'When the proxy had it, µs.'),
      endUs: derived('DOUBLE', `startWallUs + durationUs - ${originWallUsOf(record)}`, 'When its answer ended, µs.'),
    },
    afterLoad: [
      `update proxy set isLast = false from (select seq, max(line) as last from proxy group by seq having count(*) > 1) as d
       where proxy.seq = d.seq and proxy.line < d.last`,
    ],
  };
}

function siteTable(record: RunRecord): RunTable {
  const { method, path, status, bodyCrc32, version, instance } = siteLogFile.fields;
  const fields = columnsOf({ method, path, status, bodyCrc32, version, instance });
  const prefix = requestIdPrefix(record.runId, 1);
  const sinceOrigin = (column: string): string => `${column} - ${record.originMonotonicUs ?? 0}`;
  return {
    name: 'site',
    about: siteLogFile.about,
    file: siteLogFile,
    columns: {
      seq: {
        type: 'INTEGER',
        about: 'The slot of the request; null where it is none of the load’s.',
        sql: seqIn('request', prefix),
      },
      ...idColumns({ id: 'request', prefix }, siteLogFile.fields.request.about),
      site: derived('VARCHAR', siteSql(record), siteAbout),
      ...fields,
      receivedUs: { type: 'BIGINT', about: 'When its headers had been read, µs.', sql: sinceOrigin('receivedUs') },
      answeredUs: {
        type: 'BIGINT',
        about: 'Just before the answer was written, or when the connection died, µs.',
        sql: sinceOrigin('answeredUs'),
      },
      lockWaitMs: {
        type: 'DOUBLE',
        about: 'Of a write: how long SQLite took to grant the lock, ms.',
        sql: 'store.waitMs',
      },
      code: { type: 'VARCHAR', about: 'Of a write: OK, or SQLite’s name of what went wrong.', sql: 'store.code' },
      isCut: {
        type: 'BOOLEAN',
        about: 'Did the connection die before the answer was complete?',
        sql: "coalesce(outcome = 'cut', false)",
      },
      isLast: {
        type: 'BOOLEAN',
        about: 'Is it the last line of its request whose answer was not cut?',
        sql: 'outcome is null',
      },
      isFirst: {
        type: 'BOOLEAN',
        about: 'Is it the first such line of its process and status?',
        sql: 'outcome is null',
      },
      isOnly: { type: 'BOOLEAN', about: 'Is it the only line of its request?', sql: 'true' },
    },
    afterLoad: [
      `update site set isOnly = false from (select seq from site group by seq having count(*) > 1) as d where site.seq = d.seq`,
      `update site set isLast = false from (
         select seq, max(line) as last from site where not isCut and not isOnly group by seq having count(*) > 1
       ) as d where site.seq = d.seq and site.line < d.last`,
      `update site set isFirst = false from (
         select seq, status, version, instance, min(line) as first from site where not isCut and not isOnly
         group by all having count(*) > 1
       ) as d where site.seq = d.seq and site.status = d.status and site.version = d.version
         and site.instance = d.instance and site.line > d.first`,
    ],
  };
}

function notesTable(record: RunRecord): RunTable {
  const { id, times, versions, textCrc32s } = notesFile.fields;
  const { integrity } = databaseStateFile.fields;
  return {
    name: 'notes',
    about: notesFile.about,
    file: notesFile,
    head: databaseStateFile,
    columns: {
      ...columnsOf({ id, times, versions, textCrc32s, integrity }),
      site: {
        type: 'VARCHAR',
        about: 'The site whose database holds it.',
        sql: `coalesce(site, ${quoted(siteNamesOf(record)[0])})`,
      },
      writtenUs: {
        type: 'BIGINT',
        about: 'When the first of them was written, by the site’s own stamp, µs.',
        sql: `writtenUs - ${record.originMonotonicUs ?? 0}`,
      },
    },
  };
}

function queuesTable(record: RunRecord): RunTable {
  const sites = record.kind === 'experiment' ? sitesOf(record.experiment) : [];
  const cases = sites.flatMap(({ name, colours }) =>
    colours.map(({ publicPort }) => ` when ${publicPort} then ${quoted(name)}`),
  );
  return {
    name: 'queues',
    about: queuesFile.about,
    file: queuesFile,
    columns: {
      atUs: { type: 'BIGINT', about: 'When it was seen, µs.', sql: `atMonotonicUs - ${record.originMonotonicUs ?? 0}` },
      port: { type: 'INTEGER', about: queuesFile.fields.port.about, sql: 'port' },
      waiting: { type: 'INTEGER', about: queuesFile.fields.waiting.about, sql: 'waiting' },
      site: derived(
        'VARCHAR',
        cases.length === 0 ? 'null' : `case port${cases.join('')} end`,
        'The site whose public port it is; null where it is none’s.',
      ),
    },
  };
}

function holdsTable(): RunTable {
  return {
    name: 'holds',
    about: holdsFile.about,
    file: holdsFile,
    columns: {
      ...columnsOf(holdsFile.fields),
      isEnded: derived(
        'BOOLEAN',
        "openedUs is not null and ending not in ('end-of-load', 'local')",
        'Was it open, and then ended by the service?',
      ),
    },
  };
}

function serverTable(record: RunRecord): RunTable {
  const atUs = `atWallUs - ${Math.round(originWallUsOf(record))}`;
  return {
    name: 'server',
    about: serverLogFile.about,
    file: serverLogFile,
    columns: { ...columnsOf(serverLogFile.fields), atUs: derived('BIGINT', atUs, 'When, as the log has it, µs.') },
  };
}

/** The run's zero on the wall clock of the engine; where that is not known, the wall clock is of no use. */
export function originWallUsOf(record: RunRecord): number {
  return (record.originMonotonicUs ?? 0) + (record.wallOffsetUs?.[0] ?? 0);
}

interface Constant {
  readonly type: 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BOOLEAN';
  readonly about: string;
  readonly value: unknown;
}

/** The row of the table `run`, with what each column is. */
export function runConstants(record: RunRecord): Record<string, Constant> {
  const isExperiment = record.kind === 'experiment';
  const isOwn = isOfOwnService(record);
  const proxy = isExperiment ? record.experiment.proxy : null;
  const hasOwnFile = isExperiment && record.experiment.service?.proxy !== undefined;
  const wallMovedUs = record.wallOffsetUs === null ? 0 : Math.abs(record.wallOffsetUs[1] - record.wallOffsetUs[0]);
  const of = (type: Constant['type'], value: unknown, about: string): Constant => ({ type, about, value });
  return {
    runId: of('VARCHAR', record.runId, 'Name of the run.'),
    ratePerSecond: of('DOUBLE', rateOf(record), 'Requests a second that were due.'),
    slots: of('INTEGER', Math.round((rateOf(record) * record.durationMs) / 1000), 'Slots of the schedule.'),
    durationUs: of('DOUBLE', record.durationMs * 1000, 'How long slots were due, µs.'),
    idPrefix: of('VARCHAR', requestIdPrefix(record.runId, 1), "What the load's request ids begin with."),
    probePrefix: of(
      'VARCHAR',
      requestIdPrefix(probeRunId(record.runId), 1),
      "What the direct probe's request ids begin with.",
    ),
    hasProxy: of('BOOLEAN', proxy !== null && proxy.kind !== 'none', 'Did the load go through a proxy of ours?'),
    isProxyDeployed: of(
      'BOOLEAN',
      isExperiment && isOfProxy(record.experiment.deploy.action),
      'Is it the proxy that is restarted?',
    ),
    hasSiteLog: of('BOOLEAN', isExperiment && !isOwn, 'Has the site a log of its own?'),
    hasVersions: of('BOOLEAN', isExperiment && !isOwn, 'Does the proxy log the version that each answer names?'),
    // The user's own file of the proxy may retry.
    isOnlyTry: of('BOOLEAN', proxy?.retry === undefined && !hasOwnFile, 'Does the proxy try each request once?'),
    wallMovedUs: of('DOUBLE', wallMovedUs, "How far the proxy's clock moved against the others during the load, µs."),
    originWallUs: of('DOUBLE', originWallUsOf(record), 'The origin on the wall clock of the engine, µs since 1970.'),
    checkIntervalUs: of(
      'DOUBLE',
      (proxy?.check?.intervalMs ?? 0) * 1000,
      "Interval of the proxy's health check, µs; 0 without one.",
    ),
  };
}
