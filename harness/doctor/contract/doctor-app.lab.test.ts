/** `doctor --app` on the real lab; each planted fault: doctor-app.full.test.ts. */
import { expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { cli } from '../../cli/testing.ts';
import { faultyService, standing, type DoctorJson } from './testing-faulty.ts';

const folder = testFolder();

it('doctor --app finds the one thing that a service does wrong, by name, and leaves nothing', async () => {
  const path = await faultyService(folder, 'closes-idle');
  const { stdout, stderr, exitCode } = await cli('doctor', '--app', path, '--json');
  expect(exitCode, stderr).toBe(1);
  const { keepsContract, checks } = JSON.parse(stdout) as DoctorJson;
  expect(keepsContract).toBe(false);
  expect(checks.filter(({ status }) => status !== 'passed')).toEqual([
    expect.objectContaining({ check: 'idle', status: 'failed', fault: 'closes idle connections at once' }),
  ]);
  expect(await standing()).toEqual([]);
});
