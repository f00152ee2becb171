import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { decide } from './decide.ts';
import { beginGate, gateFiles, gateFoldersIn, noteTries, readGates, type Found, type NotedTry } from './gate-folder.ts';
import { junitText } from './ci-outputs.ts';
import { summaryText } from './summary.ts';
import { baselineOfRuns, decision, entry, runOf, verdictThatDropped } from './testing.ts';

const top = testFolder();

/** Writes a run as a lab leaves it, and gives the note of the try. */
async function leaveRun(folder: string, verdict: Verdict): Promise<NotedTry> {
  const { run } = runOf(verdict);
  if (run.kind === 'experiment') run.experiment.id = verdict.experiment;
  const path = `${verdict.experiment}/${verdict.runId}`;
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, runFiles.run), JSON.stringify(run));
  await writeFile(join(folder, path, runFiles.verdict), JSON.stringify(verdict));
  return { kind: 'run', folder: path };
}

const e0 = verdictThatDropped([], { experiment: 'E0', runId: '20261123T110000Z-0000' });
const lateId = '20261123T120000Z-aaaa';
const late = verdictThatDropped([0, 0], { runId: lateId, verdict: 'inconclusive', reasons: ['Late.'] });
const e5 = verdictThatDropped([0, 2], { runId: '20261123T120100Z-bbbb' });
const never: NotedTry = { kind: 'not-ready', message: 'The lab was not ready' };
const asked = ['E0', 'E1', 'E5'];

const outputsOf = ({ asked: names, attempts }: Pick<Found, 'asked' | 'attempts'>): string[] => {
  const entries = asked.map((name) => entry({ name }));
  const baselines = new Map([['E5', baselineOfRuns([e5, e5, e5])]]);
  const result = decide(decision([], { entries, asked: names, attempts, baselines }));
  return [JSON.stringify(result), junitText(result), summaryText(result)];
};

describe('a merge of shards', () => {
  it('gives the bytes of a gate in one place, in whatever order the folders come', async () => {
    const [one, two, whole] = [join(top, 'merge/one'), join(top, 'merge/two'), join(top, 'whole')];
    await beginGate(one, { entries: asked, options: [], shard: '1/2' });
    await noteTries(one, 'E5', [await leaveRun(one, late), await leaveRun(one, e5)]);
    await beginGate(two, { entries: asked, options: [], shard: '2/2' });
    await noteTries(two, 'E0', [await leaveRun(two, e0)]);
    await noteTries(two, 'E1', [never, never]);

    await beginGate(whole, { entries: asked, options: [], shard: null });
    await noteTries(whole, 'E0', [await leaveRun(whole, e0)]);
    await noteTries(whole, 'E1', [never, never]);
    await noteTries(whole, 'E5', [await leaveRun(whole, late), await leaveRun(whole, e5)]);

    const expected = outputsOf(await readGates([whole]));
    expect(JSON.parse(expected[0] ?? '')).toMatchObject({
      verdict: 'fail',
      entries: [
        { name: 'E0', verdict: 'pass' },
        { name: 'E1', verdict: 'fail' },
        { name: 'E5', verdict: 'fail' },
      ],
    });
    expect(outputsOf(await readGates([one, two]))).toEqual(expected);
    expect(outputsOf(await readGates([two, one]))).toEqual(expected);
    // As artifacts are unpacked: a folder that holds them.
    expect(await gateFoldersIn([join(top, 'merge')])).toEqual([one, two]);
    // All of it copied into one folder.
    const copied = join(top, 'copied');
    await cp(one, copied, { recursive: true });
    await cp(two, copied, { recursive: true });
    expect(outputsOf(await readGates([copied]))).toEqual(expected);
  });

  it('without one of the shards is inconclusive: its entries have no run', async () => {
    const folder = join(top, 'part');
    await beginGate(folder, { entries: asked, options: [], shard: '1/2' });
    await noteTries(folder, 'E0', [await leaveRun(folder, e0)]);
    const result = JSON.parse(outputsOf(await readGates([folder]))[0] ?? '') as { verdict: string; entries: unknown[] };
    expect(result.verdict).toBe('inconclusive');
    expect(result.entries).toMatchObject([
      { name: 'E0', verdict: 'pass' },
      { name: 'E1', verdict: 'inconclusive' },
      { name: 'E5', verdict: 'inconclusive' },
    ]);
  });

  it('refuses a run that is there twice, and a folder without a gate', async () => {
    const [one, two] = [join(top, 'twin-a'), join(top, 'twin-b')];
    const leave = async (folder: string, verdict: Verdict): Promise<void> => {
      await beginGate(folder, { entries: asked, options: [], shard: null });
      await noteTries(folder, 'E5', [await leaveRun(folder, verdict)]);
    };
    await leave(one, e5);
    await leave(two, { ...e5, dropped: 9 });
    await expect(readGates([one, two])).rejects.toThrow(/is there twice/u);
    await mkdir(join(top, 'empty'));
    await expect(gateFoldersIn([join(top, 'empty')])).rejects.toThrow(/holds no gate/u);
    await expect(gateFoldersIn([join(top, 'nowhere')])).rejects.toThrow(/cannot be read/u);
  });
});

