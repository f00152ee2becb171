/** Hands a gate's result to whoever waits for it: files, the terminal, and the CI system that it runs under. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { exitCodes } from '../errors.ts';
import { annotationLines } from '../gate/annotations.ts';
import type { GateResult } from '../gate/gate-result.ts';
import { junitText } from '../gate/junit.ts';
import { usageError } from '../gate/refusals.ts';
import { gateLines, summaryText } from '../gate/summary.ts';
import type { Context } from './context.ts';
import { jsonText } from '../text/foreign-text.ts';

/** Options as they are typed. */
export interface DeliveryOptions {
  readonly json?: true;
  readonly junit?: string;
  readonly summary?: string;
  readonly annotations?: string;
}

/** What GitHub's runner sets. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Refuses what could not be delivered, before anything has run.
 * @throws {HarnessError} naming the option
 */
export function checkDelivery({ annotations }: DeliveryOptions): void {
  if (annotations === undefined || annotations === 'github' || annotations === 'none') return;
  throw usageError(`--annotations takes github or none, not ${JSON.stringify(annotations)}.`);
}

/**
 * Writes gate.json, junit.xml and summary.md into the folder, and says what came of it. Under GitHub Actions findings
 * appear at the budget's line, and the summary on the job's page.
 * @param budgetsPath the budgets file, where it lies; null where there is none
 */
export async function deliver(
  { stdout, stderr, workflowCommand }: Pick<Context, 'stdout' | 'stderr' | 'workflowCommand'>,
  result: GateResult,
  {
    folder,
    budgetsPath,
    options,
    environment,
  }: {
    readonly folder: string;
    readonly budgetsPath: string | null;
    readonly options: DeliveryOptions;
    readonly environment: Environment;
  },
): Promise<number> {
  const texts = {
    json: jsonText(result),
    junit: junitText(result),
    summary: summaryText(result),
  };
  await writeText(join(folder, 'gate.json'), texts.json);
  await writeText(join(folder, 'junit.xml'), texts.junit);
  await writeText(join(folder, 'summary.md'), texts.summary);
  if (options.junit !== undefined) await writeText(options.junit, texts.junit);
  if (options.summary !== undefined) await writeText(options.summary, texts.summary);
  const isGithub = environment['GITHUB_ACTIONS'] === 'true';
  const page = environment['GITHUB_STEP_SUMMARY'];
  if (isGithub && page !== undefined && page !== '') await appendFile(page, `${texts.summary}\n`);
  const words = options.json === true ? stderr : stdout;
  words(gateLines(result));
  words(`summary: ${relative(process.cwd(), join(folder, 'summary.md'))}\n`);
  if ((options.annotations ?? (isGithub ? 'github' : 'none')) === 'github') {
    const file = budgetsPath === null ? null : withinRepository(budgetsPath, environment['GITHUB_WORKSPACE']);
    for (const line of annotationLines(result, file)) workflowCommand(line);
  }
  if (options.json === true) stdout(texts.json);
  return exitCodeOfGate(result);
}

/** What the process exits with. */
export function exitCodeOfGate({ verdict }: GateResult): number {
  switch (verdict) {
    case 'pass':
      return exitCodes.pass;
    case 'fail':
      return exitCodes.expectationMissed;
    case 'inconclusive':
      return exitCodes.inconclusive;
  }
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
