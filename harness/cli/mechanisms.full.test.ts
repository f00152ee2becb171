/** Mechanisms on the real lab, beside those that every test run looks at. */
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine.ts';
import { runInLab } from './testing.ts';

const out = testFolder();
const run = (...args: string[]): ReturnType<typeof runInLab> => runInLab(out, ...args);

beforeAll(async () => {
  await connectEngine();
});

describe('mechanisms', () => {
  it('E2 fails its expectation when the check, its mechanism, is taken away but its prediction kept', async () => {
    const { verdict, exitCode } = await run('E2', '--restarts', '1', '--set', 'proxy.check=null');
    // Without the check nobody answers 503: the window is that of E1.
    expect(exitCode).toBe(1);
    expect(verdict.expectations.find(({ what }) => what.startsWith('503'))).toMatchObject({ met: false });
  });

  it('E6: a proxy’s file that is truncated leaves no route for two seconds', async () => {
    const { verdict } = await run('E6', '--variant', 'in-place-rewrite', '--restarts', '1');
    expect(verdict.reasons).toEqual([]);
    expect(verdict.outcomes['status-404']).toBeGreaterThan(240);
    expect(verdict.outcomes['status-404']).toBeLessThan(560);
  });

  it('E17: a restart of the proxy drops what is due until it has its routes, with a socket all of it as 404', async () => {
    for (const [variant, hasRefused] of [
      [[], true],
      [['--variant', 'socket'], false],
    ] as const) {
      const { verdict } = await run('E17', ...variant, '--restarts', '2');
      expect(verdict).toMatchObject({ verdict: 'pass', restarts: 2, badRestarts: 2, unexplained: 0 });
      expect(verdict.outcomes['refused'] !== undefined).toBe(hasRefused);
      expect(verdict.outcomes['status-404']).toBeGreaterThan(0);
      expect(verdict.direct?.outcomes['refused'] ?? 0).toBe(0);
    }
  });
});
