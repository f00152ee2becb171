/** The package in another project, which is a repository of its own, runs an experiment in the lab. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from './base/testing-folder.ts';
import { isOnlyLate, sumOf } from './cli/testing.ts';
import { projectFolder } from './project.mjs';
import { projectState } from './lab/project-state.ts';
import { otherProject } from './testing-package.ts';
import { verdictSchema } from './verdict/record/verdict.ts';

it('boots the lab of the checkout, counts, and says which version made the run and how to repeat it', async () => {
  const { folder, run } = otherProject(testFolder());
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: folder });
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '--message', 'theirs');

  const asked = ['experiment', 'E5', '--seed', '7', '--restarts', '1', '--set', 'deploy.tailMs=2000'];
  const { stdout, stderr } = await run(...asked, '--no-controls', '--json');
  expect(stdout, stderr).not.toBe('');
  const verdict = verdictSchema.parse(JSON.parse(stdout));
  expect(verdict.verdict === 'pass' || isOnlyLate(verdict), stderr).toBe(true);
  expect(sumOf(verdict.outcomes)).toBe(verdict.due);
  const made = join(folder, 'reports', 'E5', verdict.runId);
  const record = JSON.parse(readFileSync(join(made, 'run.json'), 'utf8')) as {
    command: string;
    fingerprint: Record<string, string>;
  };
  const { version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string };
  expect(record.fingerprint['project']).toBe(`restart-proof ${version}`);
  expect(await projectState()).not.toBe(record.fingerprint['project']);
  expect(record.command).toBe(
    'npx restart-proof experiment E5 --seed 7 --set deploy.tailMs=2000 --set deploy.restarts=1',
  );
  expect(readFileSync(join(made, 'report.md'), 'utf8')).not.toContain('npm run');
  expect((await run('verify', `reports/E5/${verdict.runId}`)).stdout).toMatch(
    /^(holds: pass;|inconclusive:) every file is as it was hashed/mu,
  );
});
