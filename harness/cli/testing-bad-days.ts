/** A run on the real lab in the middle of which something happens, for tests; afterwards nothing of it may be left. */
import type Docker from 'dockerode';
import { afterEach, beforeAll, expect } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, runLabel } from '../lab/engine.ts';
import { startRun, type RunUnderWay } from './testing.ts';

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
export async function runMeeting(what: () => Promise<unknown>, folder = out): Promise<Met> {
  const running = await startRun(folder, 300, 'E5', '--restarts', '1', '--set', 'deploy.leadMs=6000');
  ({ runId } = running);
  await what();
  const ended = await running.end;
  return { ...ended, reasons: ended.verdict?.reasons.join('\n') ?? '' };
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
