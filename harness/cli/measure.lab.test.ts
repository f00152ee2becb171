/** What `measure` can only say on time: with the machine for itself. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { measuring, plainServer } from './testing-measure.ts';
import { isOnlyLate } from './testing.ts';

const { measuredOnTime, serveReplaceable } = measuring();

const startPlainServer = () => serveReplaceable(plainServer);

describe('measure', () => {
  it('drops nothing of a server that is left alone, and exits 0', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measuredOnTime({ url, duration: '1s' });
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({ verdict: 'pass', due: 100, outcomes: { ok: 100 }, restarts: 0 });
    expect(exitCode).toBe(0);
  });

  it('counts the drops of a restart, tells the gap, and waits until the service is steady again', async () => {
    const { url, deploy } = await startPlainServer();
    const { verdict, exitCode, file, textOf } = await measuredOnTime({ url, rate: 200, while: deploy, settle: '1s' });
    expect(exitCode).toBe(1);
    expect(verdict).toMatchObject({ verdict: 'fail', restarts: 1, badRestarts: 1 });
    // Gone for at least 300 ms: at least 60 slots less those at the edges; the new process needs some time to start.
    expect(verdict.dropped).toBeGreaterThanOrEqual(58);
    expect(verdict.gapMs).toBeGreaterThanOrEqual(290);
    // What was dropped is what was due in the gap, a slot or two at either edge aside.
    expect(Math.abs(verdict.dropped - (verdict.gapMs ?? 0) / 5)).toBeLessThanOrEqual(3);
    expect(Object.values(verdict.outcomes).reduce((sum, count) => sum + count, 0)).toBe(verdict.due);
    expect(textOf('report.md')).toContain('dropped something');
    expect(existsSync(file('charts/restart-001.png'))).toBe(true);
  });

  it('allows what --max-dropped allows', async () => {
    const { url, deploy } = await startPlainServer();
    const asked = { url, while: deploy, settle: '500ms', maxDropped: 1_000 };
    const { verdict, exitCode } = await measuredOnTime(asked);
    expect(verdict.dropped).toBeGreaterThan(20);
    expect(verdict.reasons.filter((reason) => !reason.startsWith('Requests left late'))).toEqual([]);
    expect(isOnlyLate(verdict) ? 0 : exitCode).toBe(0);
  });
});
