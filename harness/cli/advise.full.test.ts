/** `advise` in the real lab: a service that leaves politely, and the same one closing idle connections at once. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { buildExample, exampleFile } from './testing-own-service.ts';
import { cli, cliThatTells } from './testing.ts';

const out = testFolder();
const example = exampleFile('go-socket');
/** Doctor, controls and runs, three times where the machine is busy. */
const longestMs = 15 * 60_000;

/** What of advice.json is looked at. */
interface AdviceJson {
  readonly outcome: string;
  readonly recommended: { id: string; run: string; restarts: number; files: { path: string }[] } | null;
  readonly findings: { id: string; doctor: string | null; seen: { id: string; dropped: number; posts: number }[] }[];
}

async function advise(...args: string[]): Promise<{ exitCode: number | undefined; advice: AdviceJson }> {
  const { stdout, stderr, exitCode } = await cliThatTells(out, 'advise', '--json', ...args);
  expect(stdout, stderr).not.toBe('');
  return { exitCode, advice: JSON.parse(stdout) as AdviceJson };
}

beforeAll(async () => {
  await connectEngine();
  await buildExample('go-socket');
});

it(
  'recommends the socket for a service that leaves politely, by a line that verifies, with the files to copy',
  async () => {
    const { exitCode, advice } = await advise('--app', example, '--only', 'E1,E5', '--restarts', '10');
    expect(advice).toMatchObject({ outcome: 'recommended', findings: [], recommended: { id: 'E5' } });
    expect(exitCode).toBe(0);
    expect(advice.recommended?.restarts).toBeGreaterThanOrEqual(10);
    const verified = await cli('verify', advice.recommended?.run ?? '');
    expect(verified.exitCode, verified.stdout).toBe(0);
    const copied = await readdir(join(out, 'advise', 'latest', 'recommended'), { recursive: true });
    expect(copied).toEqual(
      expect.arrayContaining(['README.md', 'etc/systemd/system/go-socket-shop.socket', 'etc/traefik/dynamic/site.yml']),
    );
    expect(advice.recommended?.files.map(({ path }) => path.slice(1)).every((path) => copied.includes(path))).toBe(
      true,
    );
  },
  longestMs,
);

it(
  'names naive close, and the POSTs that it costs',
  async () => {
    const folder = join(out, 'naive');
    await mkdir(folder);
    const text = await readFile(example, 'utf8');
    const naive = text
      .replace('files: [shop]', `files: [{ from: ${join(dirname(example), 'shop')}, to: /opt/go-socket-shop/shop }]`)
      .replace('--grace', '--quiet 0s --grace')
      // Mostly orders: each restart is twice as likely to meet one.
      .replace('weight: 50', 'weight: 5')
      .replace(/weight: \d+$/mu, 'weight: 90');
    await writeFile(join(folder, 'service.yaml'), naive);
    const { exitCode, advice } = await advise(
      '--app',
      join(folder, 'service.yaml'),
      '--only',
      'E5',
      '--restarts',
      '40',
      '--no-controls',
    );
    expect(exitCode).toBe(1);
    const finding = advice.findings.find(({ id }) => id === 'naive-close');
    expect(finding?.doctor).toContain('kept connections were ended without a word');
    expect(finding?.seen.map(({ id }) => id)).toContain('E5');
    for (const { dropped, posts } of finding?.seen ?? []) expect(posts).toBe(dropped);
  },
  longestMs,
);
