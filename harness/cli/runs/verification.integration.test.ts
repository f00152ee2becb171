import { chmod, cp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { emptiedFolder } from '../../base/testing-folder.ts';
import { sourcesHash } from '../../lab/project-state.ts';
import { openRun } from '../../run/run-door.ts';
import { hashesOf, writeHashes } from './working-copy.ts';
import { report } from '../report.ts';
import { testContext, type TestContext } from '../testing-context.ts';
import { verdict } from '../verdict.ts';
import { verify } from '../verify.ts';

const kept = fileURLToPath(new URL('../../../reports/reference/E0', import.meta.url));

const top = emptiedFolder();
let run: string;
let context: TestContext;
beforeEach(async () => {
  run = join(top, 'run');
  context = testContext(top);
  await cp(kept, run, { recursive: true });
});

/** Charts are drawn, beside other tests. */
vi.setConfig({ testTimeout: 60_000 });

const hashes = async (): Promise<Record<string, string>> => hashesOf(await openRun(run));
const change = async (file: string, edit: (text: string) => string): Promise<void> => {
  const path = join(run, file);
  await writeFile(path, edit(await readFile(path, 'utf8')));
};

describe('a run of somebody else', () => {
  it.each([
    ['verify', () => verify.run(context, run)],
    ['verdict', () => verdict.run(context, run, {})],
    ['report', () => report.run(context, run, {})],
  ])('%s writes through no link of it', async (_, command) => {
    const key = join(top, 'authorized_keys');
    await writeFile(key, 'mine\n');
    await rm(join(run, 'report.md'));
    await symlink(key, join(run, 'report.md'));
    await expect(command()).rejects.toMatchObject({ code: 'run-refused' });
    expect(await readFile(key, 'utf8')).toBe('mine\n');
  });

  it('verify leaves as it is, and leaves nothing of its own; what it says is shown, and not sent', async () => {
    await change('run.json', (text) => text.replace(/("project": "[0-9a-f]{40})/u, '$1, with changes'));
    await change('verdict.json', (text) =>
      text.replace('"citation": "', String.raw`"citation": "\u001b[2J\n::error::x `),
    );
    const changed = await hashes();
    expect(await verify.run(context, run)).toBe(1);
    const printed = context.printed();
    expect(printed).toContain('run.json was changed.');
    expect(printed).toContain('No commit has that state, so nobody can check it.');
    expect(printed).toContain(String.raw`\x1b[2J ::error::x`);
    expect(printed).not.toMatch(/\u{1b}|^::/mu);
    expect(await hashes()).toEqual(changed);
    const left = (await readdir(tmpdir())).filter((name) => name.includes(`-${process.pid}-`));
    expect([...left, ...(await readdir(top))]).toEqual(['run']);
  });

  it('verify names the commands that check a run of another state of the project', async () => {
    expect(await verify.run(context, run)).toBe(0);
    const printed = context.printed();
    expect(printed).toMatch(/^holds: pass; every file is as it was hashed/mu);
    expect(printed).toMatch(/^ {2}git worktree add --detach \.\.\/restart-proof-[0-9a-f]{7} [0-9a-f]{40}$/mu);
    expect(printed).toContain(`  npm run setup\n  npm run verify -- ${run}\n`);
  });

  it('verify finds another report than the files give, in a run of this state of the project', async () => {
    const sources = await sourcesHash();
    await change('run.json', (text) => text.replace(/"sources": "\w+"/u, `"sources": "${sources}"`));
    await change('report.md', (text) => `${text}more\n`);
    await writeHashes(run);
    expect(await verify.run(context, run)).toBe(1);
    expect(context.printed()).toContain('report.md is not what the files give.');
  });

  it('verify of an inconclusive run says what holds, that it makes no claim and why, and exits 3', async () => {
    // Cut short before its end: what is there was recorded, and nothing can be claimed from it.
    await change('run.json', (text) => text.replace('"aborted": null', '"aborted": "SIGINT"'));
    for (const name of ['hashes.json', 'report.md']) await rm(join(run, name));
    await verdict.run(context, run, {});
    context.printed();
    expect(await verify.run(context, run)).toBe(3);
    const printed = context.printed();
    expect(printed).toMatch(/^aborted: every file is as it was hashed, and .* but the run makes no claim:\n {2}\S/mu);
    expect(printed).not.toContain('does not hold');
  });
});

describe('a packed run', () => {
  it('stays as it is when its verdict is made again, also where that is another', async () => {
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    const before = await hashes();
    await verdict.run(context, run, {});
    expect(context.printed()).toContain('is a packed run: the verdict in it is another, and stays as it is');
    expect(await hashes()).toEqual(before);
  });

  it('stays as it is when its report is made again, unless that goes elsewhere', async () => {
    await change('report.md', (text) => `${text}more\n`);
    const before = await hashes();
    await expect(report.run(context, run, {})).rejects.toThrow(/is a packed run, and its report is another/u);
    await report.run(context, run, { out: join(top, 'out') });
    expect(await readdir(join(top, 'out'))).toEqual(['charts', 'report.html', 'report.md']);
    expect(await hashes()).toEqual(before);
  });
});

describe('a run of one’s own', () => {
  it('gets what differs, and new hashes with it', async () => {
    // Without hashes it is none that was packed.
    await rm(join(run, 'hashes.json'));
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    await verdict.run(context, run, {});
    const made = (await openRun(run)).names();
    expect(made).toContain('joined.ndjson.gz');
    expect(made).toContain('hashes.json');
    const before = await hashes();
    await verdict.run(context, run, {});
    await report.run(context, run, {});
    expect(await hashes()).toEqual(before);
  });

  it.runIf(process.getuid?.() !== 0)('that cannot be written stays as it is', async () => {
    await rm(join(run, 'hashes.json'));
    await writeHashes(run);
    await change('verdict.json', (text) => text.replace('"due": ', '"due": 1'));
    await chmod(run, 0o555);
    await verdict.run(context, run, {});
    await chmod(run, 0o755);
    expect(context.printed()).toContain('stays as it is');
  });
});
