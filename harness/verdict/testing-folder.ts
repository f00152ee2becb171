/** A whole run's folder made up for tests: small, complete, and in agreement with itself until a test spoils it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import type { EngineEvent } from '../run/files/engine-events.ts';
import type { HoldRow } from '../run/files/holds.ts';
import type { LedgerRow } from '../run/files/ledger.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { runFiles } from '../run/run-folder.ts';
import type { RunRecord } from '../run/run-record.ts';
import type { DeployerMessage } from '../run/files/deployer-log.ts';
import type { EventKind, TimelineEvent } from '../run/files/timeline.ts';
import { writeTimeline } from '../run/timeline/timeline-from-files.ts';
import { messageIds } from '../run/files/journal.ts';
import type { Control, Controls } from './controls.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { ServerLogLine } from '../run/files/server-log.ts';
import type { SiteLine } from '../run/files/site-log.ts';
import { row, runRecord, verdictOfTest, window } from './testing.ts';
import type { Calibration } from './record/verdict.ts';
import type { QueueSample } from '../run/files/queues.ts';
import type { DatabaseState, StoredNote } from '../run/files/notes.ts';
import { labPrimedNotes, primedNoteId } from '../run/site-requests.ts';
import { assignments } from '../experiment/load-schedule.ts';

/** A line of the proxy's access log; a test may leave out, or add, what it likes. */
export type AccessFields = Readonly<Record<string, string | number | undefined>>;

/** What the files of a run hold; a file that is null is not there. */
export interface FolderContent {
  run: RunRecord;
  /** What deployer, site and systemd saw; the file is made of what they would have written of it. */
  timeline: TimelineEvent[];
  ledger: LedgerRow[];
  access: AccessFields[] | null;
  site: SiteLine[] | null;
  proxyLog: string[] | null;
  database: DatabaseState | null;
  notes: StoredNote[];
  queues: QueueSample[] | null;
  /** Of a service of the user's. */
  server?: ServerLogLine[];
  engine: EngineEvent[] | null;
  kernel: Record<string, number> | null;
  direct: LedgerRow[] | null;
  /** Only of a service of the user's; left out where none was held. */
  holds?: HoldRow[];
  controls: Controls | null;
}

/** Zero of the run on the clocks of the lab, as {@link runRecord} has them. */
export const originMonotonicUs = 1_000_000_000;
export const originWallUs = originMonotonicUs + 5;