it('a gate that begins anew has nothing of the one before but its runs', async () => {
  const folder = join(top, 'anew');
  await beginGate(folder, { entries: asked, options: [], shard: null });
  await noteTries(folder, 'E5', [await leaveRun(folder, e5)]);
  await beginGate(folder, { entries: ['E0'], options: [], shard: null });
  expect(await readGates([folder])).toEqual({ asked: new Set(['E0']), options: [], attempts: new Map(), runs: [] });
});

describe('a gate’s folder', () => {
  const begin = { entries: asked, options: [], shard: null };

  it('is emptied only where a gate made it', async () => {
    const folder = join(top, 'mine');
    await mkdir(join(folder, 'gate'), { recursive: true });
    await beginGate(folder, begin);
    await beginGate(folder, begin);
    await rm(join(folder, gateFiles.mark));
    await expect(beginGate(folder, begin)).rejects.toThrow(/was not made by a gate, so it is not emptied/u);
    expect(await readdir(join(folder, 'gate'))).toContain('asked.json');
    await rm(join(folder, 'gate'), { recursive: true });
    await symlink(top, join(folder, 'gate'));
    await expect(beginGate(folder, begin)).rejects.toThrow(/is not emptied/u);
  });

  it.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
    ['a way out of it', (folder) => noteRun(folder, '../outside'), /no folder of a run/u],
    ['a link to a run', (folder) => linkRun(folder), /E5 is not a folder/u],
    ['a strange file', (folder) => writeFile(join(folder, 'gate', 'x'), ''), /gate\/x is no file of a gate/u],
    ['tries of nothing that was asked for', (folder) => noteTries(folder, 'E7', [never]), /was not asked for that/u],
    ['tries in another entry’s file', (folder) => renameTries(folder), /name and file must agree/u],
    ['no JSON', (folder) => writeFile(join(folder, gateFiles.asked), '{'), /asked\.json is not a record of what/u],
    ['an entry that leads out', (folder) => writeAsked(folder, ['../x']), /becomes a file’s name/u],
  ])('is refused with %s', async (name, spoil, sentence) => {
    const folder = join(top, 'spoilt', name.replaceAll(/\W/gu, '-'));
    await beginGate(folder, begin);
    await spoil(folder);
    await expect(readGates([folder])).rejects.toThrow(sentence);
  });

  it('is refused beside one that ran with other options', async () => {
    const [one, two] = [join(top, 'rate-1'), join(top, 'rate-2')];
    await beginGate(one, { ...begin, options: ['--rate 100'] });
    await beginGate(two, begin);
    await expect(readGates([one, two])).rejects.toThrow(/was run with no options, and .*rate-1 with --rate 100/u);
  });

  it('keeps the tries in the order in which they were made', async () => {
    const folder = join(top, 'order');
    await beginGate(folder, begin);
    await noteTries(folder, 'E5', [never, await leaveRun(folder, e5)]);
    const kinds = (await readGates([folder])).attempts.get('E5')?.map(({ kind }) => kind);
    expect(kinds).toEqual(['not-ready', 'run']);
  });
});

async function noteRun(folder: string, run: string): Promise<void> {
  await noteTries(folder, 'E5', [{ kind: 'run', folder: run }]);
}

async function linkRun(folder: string): Promise<void> {
  await symlink(top, join(folder, 'E5'));
  await noteRun(folder, 'E5/run');
}

async function renameTries(folder: string): Promise<void> {
  await noteTries(folder, 'E5', [never]);
  await rename(join(folder, gateFiles.tries, 'E5.json'), join(folder, gateFiles.tries, 'E1.json'));
}

async function writeAsked(folder: string, entries: string[]): Promise<void> {
  await writeFile(join(folder, gateFiles.asked), JSON.stringify({ schema: 1, entries, options: [], shard: null }));
}
