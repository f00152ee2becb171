/** The package, installed by npm from its tarball as a user does it: what it depends on comes from the registry. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { testFolder } from './base/testing-folder.ts';
import { projectFolder } from './project.mjs';

const folder = testFolder();
const env = { NO_COLOR: '1', XDG_CACHE_HOME: join(folder, 'cache') };
const npx = (...words: string[]) => execa('npx', ['restart-proof', ...words], { cwd: folder, env, reject: false });

it('is installed, sets the lab up, finds it well, runs an experiment beside its controls, and cleans up', async () => {
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const tarball = execFileSync('npm', pack, { cwd: projectFolder, encoding: 'utf8' }).trim();
  await execa('npm', ['init', '--yes'], { cwd: folder });
  await execa('npm', ['install', '--save-dev', '--no-audit', `./${tarball}`], { cwd: folder });

  const setup = await npx('setup');
  expect(setup.exitCode, setup.stderr).toBe(0);
  expect(setup.stdout).toContain('setup: done: npx restart-proof experiment E5');
  const doctor = await npx('doctor');
  expect(doctor.exitCode, doctor.stdout).toBe(0);
  expect(doctor.stdout).not.toContain('npm run');

  let run = await npx('experiment', 'E1', '--capacity');
  // A machine that is busy for both tries of a control.
  for (let again = 2; again > 0 && run.stderr.includes('[control-inconclusive]'); again--) {
    run = await npx('experiment', 'E1', '--capacity');
  }
  expect([0, 3], run.stderr).toContain(run.exitCode);
  expect(run.stdout).toMatch(/^(pass|inconclusive): E1@\d/mu);
  expect(run.stdout).not.toContain('without controls');
  const clean = await npx('clean');
  expect(clean.stdout).toBe('Nothing was left.');
}, 400_000);
