import { expect, it } from 'vitest';
import type { OwnService } from '../experiment/own-service.ts';
import { judgeRun } from './judge.ts';
import type { Verdict } from './record/verdict.ts';
import { writeFolder, type FolderContent } from './testing-folder.ts';
import { ownContentOf } from './testing-own.ts';

/** What is judged of a run of a service of the user's own, after a change to what was recorded. */
async function judged(
  change: (content: FolderContent) => void = () => undefined,
  { inOutage = 'waited', service }: { inOutage?: 'waited' | 'refused'; service?: Partial<OwnService> } = {},
): Promise<Verdict> {
  const content = ownContentOf(inOutage, service);
  change(content);
  return await judgeRun(await writeFolder(content, { isTimelineGiven: true }));
}

/** Changes every row that was answered. */
const named =
  (version: (old: string) => string | null) =>
  ({ ledger }: FolderContent): void => {
    for (const [seq, row] of ledger.entries()) {
      if (row.version !== null) ledger[seq] = { ...row, version: version(row.version) };
    }
  };

it.each([
  ['each answer names its version', (old: string) => old, 0],
  ['no answer does', () => null, null],
  ['answers name it otherwise than they were told', (old: string) => `shop-${old}`, null],
  ['the version never changes', () => 'v0', null],
])('stale answers where %s', async (_, version, stale) => {
  expect((await judged(named(version))).stale).toBe(stale);
});
