/**
 * The door for the folder of a run: every run is opened here, whoever made it. A folder that holds anything but plain files
 * of known names and sizes is refused before its content is read.
 */
import { lstat, mkdir, open, opendir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HarnessError } from '../base/errors.ts';
import { shownLine } from '../base/foreign-text.ts';
import { mostFileBytes, mostTextBytes, openPlainFile, plainJson, refused, type FileIdentity } from './plain-file.ts';
import { rawLedgerName, runFiles, unfinished } from './run-folder.ts';
import { runRecordSchema, slotsOf, type RunRecord } from './run-record.ts';

const mega = 1024 * 1024;

/** Every file that a run may hold, beside those of charts/ and lab/, and how large each may be. */
const knownFiles: ReadonlyMap<string, number> = new Map([
  [runFiles.run, 4 * mega],
  [runFiles.timeline, 16 * mega],
  [runFiles.ledger, mostFileBytes],
  [runFiles.nextRun, 4 * mega],
  [runFiles.mergedLedger, mostFileBytes],
  [runFiles.direct, 512 * mega],
  [runFiles.holds, 512 * mega],
  [runFiles.rawHolds, 512 * mega],
  [runFiles.notes, mostFileBytes],
  [runFiles.joined, mostFileBytes],
  [runFiles.verdict, 16 * mega],
  [runFiles.report, 16 * mega],
  [runFiles.page, mostTextBytes],
  [runFiles.hashes, mega],
  [runFiles.queues, 512 * mega],
  [runFiles.controls, 16 * mega],
  [runFiles.engineEvents, 16 * mega],
  [runFiles.accessLog, mostFileBytes],
  [runFiles.requestLog, mostFileBytes],
  [runFiles.proxyLog, mostFileBytes],
  [runFiles.serverLog, mostFileBytes],
  [runFiles.journal, mostTextBytes],
  [runFiles.kernel, mega],
  [runFiles.capacity, mega],
  [runFiles.deployer, 16 * mega],
]);

const chartName = /^[\w-]{1,64}\.(?:png|svg)$/u;
const chartBytes = 16 * mega;
const labName = /^[\w@][\w.@:+-]{0,127}$/u;
const labBytes = mega;
const labDepth = 8;
/** Far more than a run has. */
const mostEntries = 500;

/** A file of a run, as it was listed. */
interface Listed extends FileIdentity {
  readonly size: number;
}

/** The folder of a run that was looked through. */
export class OpenRun {
  /** Without links. */
  readonly path: string;
  readonly record: RunRecord;
  private readonly files: ReadonlyMap<string, Listed>;

  constructor(path: string, record: RunRecord, files: ReadonlyMap<string, Listed>) {
    this.path = path;
    this.record = record;
    this.files = files;
  }

  /** Names of its files, such as `witnesses/kernel.json`, in order. */
  names(): string[] {
    return [...this.files.keys()].sort();
  }

  has(name: string): boolean {
    return this.files.has(name);
  }

