/** Does a run's line hold? Its files against their hashes, and verdict and report against what the files give again. */
import { join } from 'node:path';
import { z } from 'zod';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { repeatCommand } from '../../conduct/run-request.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import { differences, flatFields } from '../../experiment/differences.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { sourcesHash } from '../../lab/project-state.ts';
import { reportWithoutCharts } from '../../report/write-report.ts';
import { oneLine, plainJson, plainText } from '../../run/plain-file.ts';
import { openRun, type OpenRun } from '../../run/run-door.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { judgeRun } from '../../verdict/judge.ts';
import { readVerdict, type ReadRun } from '../../verdict/record/read-run.ts';
import { verdictSchema, type Verdict } from '../../verdict/record/verdict.ts';
import { hashesOf, onCopy } from './working-copy.ts';

/** What verifying a run came to. */
export interface Verification {
  /** The verdict in the folder; null where it cannot be read. */
  readonly claimed: Verdict | null;
  /** What does not hold, a sentence each. */
  readonly wrong: readonly string[];
  /** The state of the project that made the run, where it is not this one: it may have other experiments and reports. */
  readonly otherState: { readonly commit: string; readonly sources: string } | null;
}

/** Verifies a run; nothing in its folder is written. */
export async function verification(run: OpenRun): Promise<Verification> {
  return await onCopy(run, async (copy) => {
    const copied = await openRun(copy);
    const told = (error: unknown): string => oneLine(messageOf(error)).replaceAll(copy, run.path);
    const wrong = await changedFiles(copied).catch((error: unknown) => [`${told(error)}.`]);
    const catalog = await compareWithCatalog(copied.record);
    wrong.push(...catalog.wrong);
    const claimed = await readVerdict(copied).catch((error: unknown) => {
      wrong.push(`${told(error)}.`);
      return null;
    });
    const again = await judgedAgain(copied).catch((error: unknown) => {
      wrong.push(`The raw files give no verdict: ${told(error)}.`);
      return null;
    });
    if (claimed !== null && again !== null && JSON.stringify(claimed) !== JSON.stringify(again)) {
      wrong.push(`verdict.json is not what the raw files give: ${differingFields(claimed, again)}.`);
    }
    // Another state may word its reports otherwise.
    if (again !== null && catalog.otherState === null) wrong.push(...(await changedReports(run, copied)));
    return { claimed, wrong, otherState: catalog.otherState };
  });
}

/**
 * Opens a run that a gate or a baseline may rest on: its files are as they were hashed and give the same verdict again, and
 * this state of the project made it.
 * @throws {HarnessError} naming the folder and what does not hold
 */
export async function verifiedRun(folder: string): Promise<ReadRun> {
  const run = await openRun(folder);
  const { claimed, wrong, otherState } = await verification(run);
  const other =
    otherState && `another state of the project made it (${otherState.commit}, sources ${otherState.sources}).`;
  const why = wrong[0] ?? other;
  if (claimed !== null && why === null) return { run: run.record, verdict: claimed };
  throw new HarnessError('gate-unusable', `${folder} does not hold: ${why ?? 'it has no verdict.'}`, {
    hint: `\`npm run verify -- ${folder}\` says the same.`,
  });
}

/**
 * Has somebody loosened what is expected of the experiment? Resolves it again, with the run's variant and changes. Only
 * the state of the project that made the run can tell: another one may have another experiment of that name.
 */
async function compareWithCatalog(run: RunRecord): Promise<Pick<Verification, 'wrong' | 'otherState'>> {
  if (run.kind !== 'experiment') return { wrong: [], otherState: null };
  const { sources = 'unknown', project = 'unknown' } = run.fingerprint;
  const own = await sourcesHash();
  if (sources !== own) return { wrong: [], otherState: { commit: project, sources } };
  const { experiment, app, variant, changes, seed, command } = run;
  const { service } = experiment;
  const wrong: string[] = [];
  try {
    const file = await loadExperiment(experiment.id);
    const asked = resolveExperiment(file, { variant: variant ?? undefined, changes, service });
    const fields = differences(flatFields(asked), flatFields(experiment)).map(
      ({ name, a, b }) => `${name} (asked for: ${a ?? 'none'}; run.json: ${b ?? 'none'})`,
    );
    if (fields.length > 0) wrong.push(`The experiment is not the one that was asked for: ${fields.join(', ')}.`);
    const again = repeatCommand({ id: experiment.id, variant, changes, app }, seed);
    if (again !== command) wrong.push(`The command that repeats the run is ${again}, but run.json has ${command}.`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    wrong.push(`The experiment cannot be asked for: ${error.message}`);
  }
  return { wrong, otherState: null };
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

/** The verdict of a copy, as a file would hold it. */
async function judgedAgain(copied: OpenRun): Promise<Verdict> {
  return verdictSchema.parse(JSON.parse(JSON.stringify(await judgeRun(copied.path))));
}

/** Compares the report's words with those that a judged copy gives. */
async function changedReports(run: OpenRun, copied: OpenRun): Promise<string[]> {
  const { report, page } = await reportWithoutCharts(await openRun(copied.path));
  const texts = { [runFiles.report]: report, [runFiles.page]: page };
  const wrong: string[] = [];
  for (const [file, again] of Object.entries(texts)) {
    // A packed run has no page, and one that was only judged no report.
    if (!run.has(file)) continue;
    const before = await plainText(join(run.path, file)).catch(() => '');
    if (textOf(before) !== textOf(again)) wrong.push(`${file} is not what the files give.`);
  }
  return wrong;
}

/** Without the charts: another machine's processor may draw a line a hundredth of a pixel beside. */
function textOf(report: string): string {
  return report.replaceAll(/<svg\b[\s\S]*?<\/svg>/gu, '');
}

/** The fields at the top that differ. */
function differingFields(before: Verdict, after: Verdict): string {
  const names = Object.keys(after) as (keyof Verdict)[];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => {
      const [was, is] = [before[name], after[name]].map((value) => JSON.stringify(value));
      return (was?.length ?? 0) + (is?.length ?? 0) < 80 ? `${name} says ${was ?? ''} and is ${is ?? ''}` : name;
    })
    .join(', ');
}
