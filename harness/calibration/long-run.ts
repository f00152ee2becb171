/**
 * A run of any length: a kept one, repeated end to end. Every file that a verdict and a report are made of is as the lab
 * wrote it, with each repetition's stamps, slots, ids, versions and processes moved on. For the benchmark of verdict and
 * report, and for tests of them; it measures no service.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGzip, crc32, gunzipSync } from 'node:zlib';
import { slotCount } from '../experiment/load-schedule.ts';
import { wallUsOf } from '../run/files/access-log.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { expectedBodyCrc32, noteText, probeRunId, type RequestNames } from '../run/site-requests.ts';
import { writeTimeline } from '../run/timeline/timeline-from-files.ts';

const { ledger, direct, accessLog, requestLog, proxyLog, journal, deployer, queues, notes } = runFiles;
const repeated = [ledger, direct, accessLog, requestLog, proxyLog, journal, deployer, queues, notes];

/** Writes the run into `folder`, which is made; it is without controls. The verdict is the kept run's, of as many rows. */
export async function writeLongRun(kept: string, folder: string, times: number): Promise<void> {
  const { record: run } = await openRun(kept);
  if (run.kind !== 'experiment' || run.originMonotonicUs === null) throw new Error(`${kept} is no run of the lab`);
  await mkdir(join(folder, runFiles.witnesses), { recursive: true });
  const files = new Map<string, readonly string[]>();
  for (const name of repeated) files.set(name, await linesOf(join(kept, name)));
  const repetition = new Repetition(run, run.originMonotonicUs, files);
  for (const [name, lines] of files) await writeRepeated(join(folder, name), lines, repetition, times);
  for (const name of [runFiles.kernel, runFiles.engineEvents]) await copyFile(join(kept, name), join(folder, name));
  const long = repetition.recordOf(times);
  await writeFile(join(folder, runFiles.run), `${JSON.stringify(long, null, 2)}\n`);
  await writeTimeline(folder, long);
}

