/** More of what befalls a run from outside; bad-days.lab.test.ts has what every test run looks at. */
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { exec } from '../lab/engine/exec.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { cli } from './testing.ts';
import {
  containerOf,
  expectAbortedByEndOf,
  expectAbortedByKill,
  prepareBadDays,
  runMeeting,
} from './testing-bad-days.ts';

const kept = fileURLToPath(new URL('../../reports/reference/E0', import.meta.url));

prepareBadDays();

it('a generator that stood still for 300 ms: inconclusive, since what it sent was late', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('client'), ['sh', '-c', 'kill -STOP $(pidof node); sleep 0.3; kill -CONT $(pidof node)']),
  );
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('inconclusive');
  expect(verdict?.schedule.lagMaxMs).toBeGreaterThan(250);
  expect(reasons).toMatch(/A request left \d+\.\d ms late \(limit 100 ms\): the generator stood still/u);
});

it('a site that was killed by a stranger: it fails, and its end is named', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('server'), ['systemctl', 'kill', '--signal=SIGKILL', '--kill-who=main', 'site@demo.service']),
  );
  expect(exitCode, reasons).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', headline: 'the site’s process ended by itself', unexplained: 0 });
  expect(reasons).toContain('that no deploy asked for');
});

it.each(['edge', 'client'])(
  'a container that was killed (%s): aborted soon, with what was settled',
  expectAbortedByEndOf,
);

it('a harness that was killed: its lab goes, and what was settled is aborted', expectAbortedByKill);

it('a proxy that stood still for 300 ms: inconclusive, since the way to it took too long', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(async () => {
    await containerOf('edge').kill({ signal: 'SIGSTOP' });
    await sleep(300);
    await containerOf('edge').kill({ signal: 'SIGCONT' });
  });
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('inconclusive');
  expect(reasons).toContain('between client and proxy');
});

it('a sampler of the listen queues that was killed: inconclusive, since what waited is not known to the end', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('server'), [
      'sh',
      '-c',
      // Neither the shell nor grep has these words in its own command line.
      "kill -KILL $(grep -l '[q]ueue-sampler' /proc/[0-9]*/cmdline | cut -d/ -f3)",
    ]),
  );
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('inconclusive');
  expect(verdict?.reasons).toContain(
    'The sampler of the listen queues ended before the load did: what waited after it is not known; run again. [deploy-trouble]',
  );
});

it('a client that was removed: aborted, with what was settled until then', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() => containerOf('client').remove({ force: true }));
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('aborted');
  expect(verdict?.outcomes['ok']).toBeGreaterThan(100);
  expect(reasons).toContain('The container `client` ended during the run');
});

const small = join(tmpdir(), `restart-proof-small-${process.pid}`);
const canMount = process.getuid?.() === 0 && process.platform === 'linux';

/** A small disk, for as long as `work` takes. */
async function withSmallDisk(size: string, work: () => Promise<void>): Promise<void> {
  await mkdir(small, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'restart-proof-test', small]);
  try {
    await work();
  } finally {
    await execa('umount', [small]);
    await rm(small, { recursive: true, force: true });
  }
}

async function fillSmallDisk(): Promise<void> {
  await execa('dd', ['if=/dev/zero', `of=${join(small, 'others')}`, 'bs=4k'], { reject: false });
}

it.skipIf(!canMount)('a disk that others fill: the records of the run have room of their own', async () => {
  await withSmallDisk('16m', async () => {
    const { verdict, reasons } = await runMeeting(fillSmallDisk, small);
    expect(verdict?.verdict, reasons).not.toBe('aborted');
    expect(verdict?.due).toBeGreaterThan(1_000);
    expect(reasons).not.toContain('could not be collected');
  });
});

it.skipIf(!canMount)('a run on a full disk: its verdict is told, and its files stay as they were', async () => {
  await withSmallDisk('4m', async () => {
    const run = join(small, 'run');
    await cp(kept, run, { recursive: true });
    for (const name of ['hashes.json', 'verdict.json']) await rm(join(run, name));
    const files = await readdir(run, { recursive: true });
    await fillSmallDisk();
    const { stdout, stderr, exitCode } = await cli('verdict', run, '--json');
    expect([verdictSchema.parse(JSON.parse(stdout)).verdict, exitCode]).toEqual(['pass', 0]);
    expect(stderr).toContain(`note: ${run} stays as it is: The disk is full`);
    expect(await readdir(run, { recursive: true })).toEqual(files);
  });
});
