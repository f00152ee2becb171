/** The requests of a run that never was: what client, proxy, site and database would each have written of them. */
import { crc32 } from 'node:zlib';
import { coloursOf } from '../experiment/units.ts';
import type { LedgerRow } from '../run/files/ledger.ts';
import { seededRandom } from '../base/random.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { SiteLine } from '../run/files/site-log.ts';
import type { OrderedFile } from './ordered-file.ts';
import { instanceOf, type SyntheticRestart } from './synthetic-restarts.ts';
import type { DatabaseState, StoredNote } from '../run/files/notes.ts';
import type { QueueSample } from '../run/files/queues.ts';
import { dueUsOf, assignments, type Assignment } from '../experiment/load-schedule.ts';
import { labPrimedNotes, askedMs, expectedBodyCrc32, primedNoteId } from '../run/site-requests.ts';

/** Clocks of the kernel that never was, at the origin. */
export interface SyntheticClock {
  readonly originUs: number;
  readonly originWallUs: number;
}

/** Where it is written. */
export interface SyntheticFiles {
  readonly ledger: OrderedFile;
  readonly access: OrderedFile;
  readonly site: OrderedFile;
  readonly proxyLog: OrderedFile;
  readonly queues: OrderedFile;
  readonly notes: OrderedFile;
  readonly direct: OrderedFile;
}

/** The site takes connections one after another: what has queued is worked off at this pace. */
const acceptUs = 180;
/** Of each closing port, so many requests are written to a connection that is just then reset. */
const resetsPerRestart = 2;
const sampledEveryUs = 10_000;

/** What became of one request at the site's port. */
interface Served {
  readonly receivedUs: number;
  readonly version: number;
}

/** Adds slot after slot. */
export class SyntheticLoad {
  private readonly run: ExperimentRun;
  private readonly restarts: readonly SyntheticRestart[];
  private readonly clock: SyntheticClock;
  private readonly files: SyntheticFiles;
  private readonly assign: (seq: number) => Assignment;
  private readonly random;
  private readonly port: number;
  private readonly keepsQueue: boolean;
  private readonly probeEveryUs: number;
  /** Index of the last restart that has begun. */
  private current = -1;
  private freeUs = 0;
  private resets = 0;
  private sampledUs = 0;
  /** What the last sample had. */
  private waiting = 0;
  private probes = 0;

  constructor(run: ExperimentRun, restarts: readonly SyntheticRestart[], clock: SyntheticClock, files: SyntheticFiles) {
    const { load, unit, probe } = run.experiment;
    this.run = run;
    this.restarts = restarts;
    this.clock = clock;
    this.files = files;
    this.assign = assignments(load.mix, load.connections, run.seed);
    this.random = seededRandom(run.seed, 'synthetic');
    this.port = coloursOf(run.experiment)[0].publicPort;
    this.keepsQueue = unit.activation !== 'none';
    this.probeEveryUs = 1e6 / probe.ratePerSecond;
  }

  /** What is there before the load. */
  begin(): void {
    const state: DatabaseState = { integrity: 'ok', journalMode: 'wal', walBytes: 0 };
    this.files.notes.add(-Infinity, state);
    for (let index = 0; index < labPrimedNotes; index++) {
      this.store(primedNoteId(this.run.runId, index), -1_000_000 + index * 10_000, 0);
    }
    const { traefik = 'none' } = this.run.fingerprint;
    const named = { level: 'info', version: traefik, message: `Traefik version ${traefik}` };
    this.files.proxyLog.add(-Infinity, `${this.utc(-2_000_000)} ${JSON.stringify(named)}`);
    const empty: QueueSample = { atMonotonicUs: this.clock.originUs - 500_000, port: this.port, waiting: 0 };
    this.files.queues.add(-Infinity, empty);
  }