  bytes(): number {
    return [...this.files.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Copies its files into a folder of ours, so that what is checked cannot change meanwhile.
   * @param wanted which files, by name
   * @throws {HarnessError} when one was replaced since it was listed
   */
  async copyTo(target: string, wanted: (name: string) => boolean = () => true): Promise<void> {
    for (const name of this.names().filter(wanted)) {
      const path = join(target, name);
      await mkdir(dirname(path), { recursive: true });
      await copyPlainFile(join(this.path, name), path, this.files.get(name));
    }
  }
}

/**
 * Opens the folder of a run. The path itself may be a link, as `latest` is; nothing within the folder may.
 * @throws {HarnessError} `run-missing` when it holds no run, `run-refused` when it holds what no run has, `run-damaged`
 *   when run.json is not one of ours
 */
export async function openRun(folder: string): Promise<OpenRun> {
  const path = await realpath(folder).catch((cause: unknown) => {
    throw new HarnessError('run-missing', `${folder} holds no run: the folder cannot be read.`, { cause });
  });
  const first = await lstat(join(path, runFiles.run)).catch(() => null);
  if (first === null) throw new HarnessError('run-missing', `${folder} holds no run: there is no ${runFiles.run}.`);
  const files = new Map<string, Listed>();
  await list(path, '', files);
  const record = await plainJson(join(path, runFiles.run), runRecordSchema, { what: 'run record' });
  refuseImpossible(path, record, files);
  return new OpenRun(path, record, files);
}

/** Lists a folder within the run, and the folders in it. */
async function list(root: string, within: string, files: Map<string, Listed>): Promise<void> {
  for await (const { name } of await opendir(join(root, within))) {
    const inRun = within === '' ? name : `${within}/${name}`;
    const path = join(root, inRun);
    const shown = shownLine(path);
    if (files.size >= mostEntries)
      throw refused(`${root} holds more than the ${mostEntries} files that a run may have`);
    const found = await lstat(path);
    if (found.isSymbolicLink()) throw refused(`${shown} is a link, and a run holds none`);
    if (found.isDirectory()) {
      if (!isKnownFolder(inRun)) throw refused(`${shown} is no folder of a run`);
      await list(root, inRun, files);
      continue;
    }
    if (!found.isFile()) throw refused(`${shown} is neither a plain file nor a folder`);
    const most = mostBytesOf(inRun);
    if (most === undefined) throw refused(`${shown} is no file of a run`);
    if (found.size > most) throw refused(`${shown} has ${found.size} bytes, and may have ${most}`);
    files.set(inRun, { size: found.size, dev: found.dev, ino: found.ino });
  }
}

/** What a packed file may have for each slot of the schedule; ours have 20 to 40 bytes. */
const mostBytesOfSlot = 400;
const freeBytes = 2 * mega;
/** Slots that a run may have beyond what its ledger has room for: rows that were lost when it was cut short. */
const spareSlots = 4_000_000;

/**
 * Whoever reads a run keeps some bytes for each of its slots, so their number must not be made up. A row takes more than
 * two bytes of a packed ledger.
 */
function refuseImpossible(path: string, record: RunRecord, files: ReadonlyMap<string, Listed>): void {
  const ledgers = [...files].filter(([name]) => name === runFiles.ledger || rawLedgerName.test(name));
  const most = spareSlots + ledgers.reduce((sum, [, { size }]) => sum + size, 0) / 2;
  const slots = slotsOf(record);
  if (slots > most) {
    throw refused(
      `${path} says in ${runFiles.run} that ${slots} requests were due, and its ledger has no room for them`,
    );
  }
  // A run that was cut short may not have known yet how many were due.
  const mostPacked = freeBytes + mostBytesOfSlot * (record.aborted === null ? slots : slots + spareSlots);
  for (const [name, { size }] of files) {
    // A run that went to its end has no raw rows left.
    const isLarge = name.endsWith('.gz') || (record.aborted === null && rawLedgerName.test(name));
    if (!isLarge || size <= mostPacked) continue;
    throw refused(`${join(path, name)} has ${size} bytes, and may have ${mostPacked} for ${slots} requests`);
  }
}

function isKnownFolder(name: string): boolean {
  return name === runFiles.witnesses || name === runFiles.charts || isOfLab(name);
}

function isOfLab(name: string): boolean {
  const [top, ...parts] = name.split('/');
  return top === runFiles.lab && parts.length <= labDepth && parts.every((part) => labName.test(part));
}

function mostBytesOf(name: string): number | undefined {
  const [top, chart = '', ...more] = name.split('/');
  if (top === runFiles.charts) return more.length === 0 && chartName.test(chart) ? chartBytes : undefined;
  if (top === runFiles.lab) return isOfLab(name) ? labBytes : undefined;
  const whole = name.endsWith(unfinished) ? name.slice(0, -unfinished.length) : name;
  return rawLedgerName.test(name) ? mostFileBytes : knownFiles.get(whole);
}

async function copyPlainFile(from: string, to: string, seen: Listed | undefined): Promise<void> {
  const source = await openPlainFile(from, seen?.size, seen);
  try {
    const target = await open(to, 'wx');
    try {
      // Not beyond the size that was listed: a file may grow while it is read.
      const buffer = Buffer.allocUnsafe(mega);
      for (let left = seen?.size ?? 0; left > 0;) {
        const { bytesRead } = await source.read(buffer, 0, Math.min(left, buffer.length));
        if (bytesRead === 0) break;
        await target.write(buffer, 0, bytesRead);
        left -= bytesRead;
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
