import { describe, expect, it } from 'vitest';
import { loadExperiment, readCatalog } from './catalog.ts';
import { experimentSchema } from './experiment.ts';

describe('the experiments', () => {
  it('are found by their files, in the order of their numbers', async () => {
    const ids = (await readCatalog()).experiments.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['E0', 'E1', 'E5']));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
  });

  it('are named in any case, and an unknown one is told which there are', async () => {
    expect((await loadExperiment('e5')).id).toBe('E5');
    await expect(loadExperiment('E99')).rejects.toMatchObject({
      exitCode: 2,
      message: 'There is no experiment "E99".',
      hint: expect.stringContaining('E5') as string,
    });
  });

  it('keep idle connections longer than the proxy does (90 s), or the control would be dirty', async () => {
    for (const { app } of (await readCatalog()).experiments) expect(app.keepAliveTimeoutMs).toBeGreaterThan(90_000);
  });

  it('leave room for each restart before the next, and after the last', async () => {
    for (const { app, deploy } of (await readCatalog()).experiments) {
      if (deploy.action === 'none') continue;
      expect(deploy.tailMs).toBeGreaterThan(app.graceMs + app.warmupMs + 1_000);
    }
  });

  it('are refused with the field’s name when one is misspelt', async () => {
    const e5 = await loadExperiment('E5');
    const wrong = experimentSchema.safeParse({ ...e5, app: { ...e5.app, warmUpMs: 5 } });
    expect(wrong.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', path: ['app'], keys: ['warmUpMs'] });
  });
});
