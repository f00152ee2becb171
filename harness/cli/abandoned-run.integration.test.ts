import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeReport } from '../report/write-report.ts';
import { openRun } from '../run/run-door.ts';
import type { ServiceRun } from '../run/run-record.ts';
import { row, serviceRecord } from '../verdict/testing.ts';
import { judgeRun } from '../verdict/judge.ts';
import { finishAbandoned, ServiceFiles } from '../conduct/service/service-files.ts';

let folder = '';
beforeEach(() => (folder = join(mkdtempSync(join(tmpdir(), 'run-files-')), 'run')));
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const record = serviceRecord({ ratePerSecond: 100 });
const lines = (...seqs: number[]): string => seqs.map((seq) => `${JSON.stringify(row(seq))}\n`).join('');

/** A run whose process is gone: as another host's, of which nobody lives here. */
async function abandon(): Promise<ServiceFiles> {
  const files = await ServiceFiles.begin(folder, record);
  await files.addEvent({ atUs: 0, kind: 'load-begin', restart: 0 });
  const path = join(folder, 'run.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(`"${hostname()} `, '"gone.test '));
  return files;
}

describe('a run whose process is gone', () => {
  it('is judged as aborted, with the rows that are whole and the requests that have none', async () => {
    await abandon();
    // Slot 3 was still under way, and the row of slot 5 was being written.
    writeFileSync(join(folder, 'ledger.ndjson'), lines(0, 1, 2, 4) + lines(5).slice(0, 40));
    appendFileSync(join(folder, 'timeline.ndjson'), '{"atUs":1');
    // What an access log had, was packed and not yet to its end.
    mkdirSync(join(folder, 'witnesses'));
    writeFileSync(join(folder, 'witnesses', 'server-log.ndjson.gz'), gzipSync('{"log":1').subarray(0, 12));
    expect(await finishAbandoned(folder)).toBe(true);
    const { record: finished } = await openRun(folder);
    expect(finished).toMatchObject({ underWay: null, unfinished: 1, durationMs: 50 });
    const verdict = await judgeRun(folder);
    expect(verdict).toMatchObject({ verdict: 'aborted', due: 4, outcomes: { ok: 4 } });
    expect(verdict.reasons[0]).toContain('did not end');
    expect(existsSync(join(folder, 'ledger.ndjson'))).toBe(false);
    expect(await finishAbandoned(folder)).toBe(false);
  });

  it('has the rows of all of its threads, each once', async () => {
    await abandon();
    writeFileSync(join(folder, 'ledger.ndjson.0'), lines(0, 2, 4));
    writeFileSync(join(folder, 'ledger.ndjson.1'), lines(1, 3) + '{');
    writeFileSync(join(folder, 'ledger.ndjson.merged'), lines(0, 2));
    await finishAbandoned(folder);
    expect((await judgeRun(folder)).due).toBe(5);
    expect((await openRun(folder)).record).toMatchObject({ unfinished: 0 });
  });

  it('has them once too where it ended between putting them together and taking the parts away', async () => {
    await abandon();
    writeFileSync(join(folder, 'ledger.ndjson'), lines(0, 2, 1, 3));
    writeFileSync(join(folder, 'ledger.ndjson.1'), lines(1, 3));
    await finishAbandoned(folder);
    expect((await judgeRun(folder)).due).toBe(4);
  });

  it('has none where it ended before the first', async () => {
    await abandon();
    await finishAbandoned(folder);
    expect(await judgeRun(folder)).toMatchObject({ verdict: 'aborted', due: 0 });
  });
});

describe('a run of an experiment that was cut short', () => {
  const kept = fileURLToPath(new URL('../../reports/reference/E0', import.meta.url));
  it.each([[['run.json']], [['run.json', 'ledger.ndjson.gz']]])('is reported where it left %s', async (files) => {
    for (const name of files) cpSync(join(kept, name), join(folder, name));
    const path = join(folder, 'run.json');
    const whole = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...whole, aborted: 'The run did not end.' }));
    expect(await judgeRun(folder)).toMatchObject({ verdict: 'aborted', due: files.length === 1 ? 0 : 3_000 });
    await writeReport(folder);
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('The run did not end.');
    // A run that went to its end may not lose a file.
    writeFileSync(path, JSON.stringify({ ...whole, aborted: null }));
    await expect(writeReport(folder)).rejects.toThrow(/timeline\.ndjson is missing/u);
  });
});

describe('a run that is under way', () => {
  it('is left alone, and says so', async () => {
    const files = await ServiceFiles.begin(folder, record);
    await expect(finishAbandoned(folder)).rejects.toMatchObject({ code: 'run-under-way' });
    await files.end({}, { due: 0, isKnown: true });
    expect(await finishAbandoned(folder)).toBe(false);
  });

  it('is called aborted until its end is written', async () => {
    const files = await ServiceFiles.begin(folder, record);
    writeFileSync(join(folder, 'ledger.ndjson'), lines(0, 1));
    const aborted = async (): Promise<ServiceRun['aborted']> => (await openRun(folder)).record.aborted;
    expect(await aborted()).toContain('did not end');
    await files.writer.know({ commandRun: true });
    expect(await aborted()).toContain('did not end');
    await files.end({ unfinished: 0 }, { due: 2, isKnown: true });
    expect(await aborted()).toBeNull();
    expect((await openRun(folder)).names()).toEqual(['ledger.ndjson.gz', 'run.json', 'timeline.ndjson']);
  });
});
