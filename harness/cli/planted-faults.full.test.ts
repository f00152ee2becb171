/** Sites that lie, on the real lab: each fault must be reported as what it is, by a witness other than the client. */
import { beforeAll, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { runInLab } from './testing.ts';

const out = testFolder();

beforeAll(async () => {
  await connectEngine();
});

/** Nothing restarts; each process spoils one answer once it has served 300. */
const faulty = async (fault: string) =>
  await runInLab(out, 'E0', '--set', `app.fault=${fault}`, '--set', 'deploy.tailMs=4000');

it('another body than was asked for', async () => {
  const { verdict, exitCode } = await faulty('wrong-body');
  expect(exitCode).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', dropped: 1, unexplained: 0 });
  expect(verdict.outcomes['wrong']).toBe(1);
  const cause = 'the site answered with another body than was asked for';
  expect(verdict.reconciliation.causes).toEqual({ [cause]: 1 });
  expect(verdict.reconciliation.examples[cause]?.file).toBe('witnesses/site-requests.ndjson.gz');
});

it('an answer that comes two seconds late', async () => {
  const { verdict, exitCode } = await faulty('stall');
  expect(exitCode).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', dropped: 0, stalls: { count: 1, outsideRestarts: 1 } });
  expect(verdict.stalls.byPlace).toEqual({ 'in the site': 1 });
  expect(verdict.longestWaitMs).toBeGreaterThan(1_990);
});

it('a connection that is reset in mid-body', async () => {
  const { verdict, exitCode } = await faulty('cut-answer');
  expect(exitCode).toBe(1);
  expect(verdict).toMatchObject({ verdict: 'fail', dropped: 1, unexplained: 0 });
  // What the client sees of it is the proxy's affair: it has not passed on what little it has of so short an answer.
  expect((verdict.outcomes['closed'] ?? 0) + (verdict.outcomes['truncated'] ?? 0)).toBe(1);
  expect(verdict.reconciliation.causes).toEqual({ 'the site broke off its answer': 1 });
});

it('a 502 that nothing accounts for is called unexplained, and is never a pass', async () => {
  const { verdict, exitCode } = await faulty('no-answer');
  expect(exitCode).toBe(3);
  expect(verdict).toMatchObject({ verdict: 'inconclusive', dropped: 1, unexplained: 1 });
  expect(verdict.outcomes['status-502']).toBe(1);
  expect(verdict.reconciliation.causes).toEqual({});
  expect(verdict.reasons.join()).toContain('no witness other than the client shows a cause');
});

it('answers of a version that is out of rotation', async () => {
  const { verdict } = await runInLab(out, 'E5', '--restarts', '1', '--set', 'app.fault=old-version');
  expect(verdict.verdict).not.toBe('pass');
  expect(verdict.stale).toBeGreaterThan(10);
  expect(verdict.reasons.join()).toContain('stale answers');
});
