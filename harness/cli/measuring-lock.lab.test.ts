/** One measuring run per engine, and whose labs a clean-up takes down: with real processes, killed and stopped. */
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { execa } from 'execa';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine, ownerLabel, runLabel } from '../lab/engine/engine.ts';
import { labImageTag } from '../lab/image.ts';
import { measuringHolder, measuringName } from '../lab/measuring-lock.ts';
import { keptLabel, standingLabs } from '../lab/remove.ts';
import { cli } from './testing.ts';

const ownerProgram = fileURLToPath(new URL('../lab/testing-lock-owner.ts', import.meta.url));
/** Runs of this file's own. */
const runPrefix = 'lock-test';
let docker: Docker;
let image: string;
let owners: Owner[] = [];

/** A process that wants the lock. */
interface Owner {
  readonly child: ReturnType<typeof spawnOwner>;
  said: string;
}

beforeAll(async () => {
  const engine = await connectEngine();
  docker = engine.docker;
  image = labImageTag(engine.facts.architecture);
});
afterEach(async () => {
  for (const { child } of owners) child.kill('SIGKILL');
  await Promise.all(owners.map(({ child }) => child));
  owners = [];
  const networks = await docker.listNetworks({ filters: { label: [runLabel] } });
  for (const { Id, Labels } of networks) {
    if (Labels?.[runLabel]?.startsWith(runPrefix) === true) await docker.getNetwork(Id).remove();
  }
});

function spawnOwner() {
  return execa(process.execPath, [ownerProgram], { reject: false, stdin: 'pipe', buffer: false });
}

function startOwner(): Owner {
  const child = spawnOwner();
  const owner = { child, said: '' };
  child.stdout.on('data', (part: Buffer) => (owner.said += part.toString()));
  owners.push(owner);
  return owner;
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
  return performance.now() - startedMs;
}

const holds = (owner: { said: string }): boolean => owner.said.includes('held by');

/** All that there is of a lab, as far as a clean-up is concerned. */
async function standIn(run: string, owner: string, labels: Record<string, string> = {}): Promise<void> {
  const name = `${runPrefix}-${run}`;
  await docker.createNetwork({ Name: name, Labels: { [runLabel]: name, [ownerLabel]: owner, ...labels } });
}

const standing = async (): Promise<string[]> =>
  (await standingLabs(docker)).map(({ runId, state }) => `${runId} ${state}`);

describe('the measuring lock', () => {
  it('goes to one of two that start together, outlasts a stop of 10 s, and comes free with kill -9', async () => {
    const pair = [startOwner(), startOwner()] as const;
    await until(
      'one holds, one waits',
      () => pair.some(holds) && pair.some(({ said }) => said.includes('waits')),
      10_000,
    );
    expect(pair.filter(holds)).toHaveLength(1);
    const [first, second] = holds(pair[0]) ? pair : ([pair[1], pair[0]] as const);
    const owner = /held by (?<owner>\S+)/u.exec(first.said)?.groups?.['owner'];
    expect(second.said).toBe(`waits for ${owner}\n`);

    first.child.kill('SIGSTOP');
    await sleep(10_000);
    expect(holds(second)).toBe(false);
    first.child.kill('SIGCONT');
    expect((await measuringHolder(docker))?.owner).toBe(owner);

    first.child.kill('SIGKILL');
    await until('the second holds', () => holds(second), 5_000);
    // Given back in good order it is free at once.
    second.child.stdin.end();
    await second.child;
    expect(await measuringHolder(docker)).toBeNull();
    await expect(docker.getContainer(measuringName).inspect()).rejects.toThrow('No such container');
  });

  it('tells its owner when it was taken away', async () => {
    const owner = startOwner();
    await until('it holds', () => holds(owner), 10_000);
    await docker.getContainer(measuringName).remove({ force: true });
    await until('the owner knows', () => owner.said.includes('lost'), 3_000);
  });

  it('is taken over where its container stands there without running', async () => {
    const container = await docker.createContainer({ name: measuringName, Image: image, Cmd: ['true'] });
    const owner = startOwner();
    const tookMs = await until('it holds', () => holds(owner), 15_000);
    // Not at once: its maker might be about to start it.
    expect(tookMs).toBeGreaterThan(5_000);
    await expect(container.inspect()).rejects.toThrow('No such container');
  });

  it('makes a second run wait, or exit 4 with --no-wait, naming the first', async () => {
    const owner = startOwner();
    await until('it holds', () => holds(owner), 10_000);
    const named = `process ${owner.child.pid} on `;
    const refused = await cli('experiment', 'E0', '--no-wait', '--no-controls');
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain(named);
    expect(refused.stderr).toContain('(a test)');

    const waiting = cli('experiment', 'E0', '--no-controls');
    let said = '';
    waiting.stderr.on('data', (part: Buffer) => (said += part.toString()));
    await until('it says whom it waits for', () => said.includes(`waiting for ${named}`), 10_000);
    waiting.kill('SIGINT');
    expect((await waiting).exitCode).toBe(130);
    expect(holds(owner)).toBe(true);
  });
});

describe('clean', () => {
  it('takes down what has no owner any more, and nothing of one that lives', async () => {
    const owner = startOwner();
    await until('it holds', () => holds(owner), 10_000);
    const holder = (await measuringHolder(docker))?.owner ?? '';
    await standIn('1-live', holder);
    // Of the same process id on the same host, but not the same process.
    await standIn('2-stale', `${holder.split('/').slice(0, 2).join('/')}/0000`);
    await standIn('3-of-another-host', 'elsewhere/1/abcd');
    await standIn('4-kept', 'elsewhere/2/abcd', { [keptLabel]: '' });
    const { stdout } = await cli('clean');
    expect(stdout.split('\n')).toEqual([
      `Removed 1 network of ${runPrefix}-2-stale: its owner, process ${owner.child.pid} on ${holder.split('/')[0]}, is gone.`,
      `Removed 1 network of ${runPrefix}-3-of-another-host: its owner, process 1 on elsewhere, is gone.`,
      `Removed 1 network of ${runPrefix}-4-kept: left standing by --keep.`,
      `Left alone ${runPrefix}-1-live: it is still going on (process ${owner.child.pid} on ${holder.split('/')[0]}).`,
    ]);
    expect(await standing()).toEqual([`${runPrefix}-1-live live`]);

    owner.child.kill('SIGKILL');
    await owner.child;
    expect((await cli('clean')).stdout).toContain(`Removed 1 network of ${runPrefix}-1-live`);
    expect((await cli('clean')).stdout).toBe('Nothing was left.');
  });
});
