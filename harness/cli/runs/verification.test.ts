import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import picocolors from 'picocolors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRun } from '../../run/run-door.ts';
import type { Context } from '../context.ts';
import { hashesOf, writeHashes } from './hashes.ts';
import { reportCommand, verdictCommand, verifyCommand } from './verification.ts';

const kept = fileURLToPath(new URL('../../../reports/reference/E0', import.meta.url));

let top: string;
let run: string;
let printed: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'restart-proof-recompute-'));
  run = join(top, 'run');
  printed = '';
  await cp(kept, run, { recursive: true });
});
afterEach(() => rm(top, { recursive: true, force: true }));

/** Charts are drawn, beside other tests. */
vi.setConfig({ testTimeout: 60_000 });

const context = (): Context => ({
  stdout: (text) => (printed += text),
  stderr: (text) => (printed += text),
  workflowCommand: () => undefined,
  isTerminal: false,
  columns: () => 80,
  colours: { stdout: picocolors.createColors(false), stderr: picocolors.createColors(false) },
  signal: new AbortController().signal,
  callOf: (command) => `npm run ${command} --`,
  projectFolder: top,
});

const hashes = async (): Promise<Record<string, string>> => hashesOf(await openRun(run));
const change = async (file: string, edit: (text: string) => string): Promise<void> => {
  const path = join(run, file);
  await writeFile(path, edit(await readFile(path, 'utf8')));
};

describe('a run of somebody else', () => {
  it.each([
    ['verify', () => verifyCommand(context(), run)],
    ['verdict', () => verdictCommand(context(), run, {})],
    ['report', () => reportCommand(context(), run)],
  ])('%s writes through no link of it', async (_, command) => {
    const key = join(top, 'authorized_keys');
    await writeFile(key, 'mine\n');
    await rm(join(run, 'report.md'));
    await symlink(key, join(run, 'report.md'));
    await expect(command()).rejects.toMatchObject({ code: 'run-refused' });
    expect(await readFile(key, 'utf8')).toBe('mine\n');
  });

  it('verify leaves as it is, and leaves nothing of its own', async () => {
    const before = await hashes();
    await change('run.json', (text) => text.replace('"seed": ', '"seed": 1'));
    const changed = await hashes();
    expect(await verifyCommand(context(), run)).toBe(1);
    expect(printed).toContain('run.json was changed.');
    expect(await hashes()).toEqual(changed);
    expect(changed).not.toEqual(before);
    const left = (await readdir(tmpdir())).filter((name) => name.startsWith(`restart-proof-run-${process.pid}-`));
    expect([...left, ...(await readdir(top))]).toEqual(['run']);
  });

  it('shows what it says, and does not send it', async () => {
    await change('verdict.json', (text) =>
      text.replace('"citation": "', String.raw`"citation": "\u001b[2J\n::error::x `),
    );
    await verifyCommand(context(), run);
    expect(printed).toContain(String.raw`\x1b[2J ::error::x`);
    expect(printed).not.toMatch(/\u{1b}|^::/mu);
  });
});

describe('a packed run', () => {
  it('stays as it is when its verdict is made again, also where that is another', async () => {
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    const before = await hashes();
    await verdictCommand(context(), run, {});
    expect(printed).toContain('is a packed run: the verdict in it is another, and stays as it is');
    expect(await hashes()).toEqual(before);
  });

  it('stays as it is when its report is made again, unless that goes elsewhere', async () => {
    await change('report.md', (text) => `${text}more\n`);
    const before = await hashes();
    await expect(reportCommand(context(), run)).rejects.toThrow(/is a packed run, and its report is another/u);
    await reportCommand(context(), run, { out: join(top, 'out') });
    expect(await readdir(join(top, 'out'))).toEqual(['charts', 'report.html', 'report.md']);
    expect(await hashes()).toEqual(before);
  });
});

describe('a run of one’s own', () => {
  it('gets what differs, and new hashes with it', async () => {
    // Without hashes it is none that was packed.
    await rm(join(run, 'hashes.json'));
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    await verdictCommand(context(), run, {});
    const made = (await openRun(run)).names();
    expect(made).toContain('joined.ndjson.gz');
    expect(made).toContain('hashes.json');
    const before = await hashes();
    await verdictCommand(context(), run, {});
    await reportCommand(context(), run);
    expect(await hashes()).toEqual(before);
  });

  it.runIf(process.getuid?.() !== 0)('that cannot be written stays as it is', async () => {
    await rm(join(run, 'hashes.json'));
    await writeHashes(run);
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    await chmod(run, 0o555);
    await verdictCommand(context(), run, {});
    await chmod(run, 0o755);
    expect(printed).toContain('stays as it is');
  });
});
