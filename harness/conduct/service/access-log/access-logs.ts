/** The access logs of a service that the user runs: the lines of this load are kept, all others are counted. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { monotonicUs } from '../../../base/clock.ts';
import { messageOf } from '../../../base/errors.ts';
import type { ServerLogLine } from '../../../run/files/server-log.ts';
import { runFiles } from '../../../run/run-folder.ts';
import type { ServiceRun } from '../../../run/run-record.ts';
import type { LoadCounts, PlanMixEntry } from '../../../in-lab/load/plan.ts';
import { ndjson } from '../../run-writer.ts';
import { logLineIn } from './log-line.ts';
import { LogTail } from './log-tail.ts';

const pollMs = 200;
/** Servers write a line when the request has ended, some in blocks. */
const settleMs = 5_000;
/** No line in so long: where there is one for each request, and where requests that got no answer may still have theirs. */
const quietMs = { whole: 400, answered: 1_500 } as const;
/** Lines without ids that may be of this load, a second that a stamp spans: with more, none can be told from another. */
const mostOfAStamp = 5;
const mostWithoutId = 200_000;

interface AskedLoad {
  readonly idPrefix: string;
  readonly requests: readonly ReturnType<typeof askedRequest>[];
  readonly ratePerSecond: number;
}

/** What is known of a line of no known form: only its id. */
const unread = { isUnread: true, atWallUs: 0, withinUs: 0, method: '', status: null } as const;

type Told = NonNullable<ServiceRun['accessLogs']>[number];

class ReadLog {
  readonly tail: LogTail;
  private readonly log: number;
  private readonly asked: AskedLoad;
  private readonly told = { lines: 0, withId: 0, withoutId: 0, notUnderstood: 0 };
  private readonly formats = new Map<string, number>();
  /** Lines without ids, for as long as none with an id was seen. */
  private candidates: ServerLogLine[] = [];
  private isCoarse = false;

  constructor(tail: LogTail, log: number, asked: AskedLoad) {
    this.tail = tail;
    this.log = log;
    this.asked = asked;
  }

  get ours(): number {
    return this.told.withId === 0 ? this.told.withoutId : this.told.withId;
  }

  /** The lines that are of this load for sure. */
  take(lines: readonly string[]): ServerLogLine[] {
    return lines.flatMap((line) => this.takeLine(line) ?? []);
  }

  private takeLine(text: string): ServerLogLine | null {
    const { told, asked } = this;
    told.lines++;
    const seq = slotIn(text, asked.idPrefix);
    const said = logLineIn(text);
    if (said === null) {
      told.notUnderstood++;
      return seq === null ? null : { log: this.log, logLine: told.lines, seq, ...unread };
    }
    const { format, target, ...kept } = said;
    this.formats.set(format, (this.formats.get(format) ?? 0) + 1);
    const line = { log: this.log, logLine: told.lines, ...(seq !== null && { seq }), ...kept };
    if (seq === null && told.withId > 0) return null;
    const request = asked.requests.find((one) => one.method === kept.method && one.target.test(target));
    if (seq !== null) {
      told.withId++;
      this.candidates = [];
      return request === undefined ? { ...line, isOther: true } : line;
    }
    if (request === undefined) return null;
    told.withoutId++;
    this.isCoarse ||=
      (asked.ratePerSecond * kept.withinUs) / 1e6 > mostOfAStamp || this.candidates.length >= mostWithoutId;
    if (this.isCoarse) this.candidates = [];
    else this.candidates.push({ ...line, path: request.path });
    return null;
  }

  /** What run.json says of it, and the lines that may be of this load. */
  end(originUs: number): { told: Told; candidates: readonly ServerLogLine[] } {
    const { told, tail } = this;
    const formats = [...this.formats].sort(([, a], [, b]) => b - a).map(([format]) => format);
    const joined =
      told.withId > 0 ? 'id' : this.isCoarse ? 'too-coarse' : this.candidates.length > 0 ? 'time' : 'nothing';
    return {
      told: {
        path: tail.path,
        formats,
        lines: told.lines,
        ours: this.ours,
        notUnderstood: told.notUnderstood,
        joined,
        replaced: tail.replaced,
        emptied: tail.emptied.map(({ fromUs, toUs }) => [fromUs - originUs, toUs - originUs]),
      },
      candidates: this.candidates,
    };
  }
}

/** All logs of a run, read while the load goes on. */
export class AccessLogs {
  private readonly logs: readonly ReadLog[];
  private readonly stopped = new AbortController();
  private output: { readonly gzip: Writable; readonly written: Promise<void> } | null = null;
  private reading: Promise<void> = Promise.resolve();
  private problem: string | null = null;

