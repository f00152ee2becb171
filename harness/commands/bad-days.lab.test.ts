/** What befalls a run from outside, on the real lab: never a pass, always the right cause, and nothing left behind. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectEngine, runLabel } from '../lab/engine.ts';
import { exec } from '../lab/exec.ts';
import { startRun } from './testing.ts';

let out: string;
let docker: Docker;
let runId: string;

beforeAll(async () => {
  ({ docker } = await connectEngine());
  out = await mkdtemp(join(tmpdir(), 'restart-proof-test-'));
});
afterAll(async () => {
  await rm(out, { recursive: true, force: true });
});
afterEach(async () => {
  const filters = { label: [`${runLabel}=${runId}`] };
  expect(await docker.listContainers({ all: true, filters })).toEqual([]);
  expect(await docker.listNetworks({ filters })).toEqual([]);
});

const containerOf = (role: string): Docker.Container => docker.getContainer(`restart-proof-${runId}-${role}`);

/** One restart under load, to which something happens once 300 requests have been sent. */
async function runMeeting(what: () => Promise<unknown>, folder = out) {
  const running = await startRun(folder, 300, 'E5', '--restarts', '1', '--set', 'deploy.leadMs=6000');
  ({ runId } = running);
  await what();
  const ended = await running.end;
  return { ...ended, reasons: ended.verdict?.reasons.join('\n') ?? '' };
}

it('a generator that stood still for 300 ms: inconclusive, since what it sent was late', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('client'), ['sh', '-c', 'kill -STOP $(pidof node); sleep 0.3; kill -CONT $(pidof node)']),
  );
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('inconclusive');
  expect(verdict?.schedule.lagMaxMs).toBeGreaterThan(250);
  expect(reasons).toMatch(/A request left \d+\.\d ms late \(limit 100 ms\): the generator stood still/u);
});

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

it.each(['edge', 'server', 'client'])(
  'a container that was killed (%s): aborted soon, with what was settled',
  async (role) => {
    const { verdict, exitCode, reasons } = await runMeeting(() => containerOf(role).kill({ signal: 'SIGKILL' }));
    expect(exitCode, reasons).toBe(3);
    expect(verdict?.verdict).toBe('aborted');
    expect(verdict?.outcomes['ok']).toBeGreaterThan(200);
    // The load was to go on for some seconds, and the deadline of a request is 30 s.
    expect(verdict?.due).toBeLessThan(1_200);
    expect(reasons).toContain(`The container \`${role}\` ended during the run (die status 137`);
  },
);

it('a site that was killed by a stranger: it fails, and its end is named', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('server'), ['systemctl', 'kill', '--signal=SIGKILL', '--kill-who=main', 'site@demo.service']),
  );
  expect(exitCode, reasons).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', headline: 'the site’s process ended by itself', unexplained: 0 });
  expect(reasons).toContain('that no deploy asked for');
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
    'The sampler of the listen queues ended before the load did: what waited after it is not known; run again.',
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

it.skipIf(!canMount)('a disk that others fill: the records of the run have room of their own', async () => {
  await mkdir(small, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'restart-proof-test', small]);
  try {
    const { verdict, reasons } = await runMeeting(
      () => execa('dd', ['if=/dev/zero', `of=${join(small, 'others')}`, 'bs=4k'], { reject: false }),
      small,
    );
    expect(verdict?.verdict, reasons).not.toBe('aborted');
    expect(verdict?.due).toBeGreaterThan(1_000);
    expect(reasons).not.toContain('could not be collected');
  } finally {
    await execa('umount', [small]);
    await rm(small, { recursive: true, force: true });
  }
});
