import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { testFolder } from './testing-folder.ts';
import { scratchFolder, sweepScratch } from './scratch-folder.ts';

const top = testFolder();
afterEach(() => vi.unstubAllEnvs());

it('removes what a killed process left, and nothing else', async () => {
  vi.stubEnv('TMPDIR', top);
  const own = await scratchFolder('run');
  expect(dirname(own)).toBe(top);
  const gone = execFileSync(process.execPath, ['-p', 'process.pid']).toString().trim();
  const of = (pid: string | number): string => basename(own).replace(`-${process.pid}-`, `-${pid}-`);
  const names = {
    ofAProcessThatIsGone: of(gone),
    ofALivingOne: of(process.ppid),
    ofAnotherMachine: of(gone).replace(/run-[0-9a-f]{8}/u, 'run-00000000'),
    notOurs: `restart-proof-small-${gone}`,
  };
  for (const name of Object.values(names)) mkdirSync(join(top, name, 'sub'), { recursive: true });
  const link = join(top, of(gone).replace('run', 'database'));
  symlinkSync(join(top, names.notOurs), link);
  sweepScratch();
  const left = Object.entries(names).filter(([, name]) => existsSync(join(top, name)));
  expect(left.map(([what]) => what)).toEqual(['ofALivingOne', 'ofAnotherMachine', 'notOurs']);
  expect([existsSync(own), existsSync(link), existsSync(join(top, names.notOurs, 'sub'))]).toEqual([true, true, true]);
  rmSync(own, { recursive: true });
});