  private constructor(logs: readonly ReadLog[]) {
    this.logs = logs;
  }

  /** @throws {HarnessError} `witness-unreadable` when one cannot be read */
  static async open(paths: readonly string[], asked: AskedLoad): Promise<AccessLogs> {
    const logs: ReadLog[] = [];
    try {
      for (const path of paths) logs.push(new ReadLog(await LogTail.open(path, monotonicUs()), logs.length + 1, asked));
    } catch (error) {
      for (const { tail } of logs) await tail.close();
      throw error;
    }
    return new AccessLogs(logs);
  }

  /** Reads on until {@link AccessLogs.end}. */
  async begin(folder: string): Promise<void> {
    const path = join(folder, runFiles.serverLog);
    await mkdir(dirname(path), { recursive: true });
    const gzip = createGzip();
    const written = pipeline(gzip, createWriteStream(path));
    // Asked for at the end.
    written.catch(() => undefined);
    this.output = { gzip, written };
    this.reading = this.readOn();
  }

  /**
   * Reads to the end, once the logs have settled.
   * @param counts of the load: a log that has all has a line for each answer, and one for each request that reached it
   * @returns what run.json says of them
   * @throws when their lines could not be written
   */
  async end(
    counts: Pick<LoadCounts, 'sent' | 'ok'>,
    { originUs, signal }: { originUs: number; signal: AbortSignal },
  ): Promise<Told[]> {
    const { output } = this;
    if (output === null) return [];
    await this.settle(counts, signal);
    this.stopped.abort();
    await this.reading;
    await this.readAll();
    const ends = this.logs.map((log) => log.end(originUs));
    for (const { candidates } of ends) await this.write(candidates);
    output.gzip.end();
    await output.written;
    return ends.map(({ told }) => ({ ...told, ...(this.problem !== null && { problem: this.problem }) }));
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.reading;
    this.output?.gzip.destroy();
    for (const { tail } of this.logs) await tail.close();
  }

  private async readOn(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      await this.readAll();
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A log that can no longer be read takes nothing from what was counted. */
  private async readAll(): Promise<void> {
    for (const log of this.logs) {
      try {
        await this.write(log.take(await log.tail.read(monotonicUs())));
      } catch (error) {
        this.problem ??= messageOf(error);
      }
    }
  }

  private async write(lines: readonly ServerLogLine[]): Promise<void> {
    const gzip = this.output?.gzip;
    if (lines.length === 0 || gzip === undefined) return;
    // Where the disk is full, it drains no more.
    if (!gzip.write(ndjson(lines))) await Promise.race([once(gzip, 'drain'), this.output?.written]);
  }

  /** Until each log has a line for every answer and says no more, or as long as it may take. */
  private async settle({ sent, ok }: Pick<LoadCounts, 'sent' | 'ok'>, signal: AbortSignal): Promise<void> {
    const untilUs = monotonicUs() + settleMs * 1000;
    let [seen, sinceUs] = [-1, 0];
    while (!signal.aborted && monotonicUs() < untilUs) {
      const ours = this.logs.reduce((sum, log) => sum + log.ours, 0);
      if (ours !== seen) [seen, sinceUs] = [ours, monotonicUs()];
      const least = Math.min(...this.logs.map((log) => log.ours));
      const enoughMs = least >= sent ? quietMs.whole : least >= ok ? quietMs.answered : Infinity;
      if (monotonicUs() - sinceUs >= enoughMs * 1000) return;
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The slot whose id stands somewhere in the line; null without one. */
function slotIn(text: string, idPrefix: string): number | null {
  const at = text.indexOf(idPrefix);
  const digits =
    at < 0 ? undefined : /^\d{1,9}/u.exec(text.slice(at + idPrefix.length, at + idPrefix.length + 10))?.[0];
  return digits === undefined ? null : Number(digits);
}

type Entry = Pick<PlanMixEntry, 'method' | 'path' | 'mixed'> & { readonly fixed?: { readonly target?: string } };

/** How a log shows this request of the plan: by that a line without an id may be of this load. */
export function askedRequest({ method, path, mixed, fixed }: Entry) {
  const target = mixed?.target ?? [fixed?.target ?? path];
  // At odd places stands what is filled in.
  const whole = target.map((text, index) => (index % 2 === 0 ? literal(text) : '[^/?&# ]*')).join('');
  // Some formats leave out the query.
  const [beforeQuery = ''] = whole.split(literal('?'));
  return {
    method,
    /** As the ledger has it. */
    path,
    /** What path and query look like as they are sent. */
    target: new RegExp(`^(?:${whole}|${beforeQuery})$`, 'u'),
  };
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`);
}
