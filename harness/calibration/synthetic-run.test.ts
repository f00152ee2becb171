import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../report/write-report.ts';
import { judgeRun } from '../verdict/judge.ts';
import { writeSyntheticRun } from './synthetic-run.ts';

/** Judges the run in a folder and writes its report, in a process of its own. */
const again = `
  import { judgeRun } from ${JSON.stringify(new URL('../verdict/judge.ts', import.meta.url).href)};
  import { writeReport } from ${JSON.stringify(new URL('../report/write-report.ts', import.meta.url).href)};
  await judgeRun(process.argv[1]);
  await writeReport(process.argv[1]);`;
const plan = { rows: 1_200, ratePerSecond: 100, restarts: 2, seed: 7 };

let scratch = '';
beforeAll(async () => (scratch = await mkdtemp(join(tmpdir(), 'synthetic-'))));
afterAll(async () => await rm(scratch, { recursive: true }));

/** The sha256 of every file, by its path. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = await Promise.all(
    paths.sort().map(async (path): Promise<[string, string]> => {
      return [
        relative(folder, path),
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      ];
    }),
  );
  return Object.fromEntries(hashed);
}

describe.each(['waits', 'drops'] as const)('a made-up run that %s', { timeout: 120_000 }, (shape) => {
  it('is judged a pass, with every row confirmed and every drop explained', async () => {
    const folder = join(scratch, shape);
    await writeSyntheticRun(folder, { shape, ...plan });
    const verdict = await judgeRun(folder);
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({
      verdict: 'pass',
      due: plan.rows,
      sent: plan.rows,
      restarts: plan.restarts,
      unexplained: 0,
    });
    expect(verdict.reconciliation).toMatchObject({ rows: plan.rows, disagreeing: 0 });
    expect(verdict.badRestarts).toBe(shape === 'waits' ? 0 : plan.restarts);
    expect(verdict.stalls.count > 0).toBe(shape === 'waits');
  });
});

describe('a made-up run', { timeout: 120_000 }, () => {
  it('gives the same bytes of every file again: in another folder, another time zone, another language', async () => {
    const folder = join(scratch, 'drops');
    await writeReport(folder);
    const first = await contentOf(folder);
    expect(Object.keys(first)).toEqual(
      expect.arrayContaining([
        'joined.ndjson.gz',
        'report.md',
        'verdict.json',
        'charts/latency.png',
        'charts/outcomes.svg',
      ]),
    );
    const copy = join(scratch, 'drops, elsewhere', 'run');
    await cp(folder, copy, { recursive: true });
    for (const made of ['charts', 'joined.ndjson.gz', 'report.md', 'verdict.json']) {
      await rm(join(copy, made), { recursive: true });
    }
    const env = { TZ: 'Pacific/Auckland', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8', NO_COLOR: '1' };
    await execa(process.execPath, ['--input-type=module', '-e', again, copy], { env, cwd: tmpdir() });
    expect(await contentOf(copy)).toEqual(first);
  });
});
