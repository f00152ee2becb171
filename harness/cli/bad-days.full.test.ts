/** More of what befalls a run from outside; bad-days.lab.test.ts has what every test run looks at. */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { containerOf, expectAbortedByEndOf, prepareBadDays, runMeeting } from './testing-bad-days.ts';

prepareBadDays();

it.each(['edge', 'client'])(
  'a container that was killed (%s): aborted soon, with what was settled',
  expectAbortedByEndOf,
);

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
