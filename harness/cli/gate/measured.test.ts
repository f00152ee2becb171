import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emptiedFolder } from '../../base/testing-folder.ts';
import { readServiceFile } from '../../gate/files/read-budgets.ts';
import type { MeasureOptions } from '../options/measure-options.ts';
import { optionsOf } from './measured.ts';

const folder = emptiedFolder();
const because = 'because: ten letters';

/** The limits of the run that a file with these budgets asks for. */
async function limits(budgets: readonly string[], typed: MeasureOptions = {}) {
  const path = join(folder, 'budgets.yaml');
  const lines = budgets.map((line) => `\n      ${line}`);
  const of = lines.length === 0 ? '' : `\n    budgets:${lines.join('')}`;
  await writeFile(path, `services:\n  - name: shop\n    measure: { url: http://127.0.0.1/ }${of}\n`);
  const [entry] = (await readServiceFile(path, 'budgets.yaml')).entries;
  if (entry === undefined) throw new Error('no entry');
  const { maxDropped, maxGap, maxWait, maxCut } = optionsOf(entry, typed, path);
  return { maxDropped, maxGap, maxWait, maxCut };
}

const any = String(Number.MAX_SAFE_INTEGER);

it('the run has the limits of the budgets that block, so that it and the gate agree', async () => {
  expect(await limits([])).toEqual({ maxDropped: '0' });
  expect(
    await limits([
      `dropped: { max: 3, ${because} }`,
      `gapMs: { max: 250.5, ${because} }`,
      `longestWaitMs: { max: 1000, ${because} }`,
      `cut: { max: 0, ${because} }`,
    ]),
  ).toEqual({ maxDropped: '3', maxGap: '251ms', maxWait: '1000ms' });
  expect(await limits([`cut: { max: 0, ${because} }`], { hold: '5' })).toMatchObject({ maxCut: '0' });
  expect(
    await limits([
      `dropped: { max: 0, blocking: false, ${because} }`,
      `gapMs: { max: 1, blocking: false, ${because} }`,
    ]),
  ).toEqual({ maxDropped: any });
  // Not even --max-gap limits so long a time.
  expect(await limits([`badRestarts: { max: 1, ${because} }`, `gapMs: { max: 3600001, ${because} }`])).toEqual({
    maxDropped: any,
  });
});
