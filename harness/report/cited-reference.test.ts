/** What README and findings cite of the series that is kept in reports/reference/ is what stands there. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { verdictSchema } from '../verdict/verdict.ts';

const text = async (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const ids = (await readdir(new URL('../../reports/reference/', import.meta.url))).sort();
const citations = new Map(
  await Promise.all(
    ids.map(async (id) => {
      const verdict = verdictSchema.parse(JSON.parse(await text(`reports/reference/${id}/verdict.json`)));
      return [id, `${verdict.verdict}: ${verdict.citation}`] as const;
    }),
  ),
);

it('the series is complete', () => {
  expect(ids).toEqual(['E0', 'E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7']);
});

it('findings cite it wherever they cite an experiment without options', async () => {
  const findings = await text('docs/findings.md');
  const cited = [...findings.matchAll(/npm run experiment (E\d)\n(.*)/gu)];
  expect(cited.length).toBeGreaterThan(3);
  for (const [, id = '', line] of cited) expect(line).toBe(citations.get(id));
});

it('the README begins with its E5, as it can be searched for, and with a chart that is there', async () => {
  const readme = await text('README.md');
  expect(readme).toContain(`\n${citations.get('E5') ?? '?'}\n`);
  const chart = /\]\((reports\/reference\/\S+\.svg)\)/u.exec(readme)?.[1] ?? '';
  expect(await text(chart)).toContain('<svg');
});
