/** A real run whose files are tampered with afterwards: each change must be found, and found again with new hashes. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import Ajv from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { packRun } from './pack-series.ts';
import { cli, expectPass, expectWhole, type LabRun, runInLab } from './testing.ts';

const out = testFolder();
let made: LabRun;
let clean: string;

beforeAll(async () => {
  await connectEngine();
  made = await runInLab(out, 'E1', '--restarts', '2');
  clean = made.folder;
});

/** Changes the lines of a gzipped file. */
const lines =
  (file: string, change: (lines: string[]) => string[]) =>
  async (folder: string): Promise<void> => {
    const path = join(folder, file);
    const text = gunzipSync(await readFile(path))
      .toString('utf8')
      .trimEnd()
      .split('\n');
    await writeFile(path, gzipSync(`${change(text).join('\n')}\n`));
  };

const ledger = 'ledger.ndjson.gz';
const access = 'witnesses/access.ndjson.gz';
const notes = 'witnesses/notes.ndjson.gz';
const dropToOk = (line: string): string =>
  line.replace('"outcome":"status-502","status":502', '"outcome":"ok","status":200');

describe('the run', () => {
  it('E1 drops what the timeline predicts, as 502, at every restart', async () => {
    const { verdict, folder, exitCode } = made;
    expectPass({ verdict, exitCode }, { restarts: 2, badRestarts: 2 });
    expect(Object.keys(verdict.outcomes).sort()).toEqual(['ok', 'status-502']);
    expect(Math.abs(verdict.predicted.differencePercent ?? Infinity)).toBeLessThan(30);
    await expectWhole(folder, verdict);
  });
});

describe('a run’s line', () => {
  it('holds while nothing is changed, and verdict and report come out the same again', async () => {
    const { stdout, exitCode } = await cli('verify', clean);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('holds: pass');
    const reports = () => Promise.all(['report.md', 'report.html'].map((file) => readFile(join(clean, file), 'utf8')));
    const before = await reports();
    expect((await cli('verdict', clean)).exitCode).toBe(0);
    expect(await reports()).toEqual(before);
    expect((await cli('verify', clean)).exitCode).toBe(0);
  });

  it('holds of a packed run too, which leaves out what can be made again', async () => {
    const packed = join(out, 'packed');
    await packRun(clean, packed);
    expect(await readdir(packed)).not.toContain('joined.ndjson.gz');
    expect((await readdir(join(packed, 'charts'))).filter((name) => !name.endsWith('.svg'))).toEqual([]);
    const { stdout, exitCode } = await cli('verify', packed);
    expect(exitCode, stdout).toBe(0);
  });

  it('stands in a verdict that the published JSON Schema takes', async () => {
    const schema = JSON.parse(await readFile('docs/verdict.schema.json', 'utf8')) as Record<string, unknown>;
    const validate = new Ajv({ allErrors: true }).compile(schema);
    const verdict: unknown = JSON.parse(await readFile(join(clean, 'verdict.json'), 'utf8'));
    expect(validate(verdict), JSON.stringify(validate.errors)).toBe(true);
  });

  // Each has a folder of its own, and so they go on beside each other.
  it.concurrent.each([
    ['a row deleted', lines(ledger, (all) => all.slice(1)), 'slots have no row'],
    ['a row doubled', lines(ledger, (all) => [...all, all[5] ?? '']), 'more than one'],
    [
      'a drop turned into an answer',
      lines(ledger, (all) => {
        const index = all.findIndex((line) => line.includes('status-502'));
        return all.map((line, at) => (at === index ? dropToOk(line) : line));
      }),
      'answered otherwise',
    ],
    [
      'an answer turned into a drop',
      lines(ledger, (all) =>
        all.map((line, at) => (at === 5 ? line.replace('"outcome":"ok"', '"outcome":"reset"') : line)),
      ),
      'do not agree',
    ],
    [
      'a line of the proxy’s log changed',
      lines(access, (all) =>
        all.map((line, at) =>
          at === all.length - 30 ? line.replace('"DownstreamStatus":20', '"DownstreamStatus":50') : line,
        ),
      ),
      'answered otherwise',
    ],
    [
      'a write doubled in the database',
      lines(notes, (all) =>
        all.map((line, at) => (at === all.length - 3 ? line.replace('"times":1', '"times":2') : line)),
      ),
      'writes applied twice',
    ],
    [
      'a shifted clock',
      async (folder: string) => {
        const path = join(folder, 'run.json');
        const run = JSON.parse(await readFile(path, 'utf8')) as { wallOffsetUs: [number, number] };
        run.wallOffsetUs = run.wallOffsetUs.map((us) => us + 3_000_000) as [number, number];
        await writeFile(path, JSON.stringify(run));
      },
      'the proxy saw it begin',
    ],
    ['an empty ledger', lines(ledger, () => []), 'slots have no row'],
    ['an empty access log', lines(access, () => []), 'are not in the log'],
  ] as const)('does not hold with %s, not with new hashes and verdict either', async (name, tamper, sentence) => {
    const folder = join(out, 'tampered', name.replaceAll(/\W/gu, '-'));
    await cp(clean, folder, { recursive: true });
    await tamper(folder);
    const plain = await cli('verify', folder);
    expect(plain.exitCode).toBe(1);
    expect(plain.stdout).toContain('was changed.');
    // Whoever tampers may make verdict, report and hashes again; the witnesses still disagree.
    const again = await cli('verdict', folder, '--json');
    expect([1, 3]).toContain(again.exitCode);
    expect(again.stdout).toContain(sentence);
  });

  it('does not hold with an edited verdict', async () => {
    const folder = join(out, 'tampered', 'verdict');
    await cp(clean, folder, { recursive: true });
    const path = join(folder, 'verdict.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/"dropped": \d+/u, '"dropped": 0'));
    const { stdout, exitCode } = await cli('verify', folder);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('verdict.json is not what the raw files give');
  });

  it('does not hold with expectations loosened, though all that follows from them was made again', async () => {
    const folder = join(out, 'tampered', 'loosened');
    await cp(clean, folder, { recursive: true });
    const path = join(folder, 'run.json');
    const run = JSON.parse(await readFile(path, 'utf8')) as { experiment: { expect: { bounds: { min?: number }[] } } };
    run.experiment.expect.bounds = [];
    await writeFile(path, JSON.stringify(run));
    expect((await cli('verdict', folder)).exitCode).toBe(0);
    const { stdout, exitCode } = await cli('verify', folder);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('The experiment is not the one that was asked for: expect.bounds.0');
    expect(stdout).not.toContain('was changed.');
  });

  it('of a folder that holds no run is refused', async () => {
    const { stderr, exitCode } = await cli('verify', out);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('holds no run');
  });
});