  /** Makes up one request, and what the probe and the sampler see meanwhile; returns when it is due. */
  addSlot(seq: number): number {
    const { runId, experiment } = this.run;
    const dueUs = dueUsOf(seq, experiment.load.ratePerSecond);
    while (this.probes * this.probeEveryUs <= dueUs) this.addProbe(Math.round(this.probes * this.probeEveryUs));
    this.sample(dueUs);
    const { entry, connection } = this.assign(seq);
    const path = entry.path === '/notes/:id' ? `/notes/${primedNoteId(runId, seq % labPrimedNotes)}` : entry.path;
    const requestId = `${runId}-1-${seq}`;
    const sentUs = dueUs + this.between(60, 400);
    const connectedUs = connection === 'new' ? sentUs + this.between(100, 500) : null;
    const startUs = (connectedUs ?? sentUs) + this.between(100, 300) + Math.round(1000 * this.random()) / 1000;
    const served = this.serve(startUs + 300);
    const common = { requestId, method: entry.method, path, startUs };
    const tookUs = askedMs(path) * 1000 + this.between(300, entry.method === 'POST' ? 2_500 : 1_200);
    const endUs =
      served === null ? startUs + this.between(300, 900) : served.receivedUs + tookUs + this.between(100, 250);
    if (served === null) this.addFailure(common, endUs);
    else this.addAnswer(common, served, tookUs, endUs);
    const firstByteUs = Math.round(endUs) + this.between(50, 200);
    const row: LedgerRow = {
      trial: 1,
      seq,
      dueUs,
      sentUs,
      connectedUs,
      firstByteUs,
      doneUs: firstByteUs + this.between(20, 100),
      method: entry.method,
      path,
      requestId,
      connection,
      outcome: served === null ? 'status-502' : 'ok',
      status: served === null ? 502 : statusOf(entry.method),
      bytes: served === null ? badGateway.bytes : bytesOf(path),
      bodyCrc32: served === null ? badGateway.crc32 : expectedBodyCrc32(common),
      instance: served === null ? null : instanceOf(served.version),
      version: served === null ? null : `v${served.version}`,
      error: null,
    };
    this.files.ledger.add(row.doneUs, row);
    return dueUs;
  }

  /** When the site reads a request that reaches its port then, and which version; null where the port is closed. */
  private serve(arrivesUs: number): Served | null {
    while ((this.restarts[this.current + 1]?.beginUs ?? Infinity) <= arrivesUs) {
      this.current++;
      this.resets = 0;
    }
    const restart = this.restarts[this.current];
    const number = restart?.restart ?? 0;
    if (restart !== undefined && arrivesUs < restart.acceptStoppedUs) return this.take(arrivesUs, number - 1);
    if (restart === undefined || arrivesUs >= restart.acceptingUs) return this.take(arrivesUs, number);
    return this.keepsQueue ? this.take(restart.acceptingUs, number) : null;
  }

  private take(fromUs: number, version: number): Served {
    const receivedUs = Math.round(Math.max(fromUs, this.freeUs));
    this.freeUs = receivedUs + acceptUs;
    return { receivedUs, version };
  }

  private addAnswer(
    { requestId, method, path, startUs }: Common,
    { receivedUs, version }: Served,
    tookUs: number,
    endUs: number,
  ): void {
    const { originUs } = this.clock;
    const line: SiteLine = {
      request: requestId,
      method,
      path,
      receivedUs: originUs + receivedUs,
      status: statusOf(method),
      answeredUs: originUs + receivedUs + tookUs,
      bodyCrc32: expectedBodyCrc32({ method, path, requestId }) ?? 0,
      ...(method === 'POST' && { store: { waitMs: this.between(20, 200) / 1000, code: 'OK' } }),
      version: `v${version}`,
      instance: instanceOf(version),
    };
    this.files.site.add(receivedUs + tookUs, line);
    if (method === 'POST') this.store(requestId, receivedUs + tookUs, version);
    const fields = {
      DownstreamContentSize: bytesOf(path),
      DownstreamStatus: statusOf(method),
      Duration: Math.round((endUs - startUs) * 1000),
      RequestMethod: method,
      RequestPath: path,
      ServiceAddr: `127.0.0.1:${this.port}`,
      StartUTC: this.utc(startUs),
      'downstream_X-App-Version': `v${version}`,
      level: 'info',
      msg: '',
      'origin_X-App-Version': `v${version}`,
      'request_X-Request-Id': requestId,
      time: `${this.utc(startUs).slice(0, 19)}Z`,
    };
    this.files.access.add(endUs, fields);
  }

  /** The proxy's own 502, and the error behind it in its log. */
  private addFailure({ requestId, method, path, startUs }: Common, endUs: number): void {
    const wasReset = this.resets++ < resetsPerRestart;
    const fields = {
      DownstreamContentSize: badGateway.bytes,
      DownstreamStatus: 502,
      Duration: Math.round((endUs - startUs) * 1000),
      RequestMethod: method,
      RequestPath: path,
      ServiceAddr: `127.0.0.1:${this.port}`,
      StartUTC: this.utc(startUs),
      level: 'info',
      msg: '',
      'request_X-Request-Id': requestId,
      time: `${this.utc(startUs).slice(0, 19)}Z`,
    };
    this.files.access.add(endUs, fields);
    const loggedUs = endUs + this.between(20, 150);
    const error = wasReset
      ? 'read tcp 127.0.0.1:40000->127.0.0.1:18080: read: connection reset by peer'
      : 'dial tcp 127.0.0.1:18080: connect: connection refused';
    const caller = 'github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:199';
    const time = `${this.utc(loggedUs).slice(0, 19)}Z`;
    const said = JSON.stringify({ level: 'debug', error, time, caller, message: '502 Bad Gateway' });
    this.files.proxyLog.add(loggedUs, `${this.utc(loggedUs)} ${said}`);
  }

