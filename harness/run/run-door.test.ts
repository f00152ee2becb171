import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gzippedLines } from './gzipped-lines.ts';
import { parseJson, plainText } from './plain-file.ts';
import { openRun } from './run-door.ts';

const kept = fileURLToPath(new URL('../../reports/reference/E0', import.meta.url));

let top: string;
let run: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'restart-proof-door-'));
  run = join(top, 'run');
  await cp(kept, run, { recursive: true });
});
afterEach(() => rm(top, { recursive: true, force: true }));

const refusedAs = (code: string, sentence: RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(sentence) as string });

async function changeRecord(change: (record: Record<string, unknown>) => void): Promise<void> {
  const path = join(run, 'run.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(record);
  await writeFile(path, JSON.stringify(record));
}

describe('the folder of a run', () => {
  it('is opened where it holds plain files of known names', async () => {
    const open = await openRun(run);
    expect(open.record.runId).toMatch(/^2026/u);
    expect(open.names()).toContain('witnesses/kernel.json');
    expect(open.names()).toContain('lab/etc/systemd/system/site@.service');
  });

  it('may be named by a link, as `latest` is', async () => {
    await symlink('run', join(top, 'latest'));
    expect((await openRun(join(top, 'latest'))).path).toBe((await openRun(run)).path);
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['a link in place of a file', async () => linkIn('report.md', '/etc/hostname'), /report\.md is a link/u],
    [
      'a link to a file that is not there',
      async () => linkIn('report.html', '/nonexistent'),
      /report\.html is a link/u,
    ],
    ['a linked folder', async () => linkIn('charts', '/etc'), /charts is a link/u],
    ['a file of another name', async () => writeFile(join(run, 'notes.txt'), ''), /notes\.txt is no file of a run/u],
    ['a folder of another name', async () => makeIn('more'), /more is no folder of a run/u],
    ['a folder in place of a file', async () => makeIn('report.html'), /report\.html is no folder of a run/u],
    ['a name with a line break', async () => writeFile(join(run, 'lab', 'a\nb'), ''), /is no file of a run/u],
    [
      'a pipe',
      async () => Promise.resolve(void execFileSync('mkfifo', [join(run, 'report.html')])),
      /report\.html is neither a plain file nor a folder/u,
    ],
    [
      'a text that is too large',
      async () => truncate(join(run, 'report.md'), 17 * 1024 * 1024),
      /report\.md has 17825792/u,
    ],
    [
      'a packed file that is larger than its requests can make it',
      async () => truncate(join(run, 'witnesses', 'traefik.log.gz'), 64 * 1024 * 1024),
      /traefik\.log\.gz has 67108864 bytes, and may have \d+ for \d+ requests/u,
    ],
    [
      'raw rows beyond what its requests can have',
      async () => {
        await writeFile(join(run, 'ledger.ndjson'), '');
        await truncate(join(run, 'ledger.ndjson'), 64 * 1024 * 1024);
      },
      /ledger\.ndjson has 67108864 bytes, and may have \d+ for \d+ requests/u,
    ],
    ['a name of two lines', async () => writeFile(join(run, 'a\nerror: b'), ''), /a error: b is no file of a run/u],
    [
      'too many files',
      async () => {
        await Promise.all(Array.from({ length: 501 }, (_, n) => writeFile(join(run, 'lab', `f${n}`), '')));
      },
      /more than the 500 files/u,
    ],
  ])('is refused with %s, before its content is read', async (_, spoil, sentence) => {
    await spoil();
    await expect(openRun(run)).rejects.toEqual(refusedAs('run-refused', sentence));
  });

  it('is refused with a socket', async () => {
    const server = createServer().listen(join(run, 'report.html'));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      await expect(openRun(run)).rejects.toEqual(refusedAs('run-refused', /neither a plain file nor a folder/u));
    } finally {
      server.close();
    }
  });

  it.each<[string, (record: Record<string, unknown>) => void, string, RegExp]>([
    ['a name that leads out', (record) => (record['runId'] = '../x'), 'run-damaged', /runId: is no name of a run/u],
    ['a variant that leads out', (record) => (record['variant'] = '../x'), 'run-damaged', /variant: is no name/u],
    ['more slots than its ledger has room for', (record) => (record['durationMs'] = 1e9), 'run-refused', /no room/u],
    [
      'nesting beyond what a record has',
      (record) => (record['x'] = nested(40)),
      'run-damaged',
      /nests deeper than 32/u,
    ],
  ])('is refused with %s in run.json', async (_, change, code, sentence) => {
    await changeRecord(change);
    await expect(openRun(run)).rejects.toEqual(refusedAs(code, sentence));
  });

  it('without run.json is no run', async () => {
    await rm(join(run, 'run.json'));
    await expect(openRun(run)).rejects.toEqual(refusedAs('run-missing', /holds no run/u));
    await expect(openRun(join(top, 'nowhere'))).rejects.toEqual(refusedAs('run-missing', /holds no run/u));
  });

  it('may hold a witness that was being fetched when it was cut short', async () => {
    await writeFile(join(run, 'witnesses', 'journal.ndjson.new'), '{');
    expect((await openRun(run)).has('witnesses/journal.ndjson.new')).toBe(true);
    await writeFile(join(run, 'x.new'), '');
    await expect(openRun(run)).rejects.toEqual(refusedAs('run-refused', /x\.new is no file of a run/u));
  });

  it('is copied whole, and not with a file that was put in place of another meanwhile', async () => {
    const open = await openRun(run);
    await open.copyTo(join(top, 'copy'));
    expect((await openRun(join(top, 'copy'))).names()).toEqual(open.names());
    await writeFile(join(top, 'other'), 'a secret');
    await rename(join(top, 'other'), join(run, 'report.md'));
    await expect(open.copyTo(join(top, 'second'))).rejects.toEqual(refusedAs('run-refused', /was replaced/u));
    expect(await readdir(join(top, 'second')).catch(() => [])).not.toContain('report.md');
  });
});

