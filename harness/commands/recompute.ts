/** `verdict`, `report` and `verify`: a run's verdict and report made again from its files, or held against them. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { exitCodes, messageOf } from '../errors.ts';
import { readRunRecord, runFiles } from '../scenario/run-folder.ts';
import { judgeRun } from '../verdict/judge.ts';
import { verdictSchema, type Verdict } from '../verdict/verdict.ts';
import { heldAgainstCatalog } from './as-asked.ts';
import { closingLines, exitCodeOf } from './closing.ts';
import type { Context } from './context.ts';
import { readingRun } from './damaged-run.ts';
import { hashesFile, hashesOf, writeHashes } from './hashes.ts';

/**
 * Makes verdict.json again; exits as the run did. A report of another verdict is made again with it: one that is there
 * must tell what verdict.json says. Where it would be the same bytes, or there is none, that would take as long again for
 * nothing.
 */
export async function verdictCommand(context: Context, run: string, options: { json?: true }): Promise<number> {
  const folder = await folderOf(run);
  const verdict = await readingRun(folder, async () => {
    const before = await verdictText(folder);
    const judged = await judgeRun(folder);
    if (hasReport(folder) && (await verdictText(folder)) !== before) await report(folder);
    return judged;
  });
  await writeHashes(folder);
  if (options.json === true) context.stdout(`${JSON.stringify(verdict, null, 2)}\n`);
  else {
    const where = relative(process.cwd(), folder) || '.';
    context.stdout(closingLines(verdict, where, context.colours.stdout, { hasReport: hasReport(folder) }));
  }
  return exitCodeOf(verdict.verdict);
}

/** What draws is loaded only where something is drawn: a verdict needs none of it. */
async function report(folder: string): Promise<void> {
  const { writeReport } = await import('../report/write-report.ts');
  await writeReport(folder);
}

function hasReport(folder: string): boolean {
  return existsSync(join(folder, runFiles.report));
}

async function verdictText(folder: string): Promise<string | null> {
  return await readFile(join(folder, runFiles.verdict), 'utf8').catch(() => null);
}

/** Makes report.md and the charts again, from the verdict that is there. */
export async function reportCommand(context: Context, run: string): Promise<number> {
  const folder = await folderOf(run);
  await readingRun(folder, async () => report(folder));
  await writeHashes(folder);
  context.stdout(`report: ${join(relative(process.cwd(), folder), runFiles.report)}\n`);
  return exitCodes.pass;
}

/**
 * Says whether a run's line holds: every file is as it was hashed, the raw files give the same verdict and report again,
 * and the experiment is the one that was asked for. Nothing in the folder is written.
 */
export async function verifyCommand(context: Context, run: string): Promise<number> {
  const { claimed, doubts, left } = await doubtsAbout(await folderOf(run));
  if (claimed !== null) context.stdout(`${claimed.citation}\n`);
  if (left !== null) context.stderr(`note: ${left}\n`);
  if (doubts.length === 0) {
    context.stdout(`holds: ${claimed?.verdict ?? '?'}; files, verdict and report are as the raw files give them\n`);
    return exitCodes.pass;
  }
  context.stdout(`does not hold:\n${doubts.map((doubt) => `  ${doubt}\n`).join('')}`);
  return exitCodes.expectationMissed;
}

/** What a run's folder claims, and all that speaks against it; nothing in the folder is written. */
export async function doubtsAbout(
  folder: string,
): Promise<{ claimed: Verdict | null; doubts: readonly string[]; left: string | null }> {
  const doubts = await changedFiles(folder);
  const asked = await heldAgainstCatalog(await readRunRecord(folder));
  doubts.push(...asked.doubts);
  const claimed = await readVerdict(folder, doubts);
  const again = await recompute(folder, doubts);
  if (claimed !== null && again !== null) {
    const [before, after] = [claimed, again].map((verdict) => JSON.stringify(verdict));
    if (before !== after) doubts.push(`verdict.json is not what the raw files give: ${differences(claimed, again)}.`);
  }
  if (again !== null && again.verdict !== 'pass' && again.verdict !== 'fail') {
    doubts.push(`The raw files make it ${again.verdict}: ${again.reasons.join(' ')}`);
  }
  return { claimed, doubts, left: asked.left };
}

/**
 * A run's own folder: `latest` is a link, and the run's own name is what the lines are about.
 * @throws {HarnessError} when it holds no run
 */
export async function folderOf(run: string): Promise<string> {
  const folder = resolve(run);
  await readRunRecord(folder);
  return await realpath(folder);
}

async function changedFiles(folder: string): Promise<string[]> {
  let recorded: Record<string, string>;
  try {
    recorded = JSON.parse(await readFile(join(folder, hashesFile), 'utf8')) as Record<string, string>;
  } catch (error) {
    return [`${hashesFile} cannot be read: ${messageOf(error)}.`];
  }
  const now = await hashesOf(folder);
  return [...new Set([...Object.keys(recorded), ...Object.keys(now)])].sort().flatMap((path) => {
    if (now[path] === undefined) return [`${path} is missing.`];
    if (recorded[path] === undefined) return [`${path} was added.`];
    return now[path] === recorded[path] ? [] : [`${path} was changed.`];
  });
}

async function readVerdict(folder: string, doubts: string[]): Promise<Verdict | null> {
  try {
    return verdictSchema.parse(JSON.parse(await readFile(join(folder, runFiles.verdict), 'utf8')));
  } catch (error) {
    doubts.push(`verdict.json is none: ${messageOf(error).split('\n')[0] ?? ''}.`);
    return null;
  }
}

/** Judges a copy, and compares the report. */
async function recompute(folder: string, doubts: string[]): Promise<Verdict | null> {
  const scratch = await mkdtemp(join(tmpdir(), 'restart-proof-verify-'));
  try {
    const copy = join(scratch, 'run');
    await cp(folder, copy, { recursive: true });
    const verdict = await judgeRun(copy);
    await report(copy);
    for (const file of [runFiles.report, runFiles.page]) {
      // Each can be made again: a packed run has no page, and one that was only judged no report.
      if (!existsSync(join(folder, file))) continue;
      const [before, after] = await Promise.all(
        [folder, copy].map((where) => readFile(join(where, file), 'utf8').catch(() => '')),
      );
      if (textOf(before ?? '') !== textOf(after ?? '')) doubts.push(`${file} is not what the files give.`);
    }
    return verdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
  } catch (error) {
    doubts.push(`The raw files give no verdict: ${messageOf(error).trim().replace(/\.$/u, '')}.`);
    return null;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
