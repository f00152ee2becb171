/** For tests: the services of docs/examples, built as their READMEs say. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { expectPass, type LabRun, runInLab } from './testing.ts';

const folder = fileURLToPath(new URL('../../docs/examples/', import.meta.url));

const builds: Readonly<Record<string, readonly string[]>> = {
  go: ['go', 'build', '-o', 'shop', '.'],
  'go-socket': ['go', 'build', '-o', 'shop', '.'],
  express: ['npm', 'ci', '--prefix', '.'],
};

/** Rejects where what it takes is not there: Go, or a network. */
export async function buildExample(name: string): Promise<void> {
  const [program, ...words] = builds[name] ?? [];
  if (program !== undefined) await execa(program, words, { cwd: `${folder}${name}`, env: { CGO_ENABLED: '0' } });
}

/** The path of its service.yaml. */
export function exampleFile(name: string): string {
  return `${folder}${name}/service.yaml`;
}

/** Runs an experiment on an example: it went as expected, and each acknowledged write is there once. */
export async function runExample(out: string, name: string, ...args: string[]): Promise<LabRun['verdict']> {
  const { verdict, exitCode } = await runInLab(out, ...args, '--app', exampleFile(name));
  expectPass({ verdict, exitCode }, { stale: 0, unexplained: 0 });
  expect(verdict.writes?.acknowledged).toBeGreaterThan(0);
  expect(verdict.writes).toMatchObject({ lost: 0, misattributed: 0, unexpected: 0 });
  // How often it is stored, a URL that is asked cannot tell.
  expect(verdict.writes?.duplicated ?? 0).toBe(0);
  return verdict;
}

/** What it answered, and how requests ended. */
export function seenOutcomes({ outcomes }: LabRun['verdict']): string[] {
  return Object.entries(outcomes)
    .filter(([, count]) => count > 0)
    .map(([outcome]) => outcome);
}
