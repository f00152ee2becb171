/** Whole runs on the real lab, by the command line that a user types. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, ownerLabel } from '../lab/engine/engine.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { cli, expectPass, expectWhole, runInLab, sumOf, untilLoad } from './testing.ts';

const out = testFolder();

beforeAll(async () => {
  await connectEngine();
});

async function ourThings(): Promise<string[]> {
  const { docker } = await connectEngine();
  const filters = { label: [ownerLabel] };
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: { label: [ownerLabel] } }),
  ]);
  return [
    ...containers.flatMap(({ Names }) => Names),
    ...networks.map(({ Name }) => Name),
    ...volumes.Volumes.map(({ Name }) => Name),
  ];
}

/** Runs an experiment into this file's own folder. */
const run = (...args: string[]): ReturnType<typeof runInLab> => runInLab(out, ...args);

describe('on the real lab', () => {
  it('E5 drops nothing, GET and POST, kept and new, and prints its verdict alone on stdout', async () => {
    const { verdict, folder, exitCode } = await run('E5', '--restarts', '2');
    expectPass({ verdict, exitCode }, { dropped: 0, restarts: 2, badRestarts: 0 });
    for (const { outageMs, dueInOutage } of verdict.perRestart) {
      // Warm-up alone is 300 ms; and the window must have been met by load.
      expect(outageMs).toBeGreaterThan(300);
      expect(dueInOutage).toBeGreaterThan((0.9 * 200 * (outageMs ?? 0)) / 1000);
    }
    await expectWhole(folder, verdict);
  });

  it('E0 drops nothing', async () => {
    // A third of its time: what a longer load would show is the controls' to see.
    const { verdict, folder, exitCode } = await run('E0', '--set', 'deploy.tailMs=5000');
    expectPass({ verdict, exitCode }, { dropped: 0, restarts: 0, badRestartsUpper95: null });
    await expectWhole(folder, verdict);
  });

  it('fails E5’s expectations when the process owns the port, and those of any experiment when the site lies', async () => {
    const ownPort = ['--set', 'unit.activation=none', '--set', 'unit.backlog=null'];
    const { verdict, exitCode } = await run('E5', ...ownPort, '--set', 'app.fault=apply-twice', '--restarts', '1');
    expect(verdict.reasons.join()).toContain('writes applied twice');
    expect([1, 3]).toContain(exitCode);
    expect(verdict.badRestarts).toBe(1);
    expect(verdict.expectations.map(({ what, met }) => [what, met])).toEqual(
      expect.arrayContaining([
        ['dropped requests', false],
        ['restarts that dropped something', false],
      ]),
    );
    expect(['fail', 'inconclusive']).toContain(verdict.verdict);
  });

  it('Ctrl-C keeps what was recorded, calls it aborted, exits 130 and leaves nothing behind', async () => {
    const folder = join(out, 'interrupted');
    const running = cli('experiment', 'E5', '--no-controls', '--out', folder);
    await untilLoad(running);
    await sleep(1_000);
    running.kill('SIGINT');
    const { exitCode, stderr } = await running;
    expect(exitCode, stderr).toBe(130);
    const verdict = verdictSchema.parse(
      JSON.parse(await readFile(join(folder, 'E5', 'latest', 'verdict.json'), 'utf8')),
    );
    expect(verdict.verdict).toBe('aborted');
    expect(verdict.due).toBeGreaterThan(0);
    expect(sumOf(verdict.outcomes)).toBe(verdict.due);
    expect(await ourThings()).toEqual([]);
  });

  it('kill -9 leaves a lab that clean takes down, but not while its owner lives', async () => {
    const running = cli('experiment', 'E5', '--no-controls', '--out', out);
    await untilLoad(running);
    expect((await cli('clean')).stdout).toContain('still going on');
    // Three containers, their network, and the measuring lock.
    expect(await ourThings()).toHaveLength(5);
    running.kill('SIGKILL');
    await running;
    expect((await cli('clean')).stdout).toContain('Removed 3 containers, 1 network of ');
    expect(await ourThings()).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    expect(await ourThings()).toEqual([]);
  });
});
