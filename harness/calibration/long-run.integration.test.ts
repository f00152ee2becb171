import { hash } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import e1 from '../../experiments/E1-no-drain.ts';
import { writeReport } from '../report/write-report.ts';
import { judgeRun } from '../verdict/judge.ts';
import { contentOf, writeFolder } from '../verdict/testing-folder.ts';
import { readRun } from '../verdict/record/read-run.ts';
import { writeLongRun } from './long-run.ts';

/** Judges the run in a folder and writes its report, in a process of its own. */
const again = `
  import { judgeRun } from ${JSON.stringify(new URL('../verdict/judge.ts', import.meta.url).href)};
  import { writeReport } from ${JSON.stringify(new URL('../report/write-report.ts', import.meta.url).href)};
  await judgeRun(process.argv[1]);
  await writeReport(process.argv[1]);`;
const reference = fileURLToPath(new URL('../../reports/reference/', import.meta.url));

const scratch = testFolder();

/** The sha256 of every file, by its path. */
async function hashesIn(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hashes[relative(folder, path)] = hash('sha256', await readFile(path));
  }
  return hashes;
}

describe.each(['E1', 'E5'])('%s, repeated', { timeout: 120_000 }, (kept) => {
  it('is judged a pass, with twice what the kept run counted, and every row confirmed', async () => {
    const { verdict: once } = await readRun(join(reference, kept));
    await writeLongRun(join(reference, kept), join(scratch, kept), 2);
    const verdict = await judgeRun(join(scratch, kept));
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({
      verdict: 'pass',
      due: 2 * once.due,
      sent: 2 * once.sent,
      dropped: 2 * once.dropped,
      restarts: 2 * once.restarts,
      badRestarts: 2 * once.badRestarts,
      unexplained: 0,
      stale: 0,
      stalls: { count: 2 * once.stalls.count },
      writes: { acknowledged: 2 * (once.writes?.acknowledged ?? 0), lost: 0, duplicated: 0 },
      reconciliation: { rows: 2 * once.due, disagreeing: 0 },
    });
    // The probe's last moments behind the load come once.
    expect(verdict.direct?.due).toBeGreaterThan(1.9 * (once.direct?.due ?? Infinity));
  });
});

describe('a run', { timeout: 120_000 }, () => {
  it('gives the same bytes of every file again: in another folder, another time zone, another language', async () => {
    const folder = await writeFolder(contentOf(e1, 'refused'));
    await judgeRun(folder);
    await writeReport(folder);
    const first = await hashesIn(folder);
    const made = ['joined.ndjson.gz', 'report.md', 'verdict.json', 'charts/latency.png', 'charts/outcomes.svg'];
    expect(Object.keys(first)).toEqual(expect.arrayContaining(made));
    const copy = join(scratch, 'E1, elsewhere', 'run');
    await cp(folder, copy, { recursive: true });
    for (const name of ['charts', ...made.slice(0, 3)]) await rm(join(copy, name), { recursive: true });
    const env = { TZ: 'Pacific/Auckland', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8', NO_COLOR: '1' };
    await execa(process.execPath, ['--input-type=module', '-e', again, copy], { env, cwd: tmpdir() });
    expect(await hashesIn(copy)).toEqual(first);
  });
});