async function linesOf(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

async function writeRepeated(
  path: string,
  lines: readonly string[],
  repetition: Repetition,
  times: number,
): Promise<void> {
  const file = createWriteStream(path);
  const out = path.endsWith('.gz') ? createGzip() : file;
  if (out !== file) out.pipe(file);
  const timed = lines.map((line) => ({ line, atUs: repetition.momentOf(line) }));
  for (let nth = 0; nth < times; nth++) {
    // What came before the load came once, and what comes after it comes once.
    const own = timed.filter(({ atUs }) => (atUs >= 0 || nth === 0) && (atUs < repetition.spanUs || nth === times - 1));
    const text = own.map(({ line }) => `${repetition.lineOf(line, nth)}\n`).join('');
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await finished(file);
}

/** Fields in microseconds that are no moment. */
const durations = new Set(['rttUs']);
const isoTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/u;

/** How a repetition of a run differs from the run. */
class Repetition {
  readonly spanUs: number;
  private readonly run: ExperimentRun;
  private readonly originUs: number;
  private readonly slots: { readonly load: number; readonly probe: number };
  private readonly restarts: number;
  /** The version of each process. */
  private readonly instances: ReadonlyMap<string, string>;

  /** @param files the lines of the run's files */
  constructor(run: ExperimentRun, originUs: number, files: ReadonlyMap<string, readonly string[]>) {
    const { load, deploy } = run.experiment;
    this.run = run;
    this.originUs = originUs;
    this.spanUs = run.durationMs * 1000;
    // The probe goes on for a moment behind the load.
    const probes = (files.get(direct) ?? []).filter((line) => this.momentOf(line) < this.spanUs);
    this.slots = { load: slotCount(load.ratePerSecond, run.durationMs), probe: probes.length };
    this.restarts = deploy.restarts;
    const named = (files.get(requestLog) ?? []).map((line) => /"version":"(v\d+)","instance":"([^"]+)"/u.exec(line));
    this.instances = new Map(named.map((found) => [found?.[2] ?? '', found?.[1] ?? '']));
  }

  /** The record of so many repetitions as one run. */
  recordOf(times: number): ExperimentRun {
    const { experiment, durationMs, deployBeginsMs } = this.run;
    return {
      ...this.run,
      experiment: { ...experiment, deploy: { ...experiment.deploy, restarts: this.restarts * times } },
      command: `${this.run.command}, repeated ${times} times, measured nowhere`,
      durationMs: durationMs * times,
      deployBeginsMs: Array.from({ length: times }, (_, nth) =>
        deployBeginsMs.map((beginMs) => beginMs + nth * durationMs),
      ).flat(),
      witnessLines: {},
    };
  }

  /** When the line was written or began, in microseconds since the origin; before the load where it does not say. */
  momentOf(line: string): number {
    const due = /"dueUs":(\d+)/u.exec(line)?.[1];
    if (due !== undefined) return Number(due);
    const [, monotonic] =
      /"(?:receivedUs|writtenUs|atMonotonicUs)":(\d+)/u.exec(line) ??
      /"__MONOTONIC_TIMESTAMP":"(\d+)"/u.exec(line) ??
      [];
    if (monotonic !== undefined) return Number(monotonic) - this.originUs;
    const wall = isoTime.exec(line)?.[0];
    return wall === undefined ? -1 : wallUsOf(wall) - this.originUs - (this.run.wallOffsetUs?.[0] ?? 0);
  }

  /** The line as it stands in this repetition, from 0. */
  lineOf(line: string, nth: number): string {
    // The direct probe is a load of its own, with slots of its own.
    const slots = line.includes(probeRunId(this.run.runId)) ? this.slots.probe : this.slots.load;
    // In the proxy's own log the engine's stamp stands before the JSON.
    const at = line.indexOf('{');
    const record: unknown = JSON.parse(line.slice(at));
    return `${this.textOf(line.slice(0, at), nth, slots)}${JSON.stringify(this.moved(record, '', { nth, slots }))}`;
  }

  private moved(value: unknown, name: string, by: { readonly nth: number; readonly slots: number }): unknown {
    const { nth, slots } = by;
    if (typeof value === 'number') {
      const isMoment = name.endsWith('Us') && !durations.has(name);
      const step = name === 'seq' ? slots : name === 'restart' ? this.restarts : 0;
      return value + nth * (isMoment ? this.spanUs : step);
    }
    if (typeof value === 'string') {
      if (name.endsWith('_TIMESTAMP')) return String(Number(value) + nth * this.spanUs);
      if (name !== 'MESSAGE' || !value.startsWith('{')) return this.textOf(value, nth, slots);
      return JSON.stringify(this.moved(JSON.parse(value), '', by));
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return withOwnSums(Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.moved(one, key, by)])));
  }

  private textOf(text: string, nth: number, slots: number): string {
    const version = this.instances.get(text) ?? text;
    if (/^v\d+$/u.test(version)) {
      const moved = Number(version.slice(1)) + nth * this.restarts;
      // The last process of one repetition is the first of the next.
      return version === text ? `v${moved}` : `${moved}-1`;
    }
    const [, prefix, seq] = /^(.*-1-)(\d+)$/u.exec(text) ?? [];
    if (prefix !== undefined) return `${prefix}${Number(seq) + nth * slots}`;
    return text.replace(isoTime, (time) => movedTime(time, nth * this.spanUs));
  }
}

/** A time in UTC, moved by whole microseconds. */
function movedTime(time: string, byUs: number): string {
  const wholeUs = Math.floor(wallUsOf(time)) + byUs;
  const seconds = new Date(Math.floor(wholeUs / 1000)).toISOString().slice(0, 19);
  const fraction = /\.\d+/u.exec(time)?.[0] ?? '';
  return `${seconds}${fraction === '' ? '' : `.${String(wholeUs % 1_000_000).padStart(6, '0')}${fraction.slice(7)}`}Z`;
}

/** A note that was written under another id has another text, and is answered with another body. */
function withOwnSums(record: Record<string, unknown>): Record<string, unknown> {
  const { method, path, status, id, textCrc32s } = record;
  if (method === 'POST' && status === 201) {
    const requestId = (record['requestId'] ?? record['request']) as string;
    const isPrimed = requestId.startsWith('prime-');
    const names = { method, path, requestId: isPrimed ? requestId.slice('prime-'.length) : requestId } as RequestNames;
    return { ...record, bodyCrc32: expectedBodyCrc32(names) };
  }
  return typeof id === 'string' && typeof textCrc32s === 'string'
    ? { ...record, textCrc32s: String(crc32(noteText(id))) }
    : record;
}
