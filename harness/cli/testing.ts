/** For tests on the real lab: the command line that a user types, and what it leaves. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect } from 'vitest';
import { exitCodes } from '../base/errors.ts';
import { readLedger } from '../run/read-ledger.ts';
import { readTimeline } from '../run/files/timeline.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** The command line, as `npm run` starts it; what it prints is to be read, so without colour. */
export function cli(...args: string[]) {
  return cliWith({}, ...args);
}

/** The same, with these variables. */
export function cliWith(env: Readonly<Record<string, string>>, ...args: string[]) {
  const [program, ...words] = [...under, process.execPath, 'harness/cli.ts', ...args];
  return execa(program ?? '', words, { cwd: project, reject: false, env: { NO_COLOR: '1', ...env } });
}

/**
 * The same, for runs that go to `out`; again, at most twice, while it cannot tell (exit code 3) and all that can be said
 * against its runs is that this machine was busy.
 */
export async function cliThatTells(out: string, ...args: string[]): Promise<Awaited<ReturnType<typeof cli>>> {
  const known = new Set(await verdictPaths(out));
  for (let again = 2; ; again--) {
    const ended = await cli(...args, '--out', out);
    const made = (await verdictPaths(out)).filter((path) => !known.has(path));
    const verdicts = await Promise.all(made.map(async (path) => readFile(join(out, path), 'utf8')));
    const doubtful = verdicts
      .map((text) => verdictSchema.parse(JSON.parse(text)))
      .filter(({ verdict }) => verdict === 'inconclusive' || verdict === 'aborted');
    if (ended.exitCode !== exitCodes.inconclusive || again === 0 || !doubtful.every(isOnlyLate)) return ended;
  }
}

async function verdictPaths(out: string): Promise<string[]> {
  const paths = await readdir(out, { recursive: true });
  return paths.filter((path) => basename(path) === 'verdict.json');
}

let under: readonly string[] = [];

/** While `work` goes on, the command line runs under another program, such as one that shifts its clocks. */
export async function underProgram<T>(words: readonly string[], work: () => Promise<T>): Promise<T> {
  under = words;
  try {
    return await work();
  } finally {
    under = [];
  }
}

/** What a run printed and left. */
export interface LabRun {
  readonly verdict: Verdict;
  readonly folder: string;
  readonly exitCode: number | undefined;
}

/**
 * Runs an experiment; again, at most twice, when all that can be said against it is that this machine was busy.
 * @param out the folder of its reports
 */
export async function runInLab(out: string, ...args: string[]): Promise<LabRun> {
  const controls = args.includes('--with-controls') ? [] : ['--no-controls'];
  const asked = args.filter((arg) => arg !== '--with-controls');
  for (let again = 2; ; again--) {
    const { stdout, stderr, exitCode } = await cli('experiment', ...asked, ...controls, '--json', '--out', out);
    expect(stdout, stderr).not.toBe('');
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    if (again > 0 && isOnlyLate(verdict)) continue;
    return { verdict, folder: join(out, verdict.experiment, verdict.runId), exitCode };
  }
}

/** Is it inconclusive for this machine's sake alone? What it then expected and missed is no evidence either. */
export function isOnlyLate({ verdict, reasons }: Verdict): boolean {
  const doubts = reasons.filter((reason) => !reason.startsWith('Expected of '));
  return verdict === 'inconclusive' && doubts.every((doubt) => / late\b|between client and proxy/u.test(doubt));
}

/** Waits until a command has said so on stderr. @returns what it said */
export async function untilSaid(running: ReturnType<typeof cli>, isSaid: (text: string) => boolean): Promise<string> {
  let said = '';
  running.stderr.on('data', (part: Buffer) => (said += part.toString()));
  for (let waitedMs = 0; !isSaid(said); waitedMs += 50) {
    if (running.exitCode !== null || waitedMs > 60_000) throw new Error(`not said within a minute: ${said}`);
    await sleep(50);
  }
  return said;
}

/** The same, until it has sent something. */
export async function untilLoad(running: ReturnType<typeof cli>): Promise<void> {
  await untilSaid(running, (text) => /due, sent [1-9]/u.test(text));
}

/** A run of which a test meets the middle: names of the lab's containers once load is on its way, and then its end. */
export interface RunUnderWay {
  readonly runId: string;
  /** Ends the harness as a machine that lacks memory does. */
  kill(): void;
  readonly end: Promise<{ verdict: Verdict | null; exitCode: number | undefined; stdout: string; stderr: string }>;
}

/** Starts an experiment, and resolves when at least `sent` requests have been sent. */
export async function startRun(out: string, sent: number, ...args: string[]): Promise<RunUnderWay> {
  const running = cli('experiment', ...args, '--no-controls', '--json', '--out', out);
  const said = await untilSaid(running, (text) => Number([...text.matchAll(/due, sent (\d+)/gu)].at(-1)?.[1]) >= sent);
  const runId = /run (\S+), booting/u.exec(said)?.[1] ?? '';
  expect(runId, said).not.toBe('');
  const end = running.then(({ stdout, stderr, exitCode }) => ({
    verdict: stdout === '' ? null : verdictSchema.parse(JSON.parse(stdout)),
    exitCode,
    stdout,
    stderr,
  }));
  return { runId, kill: () => running.kill('SIGKILL'), end };
}

/** The outcomes together. */
export function sumOf(outcomes: Record<string, number>): number {
  return Object.values(outcomes).reduce((total, count) => total + count, 0);
}

/** It passed: nothing was said against it. */
export function expectPass(
  { verdict, exitCode }: Pick<LabRun, 'verdict' | 'exitCode'>,
  figures: Partial<Verdict>,
): void {
  expect(verdict.reasons).toEqual([]);
  expect(exitCode).toBe(0);
  expect(verdict).toMatchObject({ verdict: 'pass', ...figures });
}

/** What must hold of every run that went to its end, whatever it measured. */
export async function expectWhole(folder: string, verdict: Verdict): Promise<void> {
  expect(sumOf(verdict.outcomes)).toBe(verdict.due);
  const seqs = new Set<number>();
  for await (const row of readLedger(join(folder, 'ledger.ndjson.gz'))) seqs.add(row.seq);
  expect(seqs.size).toBe(verdict.due);
  const { sent, witnesses } = verdict;
  expect(witnesses.proxy).toEqual({
    arrived: sent,
    ledgerSent: sent,
    missing: 0,
    extra: 0,
    repeated: 0,
    disagreeing: 0,
  });
  const timeline = await readTimeline(join(folder, 'timeline.ndjson'));
  for (const { restart } of verdict.perRestart) {
    const kinds = timeline
      .filter((event) => event.restart === restart && event.source !== 'proxy')
      .map(({ kind }) => kind);
    const order = 'deploy-begin sigterm accept-stopped exit unit-stopped unit-started start accepting ready'.split(' ');
    expect(kinds.filter((kind) => order.includes(kind))).toEqual(order);
  }
  expect(await readdir(join(folder, 'charts'))).toEqual(
    expect.arrayContaining(['outcomes.png', 'outcomes.svg', 'latency.png', 'latency.svg']),
  );
  const report = await readFile(join(folder, 'report.md'), 'utf8');
  expect(report).toContain(verdict.citation);
}
