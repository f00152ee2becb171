/** For tests on the real lab: the command line that a user types, and what it leaves. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { verdictSchema, type Verdict } from '../verdict/verdict.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** The command line, as `npm run` starts it. */
export function cli(...args: string[]) {
  return execa(process.execPath, ['harness/cli.ts', ...args], { cwd: project, reject: false });
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

function isOnlyLate({ verdict, reasons }: Verdict): boolean {
  return verdict === 'inconclusive' && reasons.every((reason) => / late\b/u.test(reason));
}

/** The outcomes together. */
export function sumOf(outcomes: Record<string, number>): number {
  return Object.values(outcomes).reduce((total, count) => total + count, 0);
}
