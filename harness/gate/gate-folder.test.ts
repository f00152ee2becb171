import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFiles } from '../scenario/run-folder.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { decide, type Attempt } from './decide.ts';
import { beginGate, gateFoldersIn, noteTries, readGates, type NotedTry } from './gate-folder.ts';
import { junitText } from './junit.ts';
import { summaryText } from './summary.ts';
import { baselineOfRuns, decision, entry, runOf, verdictThatDropped } from './testing.ts';

let top: string;
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'restart-proof-gate-'));
});
afterAll(() => rm(top, { recursive: true, force: true }));

/** Writes a run as a lab leaves it, and gives the note of the try. */
async function leaveRun(folder: string, verdict: Verdict): Promise<NotedTry> {
  const { run } = runOf(verdict);
  const path = `${verdict.experiment}/${verdict.runId}`;
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, runFiles.run), JSON.stringify(run));
  await writeFile(join(folder, path, runFiles.verdict), JSON.stringify(verdict));
  return { kind: 'run', folder: path };
}

const e0 = verdictThatDropped([], { experiment: 'E0', runId: '20261123T110000Z-0000' });
const late = verdictThatDropped([0, 0], {
  runId: '20261123T120000Z-aaaa',
  verdict: 'inconclusive',
  reasons: ['Late.'],
});
const e5 = verdictThatDropped([0, 2], { runId: '20261123T120100Z-bbbb' });
const never: NotedTry = { kind: 'not-ready', message: 'The lab was not ready' };
const asked = ['E0', 'E1', 'E5'];

const outputsOf = ({
  asked: names,
  attempts,
}: {
  asked: ReadonlySet<string>;
  attempts: ReadonlyMap<string, readonly Attempt[]>;
}): string[] => {
  const result = decide(
    decision([], {
      entries: asked.map((name) => entry({ name })),
      asked: names,
      attempts,
      baselines: new Map([['E5', baselineOfRuns([e5, e5, e5])]]),
    }),
  );
  return [JSON.stringify(result), junitText(result), summaryText(result)];
};

describe('a merge of shards', () => {
  it('gives the bytes of a gate in one place, in whatever order the folders come', async () => {
    const [one, two, whole] = ['merge/one', 'merge/two', 'whole'].map((name) => join(top, name)) as [
      string,
      string,
      string,
    ];
    await beginGate(one, asked, '1/2');
    await noteTries(one, 'E5', [await leaveRun(one, late), await leaveRun(one, e5)]);
    await beginGate(two, asked, '2/2');
    await noteTries(two, 'E0', [await leaveRun(two, e0)]);
    await noteTries(two, 'E1', [never, never]);

    await beginGate(whole, asked, null);
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
    await beginGate(folder, asked, '1/2');
    await noteTries(folder, 'E0', [await leaveRun(folder, e0)]);
    const result = JSON.parse(outputsOf(await readGates([folder]))[0] ?? '') as { verdict: string; entries: unknown[] };
    expect(result.verdict).toBe('inconclusive');
    expect(result.entries).toMatchObject([
      { name: 'E0', verdict: 'pass' },
      { name: 'E1', verdict: 'inconclusive' },
      { name: 'E5', verdict: 'inconclusive' },
    ]);
  });

  it('refuses two runs of one name that differ, and a folder without a gate', async () => {
    const [one, two] = [join(top, 'twin-a'), join(top, 'twin-b')];
    for (const [folder, verdict] of [
      [one, e5],
      [two, { ...e5, dropped: 9 }],
    ] as const) {
      await beginGate(folder, asked, null);
      await noteTries(folder, 'E5', [await leaveRun(folder, verdict)]);
    }
    await expect(readGates([one, two])).rejects.toThrow(/they differ/u);
    await mkdir(join(top, 'empty'));
    await expect(gateFoldersIn([join(top, 'empty')])).rejects.toThrow(/holds no gate/u);
    await expect(gateFoldersIn([join(top, 'nowhere')])).rejects.toThrow(/cannot be read/u);
  });
});

it('a gate that begins anew has nothing of the one before but its runs', async () => {
  const folder = join(top, 'anew');
  await beginGate(folder, asked, null);
  await noteTries(folder, 'E5', [await leaveRun(folder, e5)]);
  await beginGate(folder, ['E0'], null);
  expect(await readGates([folder])).toEqual({ asked: new Set(['E0']), attempts: new Map() });
});
