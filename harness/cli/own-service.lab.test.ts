/** A service that is not the demo site, in the lab, by its service.yaml. own-service.full.test.ts has the other examples. */
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { runExample, seenOutcomes } from './testing-own-service.ts';

const out = testFolder();

beforeAll(async () => {
  await connectEngine();
});

describe('a Node service that drains politely', () => {
  it('E1 loses what comes while nobody has its port, as many as its outage windows say', async () => {
    const verdict = await runExample(out, 'node', 'E1', '--restarts', '2');
    expect(verdict).toMatchObject({ restarts: 2, badRestarts: 2 });
    // Its warm-up alone is 300 ms of 200 requests a second.
    expect(verdict.dropped).toBeGreaterThan(2 * 0.9 * 60);
    expect(seenOutcomes(verdict)).toEqual(['ok', 'status-502']);
  });

  it('E5 loses nothing: systemd has its port', async () => {
    const verdict = await runExample(out, 'node', 'E5', '--restarts', '2');
    expect(verdict).toMatchObject({ dropped: 0, restarts: 2, badRestarts: 0 });
    // Who came while it restarted has waited for its warm-up.
    expect(verdict.longestWaitMs).toBeGreaterThan(300);
  });
});
