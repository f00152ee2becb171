/** A run on the real lab in the middle of which something happens, for tests; afterwards nothing of it may be left. */
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterEach, beforeAll, expect } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, runLabel } from '../lab/engine/engine.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { cli, startRun, type RunUnderWay } from './testing.ts';

const out = testFolder();
let docker: Docker;
let runId: string;

/** What a run came to that met something. */
export type Met = Awaited<RunUnderWay['end']> & { readonly reasons: string };

/** Prepares a file's tests, and sees after each that nothing of its run is left. */
export function prepareBadDays(): void {
  beforeAll(async () => {
    ({ docker } = await connectEngine());
  });
  afterEach(async () => {
    const filters = { label: [`${runLabel}=${runId}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);
  });
}

/** A container of the run that goes on. */
export function containerOf(role: string): Docker.Container {
  return docker.getContainer(`restart-proof-${runId}-${role}`);
}

/** One restart under load, to which something happens once 300 requests have been sent. */
export async function runMeeting(what: (run: RunUnderWay) => unknown, folder = out): Promise<Met> {
  const running = await startRun(folder, 300, 'E5', '--restarts', '1', '--set', 'deploy.leadMs=6000');
  ({ runId } = running);
  await what(running);
  const ended = await running.end;
  return { ...ended, reasons: ended.verdict?.reasons.join('\n') ?? '' };
}

/** A harness that is killed leaves rows that can be judged, and its lab goes all the same. */
export async function expectAbortedByKill(): Promise<void> {
  await runMeeting((run) => run.kill());
  const filters = { label: [`${runLabel}=${runId}`] };
  await expect.poll(() => docker.listContainers({ all: true, filters }), { timeout: 10_000 }).toEqual([]);
  const { stdout, exitCode } = await cli('verdict', join(out, 'E5', runId), '--json');
  expect(exitCode).toBe(3);
  const verdict = verdictSchema.parse(JSON.parse(stdout));
  expect(verdict.verdict).toBe('aborted');
  expect(verdict.outcomes['ok']).toBeGreaterThan(200);
}

/** A container that is killed ends the run soon, with what was settled. */
export async function expectAbortedByEndOf(role: string): Promise<void> {
  const { verdict, exitCode, reasons } = await runMeeting(() => containerOf(role).kill({ signal: 'SIGKILL' }));
  expect(exitCode, reasons).toBe(3);
  expect(verdict?.verdict).toBe('aborted');
  expect(verdict?.outcomes['ok']).toBeGreaterThan(200);
  // The load was to go on for some seconds, and the deadline of a request is 30 s.
  expect(verdict?.due).toBeLessThan(1_200);
  expect(reasons).toContain(`The container \`${role}\` ended during the run (die status 137`);
}