  /** A request of the probe: a connection of its own, straight to the site's port. */
  private addProbe(dueUs: number): void {
    const seq = this.probes++;
    const sentUs = dueUs + this.between(100, 900);
    const requestId = `${this.run.runId}-direct-1-${seq}`;
    const served = this.serve(sentUs + 200);
    const path = '/livez';
    const common = { trial: 1, seq, dueUs, sentUs, method: 'GET', path, requestId, connection: 'new' } as const;
    if (served === null) {
      const row: LedgerRow = {
        ...common,
        connectedUs: null,
        firstByteUs: null,
        doneUs: sentUs + this.between(300, 900),
        outcome: 'refused',
        status: null,
        bytes: 0,
        bodyCrc32: null,
        instance: null,
        version: null,
        error: 'ECONNREFUSED, connect',
      };
      this.files.direct.add(row.doneUs, row);
      return;
    }
    const answeredUs = served.receivedUs + this.between(300, 900);
    const of = { version: `v${served.version}`, instance: instanceOf(served.version) };
    const line: SiteLine = {
      request: requestId,
      method: 'GET',
      path,
      receivedUs: this.clock.originUs + served.receivedUs,
      status: 200,
      answeredUs: this.clock.originUs + answeredUs,
      bodyCrc32: aliveCrc32,
      ...of,
    };
    this.files.site.add(answeredUs, line);
    const row: LedgerRow = {
      ...common,
      connectedUs: sentUs + 150,
      firstByteUs: answeredUs + 100,
      doneUs: answeredUs + 150,
      outcome: 'ok',
      status: 200,
      bytes: bytesOf(path),
      bodyCrc32: aliveCrc32,
      ...of,
      error: null,
    };
    this.files.direct.add(row.doneUs, row);
  }

  /** The queue of the site's port: what comes while nobody accepts, and now and then a single one. */
  private sample(untilUs: number): void {
    for (; this.sampledUs <= untilUs; this.sampledUs += sampledEveryUs) {
      const restart = this.restarts[this.current];
      const openUs = this.sampledUs - (restart?.acceptStoppedUs ?? Infinity);
      const isClosed = restart !== undefined && openUs >= 0 && this.sampledUs < restart.acceptingUs;
      if (!isClosed && this.random() < 0.9) continue;
      const { ratePerSecond } = this.run.experiment.load;
      const waiting = isClosed && this.keepsQueue ? Math.round((openUs * ratePerSecond) / 1e6) : this.between(0, 1);
      if (waiting === this.waiting) continue;
      this.waiting = waiting;
      const sample: QueueSample = { atMonotonicUs: this.clock.originUs + this.sampledUs, port: this.port, waiting };
      this.files.queues.add(this.sampledUs, sample);
    }
  }

  private store(id: string, atUs: number, version: number): void {
    const note: StoredNote = {
      id,
      times: 1,
      versions: `v${version}`,
      writtenUs: this.clock.originUs + Math.round(atUs),
    };
    this.files.notes.add(atUs, note);
  }

  /** As the proxy writes it, with nanoseconds. */
  private utc(atUs: number): string {
    const wallNs = Math.round(atUs * 1000);
    const wholeUs = this.clock.originWallUs + Math.floor(wallNs / 1000);
    const nanos = (wholeUs % 1_000_000) * 1000 + (((wallNs % 1000) + 1000) % 1000);
    return `${new Date(Math.floor(wholeUs / 1000)).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
  }

  /** A whole number from `least` to `most`, either included. */
  private between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }
}

interface Common {
  readonly requestId: string;
  readonly method: LedgerRow['method'];
  readonly path: string;
  readonly startUs: number;
}

const badGateway = { bytes: 'Bad Gateway'.length, crc32: crc32('Bad Gateway') };
const aliveCrc32 = crc32('{"status":"alive"}');

function statusOf(method: string): number {
  return method === 'POST' ? 201 : 200;
}

/** Of an answer's body: about what the site's have. */
function bytesOf(path: string): number {
  if (path === '/notes') return 107;
  return path.startsWith('/notes/') ? 105 : 18;
}