/** An RFC 3339 stamp of the wall clock, with nanoseconds, of a moment of the run. */
export function stampOf(atUs: number): string {
  const wallUs = originWallUs + atUs;
  const seconds = new Date(Math.floor(wallUs / 1_000_000) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(wallUs % 1_000_000).padStart(6, '0')}000Z`;
}

/** The proxy's line of this row: it began 100 µs after the sending, and ended 100 µs before the client was done. */
export function accessFieldsOf(one: LedgerRow, over: AccessFields = {}): AccessFields {
  const startUs = (one.sentUs ?? one.dueUs) + 100;
  return {
    StartUTC: stampOf(startUs),
    Duration: (one.doneUs - 100 - startUs) * 1000,
    DownstreamStatus: one.status ?? 0,
    DownstreamContentSize: one.bytes,
    RequestMethod: one.method,
    RequestPath: one.path,
    'request_X-Request-Id': one.requestId,
    ServiceAddr: '127.0.0.1:18080',
    ...(one.version !== null && { 'origin_X-App-Version': one.version }),
    ...over,
  };
}

/** The site's line of this row, which it read and answered just before the client was done. */
export function siteLineOf(one: LedgerRow, over: Partial<SiteLine> = {}): SiteLine {
  return {
    request: one.requestId,
    method: one.method,
    path: one.path,
    status: one.status,
    receivedUs: originMonotonicUs + one.doneUs - 600,
    answeredUs: originMonotonicUs + one.doneUs - 300,
    version: one.version ?? 'v0',
    instance: one.instance ?? 'i0',
    ...(one.bodyCrc32 !== null && { bodyCrc32: one.bodyCrc32 }),
    ...(one.method === 'POST' && { store: { waitMs: 0.1, code: 'OK' } }),
    ...over,
  };
}

/** The proxy's own line of a try that failed. */
export function failedTryLine(atUs: number, error = 'dial tcp 127.0.0.1:18080: connect: connection refused'): string {
  return `${stampOf(atUs)} ${JSON.stringify({ level: 'debug', error, message: '502 Bad Gateway' })}`;
}

/** An event of the made-up restart. */
export function event(kind: EventKind, atUs: number, over: Partial<TimelineEvent> = {}): TimelineEvent {
  const isOfDeployer = kind === 'deploy-begin' || kind === 'retire' || kind === 'deploy-end';
  return { atUs, kind, source: isOfDeployer ? 'deployer' : 'app', restart: 1, ...over };
}

/** The events of a restart with these moments. */
export function eventsOf(one: Partial<RestartWindow> = {}): TimelineEvent[] {
  const whole = { ...window, ...one };
  const moments: [EventKind, number | null][] = [
    ['deploy-begin', whole.deployBeginUs],
    ['retire', whole.retireUs],
    ['sigterm', whole.sigtermUs],
    ['accept-stopped', whole.acceptStoppedUs],
    ['exit', whole.exitUs],
    ['deploy-end', whole.deployEndUs],
    ['accepting', whole.acceptingUs],
    ['ready', whole.readyUs],
    ['steady', whole.steadyUs],
  ];
  return moments.flatMap(([kind, atUs]) => (atUs === null ? [] : [event(kind, atUs, { restart: whole.restart })]));
}

/** The deployer's lines of these events. */
function deployerOf(events: readonly TimelineEvent[]): DeployerMessage[] {
  return events.flatMap(({ kind, restart, atUs }) =>
    kind === 'deploy-begin' || kind === 'retire' || kind === 'deploy-end'
      ? { kind, restart, version: `v${restart}`, atMonotonicUs: originMonotonicUs + atUs }
      : [],
  );
}

const ofTheOldProcess: ReadonlySet<EventKind> = new Set<EventKind>(['sigterm', 'accept-stopped', 'exit']);

/** What a process says of itself when it starts; of no release, so that it is no event of the timeline. */
const startLine = JSON.stringify({
  __MONOTONIC_TIMESTAMP: String(originMonotonicUs - 900_000),
  MESSAGE: JSON.stringify({
    event: 'start',
    atMonotonicUs: originMonotonicUs - 900_000,
    version: '-',
    instance: 'i0',
    node: '24',
  }),
  _SYSTEMD_UNIT: 'site@demo.service',
});

/** The journal's lines: the site's own events, and that its main process ended. */
function journalOf(events: readonly TimelineEvent[]): string[] {
  return events
    .filter(({ source }) => source === 'app')
    .map(({ kind, restart, atUs }) => {
      const atMonotonicUs = originMonotonicUs + atUs;
      const unit = 'site@demo.service';
      if (kind === 'main-exited') {
        const said = { MESSAGE: 'Main process exited', MESSAGE_ID: messageIds.processExited, UNIT: unit };
        return JSON.stringify({ __MONOTONIC_TIMESTAMP: String(atMonotonicUs), ...said });
      }
      const version = `v${ofTheOldProcess.has(kind) ? restart - 1 : restart}`;
      const said = JSON.stringify({ event: kind, atMonotonicUs, version, instance: `i${version.slice(1)}` });
      return JSON.stringify({ __MONOTONIC_TIMESTAMP: String(atMonotonicUs), MESSAGE: said, _SYSTEMD_UNIT: unit });
    });
}

const mix = [
  { method: 'GET', path: '/notes/:id', weight: 1 },
  { method: 'POST', path: '/notes', weight: 1 },
] as const;

/** The id of the request of this slot. */
export const idOf = (seq: number): string => `20261123T120000Z-abcd-1-${seq}`;

/**
 * 300 slots at 100 a second, as many GETs as POSTs, of a run with one restart: v0 answers what was due before the
 * outage of 1.05 to 1.75 s, and v1 the rest. Those due in the outage waited for its end, or were refused.
 */
export function contentOf(file: ExperimentFile, inOutage: 'waited' | 'refused', variant?: string): FolderContent {
  const experiment = resolveExperiment(file, { variant, changes: [] });
  const run = runRecord({ ...experiment, load: { ...experiment.load, mix: [...mix], connections: 'kept' } });
  const assignmentOf = assignments(mix, 'kept', run.seed);
  const ledger = Array.from({ length: 300 }, (_, seq): LedgerRow => {
    const dueUs = seq * 10_000;
    const isOut = dueUs >= 1_050_000 && dueUs < 1_750_000;
    const isPost = assignmentOf(seq).entry.method === 'POST';
    const isNew = dueUs >= 1_050_000;
    const common = {
      requestId: idOf(seq),
      method: isPost ? ('POST' as const) : ('GET' as const),
      path: isPost ? '/notes' : `/notes/${primedNoteId(run.runId, seq % labPrimedNotes)}`,
      status: isPost ? 201 : 200,
      version: isNew ? 'v1' : 'v0',
      instance: isNew ? 'i1' : 'i0',
    };
    if (!isOut) return row(seq, common);
    if (inOutage === 'waited') return row(seq, { ...common, firstByteUs: 1_755_000 + seq, doneUs: 1_756_000 + seq });
    return row(seq, { ...common, outcome: 'status-502', status: 502, version: null, instance: null });
  });
  const answered = ledger.filter(({ version }) => version !== null);
  const refused = ledger.filter(({ version }) => version === null);
  const probed = probeRows(inOutage);
  return {
    run,
    timeline: eventsOf().toSpliced(6, 0, event('internal-listening', 1_300_000)),
    ledger,
    access: ledger.map((one) => accessFieldsOf(one)),
    site: [...answered, ...probed.filter(({ outcome }) => outcome === 'ok')].map((one) => siteLineOf(one)),
    proxyLog: [
      `${stampOf(0)} {"level":"info","version":"3.7.15","message":"Starting"}`,
      ...refused.map(({ doneUs }) => failedTryLine(doneUs - 200)),
    ],
    database: { integrity: 'ok', journalMode: 'wal', walBytes: 0 },
    notes: answered
      .filter(({ method }) => method === 'POST')
      .map(({ requestId, version, doneUs }) => ({
        id: requestId,
        times: 1,
        versions: version ?? '',
        writtenUs: originMonotonicUs + doneUs - 400,
      })),
    queues: [
      { atMonotonicUs: originMonotonicUs - 500_000, port: 18_080, waiting: 0 },
      { atMonotonicUs: originMonotonicUs + 1_700_000, port: 18_080, waiting: inOutage === 'waited' ? 65 : 1 },
    ],
    engine: ['client', 'server', 'edge'].map((role) => ({
      atWallUs: originWallUs - 900_000,
      action: 'start',
      role,
      detail: '',
    })),
    kernel: { 'Tcp.PassiveOpens': 2, 'TcpExt.ListenDrops': 0 },
    direct: probed,
    controls: { calibration, controls: controlsOf(file, variant ?? null) },
  };
}

/** Sixty requests of the direct probe, twenty a second. */
function probeRows(inOutage: 'waited' | 'refused'): LedgerRow[] {
  return Array.from({ length: 60 }, (_, seq) => {
    const dueUs = seq * 50_000;
    const isOut = dueUs >= 1_050_000 && dueUs < 1_750_000;
    const isNew = dueUs >= 1_050_000;
    const common = {
      dueUs,
      path: '/livez',
      connection: 'new' as const,
      connectedUs: isOut ? null : dueUs + 300,
      bodyCrc32: 9,
      requestId: `20261123T120000Z-abcd-direct-1-${seq}`,
      version: isNew ? 'v1' : 'v0',
      instance: isNew ? 'i1' : 'i0',
    };
    if (!isOut) return row(seq, common);
    if (inOutage === 'waited') return row(seq, { ...common, connectedUs: dueUs + 300, doneUs: 1_752_000 });
    const unanswered = { status: null, version: null, instance: null, bodyCrc32: null } as const;
    return row(seq, { ...common, ...unanswered, outcome: 'refused' });
  });
}

/** What a run of this experiment is made beside. */
export function controlsOf({ id, control }: ExperimentFile, variant: string | null): Control[] {
  const at100 = { ...verdictOfTest({}).schedule, ratePerSecond: 100 };
  const c0: Control = {
    role: 'C0',
    name: 'E0',
    because: 'nothing may be dropped',
    verdict: verdictOfTest({ experiment: 'E0', schedule: at100 }),
  };
  const off = 'variant' in control ? control.variant : null;
  if (id === 'E0') return variant === null ? [] : [c0];
  if (id === 'E1' || (off !== null && off === variant)) return [c0];
  const of = off === null ? { experiment: 'E1', variant: null } : { experiment: id, variant: off };
  const dropped = { dropped: 5, outcomes: { ok: 295, 'status-502': 5 } };
  return [
    c0,
    {
      role: 'C+',
      name: off === null ? 'E1' : `${id} ${off}`,
      because: 'it must drop something',
      verdict: verdictOfTest({ ...of, ...dropped, verdict: 'fail', schedule: at100 }),
    },
  ];
}

/** Changes one row of the ledger. */
export const change =
  (seq: number, over: Partial<LedgerRow>) =>
  (content: FolderContent): void => {
    content.ledger[seq] = { ...rowOf(content, seq), ...over };
  };

/** Changes one row of the ledger, and what proxy and site say of it; the site says nothing where no version answered. */
export const answerTo =
  (seq: number, over: Partial<LedgerRow>, site: Partial<SiteLine> = {}) =>
  (content: FolderContent): void => {
    change(seq, over)(content);
    const one = rowOf(content, seq);
    content.access?.splice(seq, 1, accessFieldsOf(one));
    const at = content.site?.findIndex(({ request }) => request === one.requestId) ?? -1;
    if (at >= 0) content.site?.splice(at, 1, ...(one.version === null ? [] : [siteLineOf(one, site)]));
  };

/** The row that is in this place of the ledger. */
function rowOf({ ledger }: FolderContent, seq: number): LedgerRow {
  const one = ledger[seq];
  if (one === undefined) throw new Error(`no row ${seq}`);
  return one;
}

/** A calibration in which all came out right. */
export const calibration: Calibration = { seriesId: 's', cases: 20, wrong: [] };

/** A run of a lab that has these lines, and none of anything else. */
export function linesOf(lines: Partial<FolderContent>): FolderContent {
  return {
    run: runRecord(resolveExperiment(e1, { changes: [] })),
    timeline: [],
    ledger: [],
    access: [],
    site: [],
    proxyLog: null,
    database: null,
    notes: [],
    queues: [],
    engine: null,
    kernel: {},
    direct: null,
    controls: null,
    ...lines,
  };
}

/**
 * Writes the files into a new folder, and gives its path.
 * @param options.isOfOneTest the folder goes with the test; else whoever asks for it in a `beforeAll` removes it
 * @param options.isTimelineGiven its timeline is written as it is, and not made of the other files
 */
export async function writeFolder(
  content: FolderContent,
  { isOfOneTest = true, isTimelineGiven = false }: { isOfOneTest?: boolean; isTimelineGiven?: boolean } = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'run-'));
  if (isOfOneTest) onTestFinished(() => rm(folder, { recursive: true }));
  const put = async (name: string, data: string | Buffer): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), data);
  };
  const lines = (records: readonly unknown[]): string =>
    records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const { run, proxyLog, database, notes, kernel, controls } = content;
  await put(runFiles.deployer, lines(deployerOf(content.timeline)));
  await put(runFiles.journal, [...journalOf(content.timeline), startLine].map((line) => `${line}\n`).join(''));
  await put(runFiles.ledger, gzipSync(lines(content.ledger)));
  if (content.engine !== null) await put(runFiles.engineEvents, lines(content.engine));
  for (const [name, records] of [
    [runFiles.accessLog, content.access],
    [runFiles.requestLog, content.site],
    [runFiles.queues, content.queues],
    [runFiles.serverLog, content.server ?? null],
    [runFiles.direct, content.direct],
    [runFiles.holds, content.holds ?? null],
    [runFiles.notes, database === null ? null : [database, ...notes]],
  ] as const) {
    if (records !== null) await put(name, gzipSync(lines(records)));
  }
  if (proxyLog !== null) await put(runFiles.proxyLog, gzipSync(proxyLog.map((line) => `${line}\n`).join('')));
  if (kernel !== null) await put(runFiles.kernel, JSON.stringify(kernel));
  if (controls !== null) await put(runFiles.controls, JSON.stringify(controls));
  if (run.kind === 'measure' || isTimelineGiven) await put(runFiles.timeline, lines(content.timeline));
  else await writeTimeline(folder, run);
  await put(runFiles.run, JSON.stringify(run));
  return folder;
}
