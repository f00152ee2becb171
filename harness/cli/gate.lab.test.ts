import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import type { GateResult } from '../gate/gate-result.ts';
import { cli, cliThatTells } from './testing.ts';

const out = testFolder();
beforeAll(async () => {
  await mkdir(join(out, 'one'));
});

describe('a gate on the real lab', () => {
  it('fails on a socket that is PartOf the service: figure, line and cause; a merge of its folder says the same', async () => {
    const planted = ['E5', '--set', 'unit.socketTie=part-of', '--restarts', '2', '--no-controls', '--seed', '3'];
    const asked = ['gate', ...planted, '--json', '--annotations', 'github'];
    const { stdout, stderr, exitCode } = await cliThatTells(join(out, 'one'), ...asked);
    expect(exitCode, stderr).toBe(1);

    const { verdict, entries, notAsked } = JSON.parse(stdout) as GateResult;
    const [e5] = entries;
    expect({ verdict, names: entries.map(({ name }) => name) }).toEqual({ verdict: 'fail', names: ['E5'] });
    expect(notAsked).toContain('E1');
    // The drain is longer than a slot: whatever queued meanwhile goes with the socket, at every restart.
    expect(e5?.checks).toContainEqual(
      expect.objectContaining({
        kind: 'budget',
        what: 'restarts that dropped something',
        measured: '2 of 2',
        outcome: 'missed',
      }),
    );
    expect(e5?.causes.some((cause) => /opened by socket-stopped at .*timeline\.ndjson:\d+/u.test(cause))).toBe(true);
    const line = e5?.checks.find(({ what }) => what === 'dropped requests')?.line ?? 0;
    const budgets = (await readFile(new URL('../../experiments/gate.yaml', import.meta.url), 'utf8')).split('\n');
    expect(budgets[line - 1]).toMatch(/^ +dropped: \{ max: 0/u);
    expect(stderr).toContain(`::error file=experiments/gate.yaml,line=${line},title=E5%3A dropped requests::`);

    const merged = await cli('merge', join(out, 'one'), '--out', join(out, 'merged'));
    expect(merged.exitCode, merged.stderr).toBe(1);
    for (const file of ['gate.json', 'junit.xml', 'summary.md']) {
      const [one, again] = await Promise.all(
        ['one', 'merged'].map((folder) => readFile(join(out, folder, 'gate', file), 'utf8')),
      );
      expect(again).toBe(one);
    }
  });
});
