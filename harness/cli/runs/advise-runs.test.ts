import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { knownFaults } from '../../advice/explain.ts';
import { checks } from '../../doctor/contract/checks.ts';
import { ownAppOf } from '../options/own-app.ts';
import { planWays } from './advise-runs.ts';

/** What can be tried with an example, and why the others cannot. */
async function planOf(only: readonly string[] | null) {
  const own = await ownAppOf(fileURLToPath(new URL('../../../docs/examples/gunicorn/service.yaml', import.meta.url)));
  if (own === null) throw new Error('no service');
  const limits = { minutes: 10, restarts: 20, seed: 7, withControls: true };
  return await planWays({ own, only, changes: [['load.ratePerSecond', 55]], reportsFolder: 'reports', ...limits });
}

describe('the ways that are tried with a service', () => {
  it('are those that are possible with it, what tells most first; of each other one it is said what the service lacks', async () => {
    const { planned, notTried } = await planOf(null);
    const all = [...planned, ...notTried].map(({ way }) => way.id);
    expect(planned.map(({ way }) => way.id).slice(0, 2)).toEqual(['E1', 'E5']);
    expect(all.toSorted()).toEqual(['E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7', 'E8']);
    const whyOf = (id: string): string => notTried.find(({ way }) => way.id === id)?.why ?? '';
    expect(whyOf('E6')).toMatch(/^two of it run side by side, and it is not told its port: put \{public\}/u);
    for (const { request } of planned) {
      expect(request).toMatchObject({ seed: 7, withControls: true, experiment: { load: { ratePerSecond: 55 } } });
    }
  });

  it('are no more than --only names', async () => {
    const { planned, notTried } = await planOf(['E5']);
    expect(planned.map(({ way }) => way.id)).toEqual(['E5']);
    expect(notTried.map(({ why }) => why)).toContain('left out by --only.');
  });

  it('must be one at least', async () => {
    await expect(planOf(['E6'])).rejects.toMatchObject({
      code: 'service-unfit',
      message: expect.stringContaining('blue-green by health check (E6): two of it run side by side') as unknown,
    });
  });
});

it('the faults that advice knows are called so by doctor', () => {
  expect(Object.values(checks).flatMap(({ faults }) => Object.keys(faults))).toEqual(
    expect.arrayContaining(knownFaults as string[]),
  );
});
