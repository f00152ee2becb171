import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptiedFolder } from '../../base/testing-folder.ts';
import e5 from '../../../experiments/E5-socket-activation.ts';
import { parseChange, resolveExperiment } from '../../experiment/fields.ts';
import { runRecord, verdictOfTest } from '../../verdict/testing.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import { index } from '../index.ts';
import { experimentList } from '../print/experiment-list.ts';
import { controlsOf, packSeries } from '../pack-series.ts';
import { testContext } from '../testing-context.ts';
import { readSeries } from './series.ts';

const folder = emptiedFolder();

/** Writes a run of E5; `set` is what the command line changed. */
async function writeRun(
  at: string,
  over: { set?: string; variant?: string; verdict?: Partial<Verdict> } = {},
): Promise<void> {
  const runId = at.split('/').at(-1) ?? at;
  const changes = over.set === undefined ? [] : [parseChange('--set', over.set)];
  const experiment = resolveExperiment(e5, { variant: over.variant, changes });
  const record = { ...runRecord(experiment, { runId, variant: over.variant ?? null }), experiment };
  await mkdir(join(folder, at), { recursive: true });
  await writeFile(join(folder, at, 'run.json'), JSON.stringify(record));
  const verdict = verdictOfTest({ runId, controls: [], ...over.verdict });
  await writeFile(join(folder, at, 'verdict.json'), JSON.stringify(verdict));
}

async function chosen(): Promise<string | null> {
  const entry = (await readSeries([folder])).find(({ file }) => file.id === 'E5');
  return entry?.run?.verdict.runId ?? null;
}

describe('the run that speaks for an experiment', () => {
  it('is the newest that may be cited, of those asked for as the file stands', async () => {
    expect(await chosen()).toBeNull();
    await writeRun('E5/1', { set: 'load.ratePerSecond=999' });
    expect(await chosen()).toBe('1');
    await writeRun('E5/2');
    await writeRun('E5/3');
    await symlink('3', join(folder, 'E5/latest'));
    expect(await chosen()).toBe('3');
    await writeRun('E5/4', { verdict: { controls: null } });
    await writeRun('E5/5', { verdict: { verdict: 'inconclusive' } });
    await writeRun('E5/6', { set: 'load.ratePerSecond=999' });
    await writeRun('E5/7', { variant: 'own-port' });
    expect(await chosen()).toBe('3');
  });

  it('is one that may be cited, though a newer one ran as the file stands and may not', async () => {
    await writeRun('E5/1', { verdict: { verdict: 'inconclusive' } });
    await writeRun('E5/2', { verdict: { verdict: 'inconclusive' }, set: 'load.ratePerSecond=999' });
    expect(await chosen()).toBe('1');
    await writeRun('E5/0', { verdict: { controls: null }, set: 'load.ratePerSecond=999' });
    expect(await chosen()).toBe('0');
    await writeRun('E5/00', { set: 'load.ratePerSecond=999' });
    expect(await chosen()).toBe('00');
  });

  it('is read of another version’s folder as none, and of a packed series where it lies', async () => {
    await mkdir(join(folder, 'E5/old'), { recursive: true });
    await writeFile(join(folder, 'E5/old/run.json'), '{}');
    await writeFile(join(folder, 'E5/old/verdict.json'), '{}');
    expect(await chosen()).toBeNull();
    await rm(join(folder, 'E5'), { recursive: true });
    await writeRun('E5');
    expect(await chosen()).toBe('E5');
  });
});

