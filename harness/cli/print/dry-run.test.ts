import { expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import { resolveExperiment, type Change } from '../../experiment/fields.ts';
import { dryRunText } from './dry-run.ts';

const scheduleOf = async (...changes: Change[]): Promise<string> => {
  const text = await dryRunText(resolveExperiment(e1, { changes }), 1);
  return text.slice(text.indexOf('## Schedule'));
};

it('names the host of each slot, and that a deploy comes to all sites, only where there are several', async () => {
  const several = await scheduleOf(['sites.count', 3]);
  expect(several).toMatch(/ {2}restart 1, of 3 sites one after another, at /u);
  expect([...several.matchAll(/slot \d .* (\S+)$/gmu)].slice(0, 4).map(([, host]) => host)).toEqual([
    'demo.test',
    'demo2.test',
    'demo3.test',
    'demo.test',
  ]);
  expect(several).toContain("straight to the first site's own port");
  const one = await scheduleOf();
  expect(one).toMatch(/ {2}restart 1 at /u);
  expect(one).not.toContain('demo.test');
});
