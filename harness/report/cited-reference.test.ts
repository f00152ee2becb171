/** What README, results and the index say of the series that is kept in reports/reference/ is what stands there. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadExperiment } from '../experiment/catalog.ts';
import { readRun } from '../verdict/record/read-run.ts';
import { sideBySideMarkdown } from './side-by-side.ts';

const byNumber = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1));
const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const text = (path: string): Promise<string> => readFile(pathOf(path), 'utf8');

const ids = (await readdir(pathOf('reports/reference'))).filter((name) => /^E\d+$/u.test(name)).sort(byNumber);
const runs = await Promise.all(ids.map(async (id) => ({ id, ...(await readRun(pathOf(`reports/reference/${id}`))) })));
const lines = new Map(runs.map(({ id, verdict }) => [id, `${verdict.verdict}: ${verdict.citation}`]));
const [readme, results, index] = await Promise.all(['README.md', 'docs/results.md', 'reports/README.md'].map(text));

it('the series is complete', () => {
  expect(ids.join(' ')).toBe('E0 E1 E2 E3 E4 E5 E6 E7 E8 E14 E15 E16 E17');
});

it('the results cite each run of it, and no other run', () => {
  const cited = [...(results ?? '').matchAll(/npm run experiment (\S+)\n(.*)/gu)].map(([, id, line]) => [id, line]);
  expect(Object.fromEntries(cited)).toEqual(Object.fromEntries(lines));
  const runIds = runs.map(({ verdict }) => verdict.runId);
  const named = (results ?? '').match(/\d{8}T\d{6}Z-[0-9a-f]{4}/gu) ?? [];
  expect(named.filter((runId) => !runIds.includes(runId))).toEqual([]);
});

it('the index is made of it, and the results have no other number of drops a restart', async () => {
  const entries = runs.map(async ({ id, run: record, verdict }) => {
    const { title, question } = await loadExperiment(id);
    const run = { record, verdict, reportPath: `reference/${id}/report.md`, asWritten: true, citable: true };
    return { id, title, question, run };
  });
  const paths = { chartPath: 'side-by-side.svg', glossaryPath: '../docs/glossary.md' };
  expect(sideBySideMarkdown(await Promise.all(entries), paths)).toBe(index);
  const each = (results ?? '').match(/[\d.]+(?= a restart\b)/gu) ?? [];
  expect(each.length).toBeGreaterThan(4);
  expect(each.filter((number) => !(index ?? '').includes(`| ${number} `))).toEqual([]);
});

it('the table of strategies has its drops and waits', async () => {
  const table = await text('docs/which-strategy.md');
  const rows = [...table.matchAll(/^\|[^|]*\| ([^|]*)\| ([^|]*)\|.*\[(E\d)\]\(/gmu)];
  expect(rows).toHaveLength(8);
  for (const [, drops = '', wait = '', id] of rows) {
    const { dropped, restarts, longestWaitMs } = runs.find((run) => run.id === id)?.verdict ?? {};
    const each = Number(((dropped ?? NaN) / (restarts ?? NaN)).toFixed(1));
    expect([id, /[\d.]*\d/u.exec(drops)?.[0]]).toEqual([id, String(each)]);
    expect(wait).toContain(`${longestWaitMs?.toFixed(0) ?? '?'} ms`);
  }
});

it('the README begins with its E5, as it can be searched for, and with a chart that is there', async () => {
  expect(readme).toContain(`\n${lines.get('E5') ?? '?'}\n`);
  const chart = /\]\((reports\/reference\/\S+\.svg)\)/u.exec(readme ?? '')?.[1] ?? '';
  expect(await text(chart)).toContain('<svg');
});
