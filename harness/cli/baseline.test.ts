import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import { baselineOfRuns, runOf, verdictThatDropped } from '../gate/testing.ts';
import { readBaselines, writeBaseline } from '../gate/baseline.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { baseline } from './baseline.ts';
import { testContext, type TestContext } from './testing-context.ts';

const projectFolder = emptiedFolder();
let context: TestContext;
beforeEach(() => {
  context = testContext(projectFolder);
});

const clean = verdictThatDropped([0, 0, 0, 0]);

async function leaveRun(verdict: Verdict): Promise<string> {
  const folder = join(projectFolder, 'reports', 'E5', verdict.runId);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, runFiles.run), JSON.stringify(runOf(verdict).run));
  await writeFile(join(folder, runFiles.verdict), JSON.stringify(verdict));
  return folder;
}

describe('baseline accept refuses, and writes nothing for', () => {
  it.each([
    [
      'an inconclusive run',
      { verdict: 'inconclusive', reasons: ['Late.'] },
      /is inconclusive: nothing may be compared/u,
    ],
    ['an aborted run', { verdict: 'aborted' }, /is aborted: nothing may be compared/u],
    ['a run without controls', { controls: null }, /was made without controls/u],
    // Its verdict is all there is: no raw file gives it again.
    ['a run that its files do not confirm', {}, /does not hold: hashes\.json is missing/u],
  ] satisfies [string, Partial<Verdict>, RegExp][])('%s', async (_, over, message) => {
    const run = await leaveRun({ ...clean, ...over });
    await expect(baseline.run(context, 'accept', [run], {})).rejects.toThrow(message);
    expect(await readdir(join(projectFolder, 'reports'))).toEqual(['E5']);
  });

  it.each(['../../x', '/tmp/x', '.hidden', 'a/b', ''])('a name that leads out of the folder: %s', async (name) => {
    const folder = join(projectFolder, 'reports', 'baselines');
    await expect(writeBaseline(folder, { ...baselineOfRuns([clean]), name })).rejects.toThrow(
      /cannot name a baseline/u,
    );
    const run = await leaveRun(clean);
    await expect(baseline.run(context, 'accept', [run], { name })).rejects.toThrow(/cannot name a baseline/u);
    expect(await readdir(join(projectFolder, 'reports', 'baselines'))).toEqual([]);
  });

  it('a run whose record has a variant that leads out', async () => {
    const folder = await leaveRun(clean);
    const record = JSON.stringify({ ...runOf(clean).run, variant: '../../../x' });
    await writeFile(join(folder, runFiles.run), record);
    await expect(baseline.run(context, 'accept', [folder], {})).rejects.toThrow(/variant: is no name of a variant/u);
  });

  it('no run, a folder that holds none, and a run without a verdict', async () => {
    await expect(baseline.run(context, 'accept', [], {})).rejects.toThrow(/needs the folder of a run/u);
    await expect(baseline.run(context, 'accept', [projectFolder], {})).rejects.toThrow(/holds no run/u);
    const run = await leaveRun(clean);
    await rm(join(run, runFiles.verdict));
    await expect(baseline.run(context, 'accept', [run], {})).rejects.toThrow(/has no verdict/u);
  });
});

describe('baseline list and show', () => {
  it('tell what was accepted', async () => {
    await writeBaseline(join(projectFolder, 'reports', 'baselines'), baselineOfRuns([clean, clean]));
    await baseline.run(context, 'list', [], {});
    expect(context.printed()).toMatch(/\| E5 +\| 2 +\| 0 of 8 +\| 0 of 600/u);
    await baseline.run(context, 'show', ['E5'], {});
    const shown = context.printed();
    expect(shown).toContain('E5: 2 runs');
    expect(shown).toContain('  unit.activation=socket');
    await expect(baseline.run(context, 'show', ['E6'], {})).rejects.toThrow(/There is no baseline "E6"/u);
  });

  it('refuse a file that was written by hand', async () => {
    const folder = join(projectFolder, 'reports', 'baselines');
    const path = await writeBaseline(folder, baselineOfRuns([clean]));
    await writeFile(path, JSON.stringify({ ...baselineOfRuns([clean]), runs: [{ dropped: 0 }] }));
    await expect(readBaselines(folder)).rejects.toThrow(/is not a baseline/u);
    await writeFile(path, JSON.stringify({ ...baselineOfRuns([clean]), name: 'E1' }));
    await expect(readBaselines(folder)).rejects.toThrow(/name and file must agree/u);
  });
});