describe('a text of a run', () => {
  it.each<[string, Buffer, RegExp]>([
    ['a NUL byte', Buffer.from('a\0b'), /holds a NUL byte/u],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff]), /not UTF-8/u],
  ])('with %s is damage, packed or not', async (_, bytes, sentence) => {
    await writeFile(join(top, 'a'), bytes);
    await writeFile(join(top, 'a.gz'), gzipSync(bytes));
    await expect(plainText(join(top, 'a'))).rejects.toEqual(refusedAs('run-damaged', sentence));
    await expect(readThrough(join(top, 'a.gz'))).rejects.toEqual(refusedAs('run-damaged', sentence));
  });

  it('that unpacks to far more than ours do is refused, and so is an endless line', async () => {
    const piece = gzipSync(`${'a'.repeat(999_999)}\n`);
    await writeFile(join(top, 'lines.gz'), Buffer.concat(Array.from({ length: 110 }, () => piece)));
    await expect(readThrough(join(top, 'lines.gz'))).rejects.toEqual(refusedAs('run-refused', /300 times/u));
    await writeFile(join(top, 'line.gz'), gzipSync('a'.repeat(5 * 1024 * 1024)));
    await expect(readThrough(join(top, 'line.gz'))).rejects.toEqual(refusedAs('run-refused', /holds a line/u));
  });

  it('is not opened through a link', async () => {
    await symlink(join(run, 'run.json'), join(top, 'link'));
    await expect(plainText(join(top, 'link'))).rejects.toEqual(refusedAs('run-refused', /is a link/u));
  });
});

it('brackets within texts do not nest', () => {
  const value = { a: '['.repeat(50), b: String.raw`"[[\\`, c: [[1]] };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
  expect(() => parseJson('['.repeat(100_000))).toThrow(/nests deeper/u);
  expect(() => parseJson('{')).toThrow(SyntaxError);
});

async function readThrough(path: string): Promise<void> {
  for await (const lines of gzippedLines(path)) expect(lines).not.toHaveLength(0);
}

async function linkIn(name: string, target: string): Promise<void> {
  await rm(join(run, name), { recursive: true, force: true });
  await symlink(target, join(run, name));
}

async function makeIn(name: string): Promise<void> {
  await mkdir(join(run, name));
}

function nested(depth: number): unknown {
  return depth === 0 ? 0 : [nested(depth - 1)];
}