describe('the commands', () => {
  const context = () => testContext(folder);

  it('index: writes the table and its chart, with links from where the index lies', async () => {
    await writeRun('reference/E5');
    expect(await index.run(context(), { series: join(folder, 'reference'), out: folder })).toBe(0);
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('](reference/E5/report.md)');
    expect((await readFile(join(folder, 'side-by-side.svg'), 'utf8')).startsWith('<?xml')).toBe(true);
    await expect(index.run(context(), { series: join(folder, 'none'), out: folder })).rejects.toMatchObject({
      exitCode: 2,
    });
  });

  it('index: goes to a folder that is not committed, unless another is named', async () => {
    await writeRun('reports/E5/1');
    await writeFile(join(folder, 'reports/README.md'), 'the runs that are kept');
    expect(await index.run(context(), {})).toBe(0);
    expect(await readFile(join(folder, 'reports/index/README.md'), 'utf8')).toContain('](../E5/1/report.md)');
    expect(await readFile(join(folder, 'reports/README.md'), 'utf8')).toBe('the runs that are kept');
    const ignored = await readFile(new URL('../../../.gitignore', import.meta.url), 'utf8');
    expect(ignored).toContain('/reports/*/\n!/reports/baselines/\n!/reports/reference/\n');
  });

  it('index: a kept run gives way to a newer one that may be cited, and to no other', async () => {
    await writeRun('reports/reference/E5');
    const text = async (): Promise<string> => {
      await index.run(context(), {});
      return await readFile(join(folder, 'reports/index/README.md'), 'utf8');
    };
    expect(await text()).toContain('](../reference/E5/report.md)');
    await writeRun('reports/E5/F1', { verdict: { controls: null } });
    await writeRun('reports/E5/F2', { verdict: { verdict: 'inconclusive' } });
    expect(await text()).toContain('](../reference/E5/report.md)');
    await writeRun('reports/E5/F3');
    expect(await text()).toContain('](../E5/F3/report.md)');
  });

  it('index: --write writes what is committed, from the kept runs alone', async () => {
    await writeRun('reports/reference/E5');
    await writeRun('reports/E5/F1');
    expect(await index.run(context(), { write: true })).toBe(0);
    expect(await readFile(join(folder, 'reports/README.md'), 'utf8')).toContain('](reference/E5/report.md)');
    await expect(index.run(context(), { write: true, out: folder })).rejects.toThrow('--write has its own folders');
  });

  it('experiment list: shows the kept run where there is none of one’s own', async () => {
    await writeRun('reports/reference/E5');
    const list = () => experimentList(join(folder, 'reports'), join(folder, 'reports/reference'));
    expect(await list()).toMatch(/\| E5 .*\| kept run, pass: /u);
    await writeRun('reports/E5/latest', { verdict: { verdict: 'fail' } });
    expect(await list()).toMatch(/\| E5 .*\| fail: /u);
  });

  it('index: an inconclusive run has no figures', async () => {
    await writeRun('reports/E5/1', { verdict: { verdict: 'inconclusive', dropped: 777 } });
    expect(await index.run(context(), {})).toBe(0);
    const text = await readFile(join(folder, 'reports/index/README.md'), 'utf8');
    expect(text).toMatch(/E5 Socket activation\]\(\S*\) *\| inconclusive *\| – /u);
    expect(text.slice(0, text.indexOf('**Bad restarts**'))).not.toContain('777');
    expect(text).toContain('E5 is not for citing: inconclusive.');
  });

  it('pack-series: takes no run that may not be cited, was asked for otherwise, or does not hold', async () => {
    const pack = () => packSeries.run(context(), join(folder, 'from'), join(folder, 'to'));
    await expect(pack()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('no run') as string });
    await writeRun('from/E5/1', { verdict: { controls: null } });
    await expect(pack()).rejects.toThrow('may not be cited');
    await rm(join(folder, 'from/E5/1'), { recursive: true });
    await writeRun('from/E5/2', { set: 'load.ratePerSecond=999' });
    await expect(pack()).rejects.toThrow('other settings');
    await writeRun('from/E5/3');
    await expect(pack()).rejects.toThrow('does not hold: hashes.json');
    await mkdir(join(folder, 'to/E5'), { recursive: true });
    await writeFile(join(folder, 'to/E5/mine.txt'), 'keep me');
    await expect(pack()).rejects.toThrow('it is not replaced');
    expect(await readFile(join(folder, 'to/E5/mine.txt'), 'utf8')).toBe('keep me');
  });
});

/** A run with one control. */
function besides(name: string, runId: string): Verdict {
  const control = { role: 'C+', name, because: '', runId, verdict: 'pass', dropped: 1, due: 2 } as const;
  const counts = { badRestarts: 1, restarts: 1, ledger: '0'.repeat(64), holds: true };
  return verdictOfTest({ runId: 'the-run', controls: [{ ...control, ...counts }] });
}

it('the controls of a series are packed once each, but for those that are of the series', () => {
  const verdicts = [besides('E5 own-port', 'a'), besides('E5 own-port', 'a'), besides('E0', 'the-run')];
  expect([...controlsOf(verdicts)]).toEqual([['a', 'E5 own-port']]);
});

it.each([
  ['../../x', 'a'],
  ['E5 ../x', 'a'],
  ['/etc', 'a'],
  ['E5', '../a'],
  ['E5', ''],
])('a control with a name that leads out is refused: %s@%s', (name, runId) => {
  expect(() => controlsOf([besides(name, runId)])).toThrow(/names a control that is none/u);
});
