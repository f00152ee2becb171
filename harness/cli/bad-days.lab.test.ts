/** What befalls a run from outside, on the real lab: never a pass, always the right cause, and nothing left behind. */
import { expect, it } from 'vitest';
import { exec } from '../lab/engine/exec.ts';
import { containerOf, expectAbortedByEndOf, prepareBadDays, runMeeting } from './testing-bad-days.ts';

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

it('a container that was killed: aborted soon, with what was settled', async () => {
  await expectAbortedByEndOf('server');
});

it('a site that was killed by a stranger: it fails, and its end is named', async () => {
  const { verdict, exitCode, reasons } = await runMeeting(() =>
    exec(containerOf('server'), ['systemctl', 'kill', '--signal=SIGKILL', '--kill-who=main', 'site@demo.service']),
  );
  expect(exitCode, reasons).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', headline: 'the site’s process ended by itself', unexplained: 0 });
  expect(reasons).toContain('that no deploy asked for');
});
