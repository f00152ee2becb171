/** `verdict`, `report` and `verify`: a run's verdict and report made again from its files, or held against them. */
import { constants } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { exitCodes, HarnessError, messageOf } from '../../base/errors.ts';
import { finishLedger } from '../../run/finish-ledger.ts';
import { sha256OfFile } from '../../run/file-hash.ts';
import { oneLine, plainJson, plainText } from '../../run/plain-file.ts';
import { finishRun } from '../../conduct/service/run-files.ts';
import { openRun, type OpenRun } from '../../run/run-door.ts';
import { runFiles } from '../../run/run-folder.ts';
import { jsonText, shownLine } from '../../base/foreign-text.ts';
import { judgeRun } from '../../verdict/judge.ts';
import { readVerdict } from '../../verdict/read-run.ts';
import { verdictSchema, type Verdict } from '../../verdict/verdict.ts';
import { heldAgainstCatalog } from './catalog-check.ts';
import { closingLines, exitCodeOf } from '../print/closing.ts';
import type { Context } from '../context.ts';
import { hashesOf, writeHashes } from './hashes.ts';

/**
 * Makes the verdict again; exits as the run did. The folder is written to only where the verdict is another than the one
 * that is there, and then its report is made again too. A packed run, and one that cannot be written, stays as it is.
 */
export async function verdictCommand(context: Context, folder: string, options: { json?: true }): Promise<number> {
  const run = await openRun(folder);
  const verdict = await onCopy(run, async (copy) => {
    // A run that was cut short may have left its files as they were being written.
    const isFinished = (await finishRun(copy)) || (await finishLedger(copy));
    const before = isFinished ? null : await verdictText(copy);
    const judged = await judgeRun(copy);
    if ((await verdictText(copy)) === before) return judged;
    const why = await whyFixed(run);
    if (why !== null) context.stderr(`note: ${run.path} ${why}: the verdict in it is another, and stays as it is\n`);
    else {
      if (run.has(runFiles.report)) await report(copy);
      await bringBack(run, copy);
    }
    return judged;
  });
  if (options.json === true) context.stdout(jsonText(verdict));
  else {
    const where = relative(process.cwd(), run.path) || '.';
    context.stdout(
      closingLines(verdict, where, context.colours.stdout, {
        hasReport: run.has(runFiles.report),
        hasPage: run.has(runFiles.page),
      }),
    );
  }
  return exitCodeOf(verdict.verdict);
}

/** What draws is loaded only where something is drawn: a verdict needs none of it. */
async function report(folder: string): Promise<void> {
  const { writeReport } = await import('../../report/write-report.ts');
  await writeReport(folder);
}

async function verdictText(folder: string): Promise<string | null> {
  return await plainText(join(folder, runFiles.verdict)).catch(() => null);
}

/**
 * Makes report.md and the charts again, from the verdict that is there; into another folder with `out`. A packed run, and
 * one that cannot be written, stays as it is.
 * @throws {HarnessError} when such a run has another report than its files give, and no `out` was named
 */
export async function reportCommand(context: Context, folder: string, options: { out?: string } = {}): Promise<number> {
  const run = await openRun(folder);
  const out = options.out === undefined ? run.path : resolve(options.out);
  await onCopy(run, async (copy) => {
    await report(copy);
    const why = options.out === undefined ? await whyFixed(run) : null;
    if (why === null) {
      await (options.out === undefined ? bringBack(run, copy) : copyReport(copy, out));
      return;
    }
    const [before, after] = [run.path, copy].map((where) => plainText(join(where, runFiles.report)).catch(() => ''));
    if ((await before) === (await after)) return;
    throw new HarnessError('out-not-writable', `${folder} ${why}, and its report is another than its files give.`);
  });
  context.stdout(`report: ${join(relative(process.cwd(), out), runFiles.report)}\n`);
  return exitCodes.pass;
}

/** Why nothing is written into a run's folder; null where it may be. */
async function whyFixed(run: OpenRun): Promise<string | null> {
  // A run that was packed has hashes, and not what can be made again.
  if (run.has(runFiles.hashes) && !run.has(runFiles.joined) && run.record.kind === 'experiment')
    return 'is a packed run';
  return await access(run.path, constants.W_OK).then(
    () => null,
    () => 'cannot be written',
  );
}

/** Puts the files that were made again, and differ, into the run's folder, and takes away those that went into others. */
async function bringBack(run: OpenRun, copy: string): Promise<void> {
  const made = await openRun(copy);
  let changes = 0;
  for (const name of made.names()) {
    const [from, to] = [join(copy, name), join(run.path, name)];
    if (run.has(name) && (await sha256OfFile(from)) === (await sha256OfFile(to))) continue;
    await putFile(from, to);
    changes++;
  }
  // Rows that were packed meanwhile.
  for (const name of run.names().filter((known) => !made.has(known))) await rm(join(run.path, name));
  if (changes > 0 || !run.has(runFiles.hashes)) await writeHashes(run.path);
}

async function copyReport(copy: string, out: string): Promise<void> {
  const made = (await openRun(copy)).names();
  const isReport = (name: string): boolean =>
    name === runFiles.report || name === runFiles.page || name.startsWith(`${runFiles.charts}/`);
  for (const name of made.filter(isReport)) await putFile(join(copy, name), join(out, name));
}

