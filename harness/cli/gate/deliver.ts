/** Hands a gate's result on: to files, the terminal, and the CI system that it runs under. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { exitCodes, messageOf } from '../../base/errors.ts';
import { annotationLines, junitText } from '../../gate/ci-outputs.ts';
import type { GateResult } from '../../gate/gate-result.ts';
import type { DeliveryOptions } from '../options/delivery-options.ts';
import { pathText } from '../print/path.ts';
import { exitCodeOf } from '../print/run-summary.ts';
import { gateLines, summaryText } from '../../gate/summary.ts';
import type { Context } from '../context.ts';
import { jsonText, shownLine } from '../../base/foreign-text.ts';

/** What GitHub's runner sets. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Where a result goes. */
interface Delivery {
  readonly folder: string;
  /** null without a budgets file. */
  readonly budgetsPath: string | null;
  readonly options: DeliveryOptions;
  readonly environment?: Environment;
}

/**
 * Writes gate.json, junit.xml and summary.md into the folder, and says what came of it. Under GitHub Actions findings
 * appear at the budget's line, and the summary on the job's page.
 * @param budgetsPath the budgets file, where it lies; null where there is none
 */
export async function deliver(
  { stdout, stderr, workflowCommand }: Pick<Context, 'stdout' | 'stderr' | 'workflowCommand'>,
  result: GateResult,
  { folder, budgetsPath, options, environment = process.env }: Delivery,
): Promise<number> {
  const texts = { json: jsonText(result), junit: junitText(result), summary: summaryText(result) };
  const isGithub = environment['GITHUB_ACTIONS'] === 'true';
  const page = environment['GITHUB_STEP_SUMMARY'] ?? '';
  const unwritten: string[] = [];
  const write = async (path: string | undefined, text: string, how = writeText): Promise<void> => {
    if (path === undefined) return;
    await how(path, text).catch((error: unknown) => {
      unwritten.push(path);
      stderr(`note: ${path} could not be written: ${shownLine(messageOf(error))}\n`);
    });
  };
  await write(join(folder, 'gate.json'), texts.json);
  await write(join(folder, 'junit.xml'), texts.junit);
  await write(join(folder, 'summary.md'), texts.summary);
  await write(options.junit, texts.junit);
  await write(options.summary, texts.summary);
  if (isGithub && page !== '') await write(page, `${texts.summary}\n`, appendFile);
  const words = options.json === true ? stderr : stdout;
  words(gateLines(result));
  words(`summary: ${pathText(join(folder, 'summary.md'))}\n`);
  if ((options.annotations ?? (isGithub ? 'github' : 'none')) === 'github') {
    const file = budgetsPath === null ? null : withinRepository(budgetsPath, environment['GITHUB_WORKSPACE']);
    for (const line of annotationLines(result, file)) workflowCommand(line);
  }
  if (options.json === true) stdout(texts.json);
  const code = exitCodeOf(result.verdict);
  // A CI system that waits for a file must not take its absence for a pass; a failure stays one.
  return code === exitCodes.pass && unwritten.length > 0 ? exitCodes.cannotRun : code;
}

/** A path as the repository has it: annotations name files from its top, which is where GitHub checked it out. */
function withinRepository(path: string, workspace: string | undefined): string {
  return relative(workspace === undefined || workspace === '' ? process.cwd() : workspace, resolve(path))
    .split(sep)
    .join('/');
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
}