/** Never through a link, nor into a file that has a second name. */
async function putFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  await copyFile(from, to, constants.COPYFILE_EXCL);
}

/**
 * Works on a copy of the run in a folder of our own, which is removed in any case: nothing can change beneath it, and
 * nothing is written into what is looked at.
 */
async function onCopy<T>(run: OpenRun, work: (copy: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), `restart-proof-run-${process.pid}-`));
  const copy = join(scratch, 'run');
  try {
    await run.copyTo(copy);
    return await work(copy);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    // The user knows the run by its own path.
    const message = error.message.replaceAll(copy, run.path);
    throw new HarnessError(error.code, message, { hint: error.hint.replaceAll(copy, run.path), cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Says whether a run's line holds: every file is as it was hashed, the raw files give the same verdict and report again,
 * and the experiment is the one that was asked for. Nothing in the folder is written.
 */
export async function verifyCommand(context: Context, run: string): Promise<number> {
  const { claimed, doubts: found, unsure, left } = await doubtsAbout(await openRun(run));
  const doubts = unsure === null ? found : [...found, unsure];
  if (claimed !== null) context.stdout(`${shownLine(claimed.citation)}\n`);
  if (left !== null) context.stderr(`note: ${shownLine(left)}\n`);
  if (doubts.length === 0) {
    context.stdout(`holds: ${claimed?.verdict ?? '?'}; files, verdict and report are as the raw files give them\n`);
    return exitCodes.pass;
  }
  context.stdout(`does not hold:\n${doubts.map((doubt) => `  ${shownLine(doubt)}\n`).join('')}`);
  return exitCodes.expectationMissed;
}

/** What a run claims, and all that speaks against it. */
export interface Doubted {
  readonly claimed: Verdict | null;
  readonly doubts: readonly string[];
  /** That the raw files themselves give no claim; null where they do. */
  readonly unsure: string | null;
  /** Why the experiment was not held against experiments/; null where it was. */
  readonly left: string | null;
}

/** What a run's folder claims, and all that speaks against it; nothing in the folder is written. */
export async function doubtsAbout(run: OpenRun): Promise<Doubted> {
  return await onCopy(run, async (copy) => {
    const copied = await openRun(copy);
    const told = (error: unknown): string => oneLine(messageOf(error)).replaceAll(copy, run.path);
    const doubts = await changedFiles(copied).catch((error: unknown) => [`${told(error)}.`]);
    const asked = await heldAgainstCatalog(copied.record);
    doubts.push(...asked.doubts);
    const claimed = await readVerdict(copied).catch((error: unknown) => {
      doubts.push(`${told(error)}.`);
      return null;
    });
    const again = await recompute(copied, doubts).catch((error: unknown) => {
      doubts.push(`The raw files give no verdict: ${told(error)}.`);
      return null;
    });
    if (claimed !== null && again !== null) {
      const [before, after] = [claimed, again].map((verdict) => JSON.stringify(verdict));
      if (before !== after) doubts.push(`verdict.json is not what the raw files give: ${differences(claimed, again)}.`);
    }
    const isUnsure = again !== null && again.verdict !== 'pass' && again.verdict !== 'fail';
    const unsure = isUnsure ? `The raw files make it ${again.verdict}: ${again.reasons.join(' ')}` : null;
    return { claimed, doubts, unsure, left: asked.left };
  });
}

async function changedFiles(run: OpenRun): Promise<string[]> {
  if (!run.has(runFiles.hashes)) return [`${runFiles.hashes} is missing.`];
  const recorded = await plainJson(join(run.path, runFiles.hashes), z.record(z.string(), z.string()), {
    what: 'list of hashes',
  });
  const now = await hashesOf(run);
  return [...new Set([...Object.keys(recorded), ...Object.keys(now)])].sort().flatMap((path) => {
    if (now[path] === undefined) return [`${path} is missing.`];
    if (recorded[path] === undefined) return [`${path} was added.`];
    return now[path] === recorded[path] ? [] : [`${path} was changed.`];
  });
}

/** Judges a copy, and compares the report. */
async function recompute(copied: OpenRun, doubts: string[]): Promise<Verdict> {
  // Each can be made again: a packed run has no page, and one that was only judged no report.
  const files = [runFiles.report, runFiles.page].filter((file) => copied.has(file));
  const textsOf = (): Promise<string[]> =>
    Promise.all(files.map(async (file) => textOf(await plainText(join(copied.path, file)))));
  const before = await textsOf().catch(() => files.map(() => ''));
  const verdict = await judgeRun(copied.path);
  await report(copied.path);
  const after = await textsOf();
  doubts.push(
    ...files.filter((_, index) => before[index] !== after[index]).map((file) => `${file} is not what the files give.`),
  );
  return verdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
}

/** Without the charts: another machine's processor may draw a line a hundredth of a pixel beside. */
function textOf(report: string): string {
  return report.replaceAll(/<svg\b[\s\S]*?<\/svg>/gu, '');
}

/** The fields at the top that differ. */
function differences(before: Verdict, after: Verdict): string {
  const names = Object.keys(after) as (keyof Verdict)[];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => {
      const [was, is] = [before[name], after[name]].map((value) => JSON.stringify(value));
      return (was?.length ?? 0) + (is?.length ?? 0) < 80 ? `${name} says ${was ?? ''} and is ${is ?? ''}` : name;
    })
    .join(', ');
}
