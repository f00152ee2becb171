import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OwnService } from '../experiment/own-service.ts';
import type { LedgerRow } from '../run/files/ledger.ts';
import { judgeRun } from './judge.ts';
import type { Verdict } from './record/verdict.ts';
import { row } from './testing.ts';
import { accessFieldsOf, writeFolder, type AccessFields, type FolderContent } from './testing-folder.ts';
import { ownContentOf } from './testing-own.ts';

/** What is judged of a run of a service of the user's own, after a change to what was recorded. */
async function judged(
  change: (content: FolderContent) => void = () => undefined,
  { service, isOfOneTest = true }: { service?: Partial<OwnService>; isOfOneTest?: boolean } = {},
): Promise<Verdict> {
  const content = ownContentOf(service);
  change(content);
  const folder = await writeFolder(content, { isTimelineGiven: true, isOfOneTest });
  const verdict = await judgeRun(folder);
  if (!isOfOneTest) await rm(folder, { recursive: true });
  return verdict;
}

/** Changes one row, and the proxy's line of it. */
const answer =
  (seq: number, over: Partial<LedgerRow>, access: AccessFields = {}) =>
  (content: FolderContent): void => {
    const old = content.ledger[seq];
    if (old === undefined) throw new Error(`no row ${seq}`);
    const one = { ...old, ...over };
    content.ledger[seq] = one;
    content.access?.splice(seq, 1, accessFieldsOf({ ...one, version: null }, access));
  };

/** An answer of this status, of which the client got so many bytes. */
const status = (code: number, bytes: number): Partial<LedgerRow> => ({
  ...{ outcome: `status-${code}`, status: code, bytes, version: null, instance: null, bodyCrc32: 1 },
});
/** A row of the direct probe. */
const probed = row(0, { requestId: '20261123T120000Z-abcd-direct-1-0' });
const date = { origin_Date: 'Fri, 27 Nov 2026 18:05:59 GMT' };

describe('a run of it', () => {
  let verdict: Verdict;
  beforeAll(async () => {
    verdict = await judged(
      (content) => {
        // A path of the service that the demo site has, too, where it takes half a second, or has another length.
        answer(10, { doneUs: 2_500_000, path: '/slow?ms=500', bytes: 100 }, { RequestPath: '/slow?ms=500' })(content);
        const cut = { outcome: 'truncated', bytes: 100, bodyCrc32: null, error: 'FIN, body' } as const;
        answer(11, { ...cut, path: '/notes/7' }, { RequestPath: '/notes/7' })(content);
        answer(20, { ...status(502, 11), method: 'GET' }, { ...date, DownstreamContentSize: 11 })(content);
        answer(21, { ...status(500, 21), method: 'GET' }, { ...date, DownstreamContentSize: 21 })(content);
        answer(22, { ...status(504, 0), method: 'HEAD' }, { ...date, DownstreamContentSize: 0 })(content);
        answer(23, status(502, 11))(content);
        answer(24, { ...status(502, 0), method: 'HEAD' }, { DownstreamContentSize: 11 })(content);
        content.direct = [probed];
      },
      { isOfOneTest: false },
    );
  });

  it('takes no path of the service for one of the demo site', () => {
    expect(verdict.longestWaitMs).toBe(2_400);
    expect(verdict.reconciliation.disagreements).toEqual([]);
  });

  it('has an answer with the words of Traefik’s own as the service’s where it has a Date:', () => {
    const { causes } = verdict.reconciliation;
    expect(Object.entries(causes).filter(([cause]) => cause.startsWith('the service itself'))).toEqual(
      [502, 500, 504].map((code) => [`the service itself answered ${code}`, 1]),
    );
  });

  it('has it as the proxy’s without one, also to a HEAD, whose text stands in the proxy’s log alone', () => {
    expect(verdict.reconciliation).toMatchObject({ unexplainedRows: [11, 23, 24], disagreeing: 0 });
    expect(verdict.proxyTries).toMatchObject({ answers: 2, failedTries: 0 });
  });

  it('has no stale answer where each names its version', () => {
    expect(verdict.stale).toBe(0);
  });

  it('says so where the end of an answer does not tell whether it was whole', async () => {
    const ofProbe = expect.stringContaining('answers without a length') as string;
    expect(verdict.notes).not.toContainEqual(ofProbe);
    const { notes } = await judged((content) => (content.direct = [{ ...probed, hasNoLength: true }]));
    expect(notes).toEqual([ofProbe]);
  });
});

/** Changes every row that was answered. */
const named =
  (version: (old: string) => string | null) =>
  ({ ledger }: FolderContent): void => {
    for (const [seq, row] of ledger.entries()) {
      if (row.version !== null) ledger[seq] = { ...row, version: version(row.version) };
    }
  };

it.each([
  ['no answer names its version', () => null],
  ['answers name it otherwise than they were told', (old: string) => `shop-${old}`],
  ['the version never changes', () => 'v0'],
])('stale answers are not known where %s', async (_, version) => {
  expect((await judged(named(version))).stale).toBeNull();
});

describe('writes', () => {
  const requests = ['order'];
  const byCommand = { service: { writes: { requests, command: 'cat /srv/orders' } } };
  const orders = ({ ledger }: FolderContent): LedgerRow[] => ledger.filter(({ request }) => request === 'order');
  const seqOf = (content: FolderContent, nth: number): number => orders(content)[nth]?.seq ?? -1;
  const withRetry = (content: FolderContent): void => {
    if (content.run.kind === 'experiment') content.run.experiment.proxy.retry = { attempts: 2, initialIntervalMs: 0 };
  };

  it('are none that is counted where a URL was asked: it does not tell how often one is stored', async () => {
    const byUrl = { service: { writes: { requests, url: '/orders/{id}' } } };
    expect((await judged(undefined, byUrl)).writes).toMatchObject({ lost: 0, duplicated: null, early: null });
  });

  it('that are not there are lost where a 2xx answered; those of nobody are unexpected', async () => {
    let [reader, created] = ['', ''];
    const { writes } = await judged((content) => {
      const gone = ([nth, over]: readonly [number, Partial<LedgerRow>]): string => {
        const seq = seqOf(content, nth);
        answer(seq, over, date)(content);
        return content.ledger[seq]?.requestId ?? '';
      };
      // An expected 409 is no acknowledgment, another 2xx than was expected is one, and a 503 is a refusal.
      const ids = (
        [
          [3, { outcome: 'ok', status: 409 }],
          [4, { outcome: 'status-200', status: 200 }],
          [5, status(503, 4)],
        ] as const
      ).map(gone);
      content.notes = content.notes.filter(({ id }) => !ids.includes(id));
      created = ids[1] ?? '';
      // A request that is not looked up, and one that nobody sent.
      reader = content.ledger.find(({ request }) => request === 'read')?.requestId ?? '';
      content.notes.push({ id: reader, times: 1, versions: '', writtenUs: 1 });
      content.notes.push({ id: `${reader}999`, times: 1, versions: '', writtenUs: 1 });
    }, byCommand);
    expect(writes).toMatchObject({ indeterminate: 1, lost: 1, failed: 1, unexpected: 1, duplicated: 0 });
    expect(writes?.examples).toMatchObject({ lost: [created], unexpected: [`${reader}999`] });
  });

  /** What the lab saw of a write before the load; of older runs nothing. */
  type Fate = 'found' | 'absent' | 'unknown' | null;
  const stranger: FolderContent['notes'][number] = { id: '17', times: 1, versions: '', writtenUs: 1 };
  it.each<[answer: string, notes: FolderContent['notes'], fate: Fate, isKnown: boolean]>([
    ['nothing, as is what is left of a lost store', [], null, true],
    ['nothing, and gave a write before the load', [], 'found', true],
    ['nothing, and no write could be looked for before the load', [], 'unknown', true],
    ['nothing, and gave none before the load either', [], 'absent', false],
    ['other ids', [stranger], null, false],
    ['other ids, and could not be asked before the load', [stranger], 'unknown', false],
    ['other ids, and gave a write before the load', [stranger], 'found', true],
  ])('are all lost, or nothing is known of them, where `writes` gave %s', async (_, notes, fate, isKnown) => {
    const { writes, verdict, reasons, expectations } = await judged((content) => {
      content.notes = notes;
      if (content.run.kind !== 'experiment' || fate === null) return;
      content.run.firstWrites = [{ request: 'order', id: 'w-1', fate, came: '' }];
    }, byCommand);
    const lost = expectations.find(({ what }) => what.includes('writes lost'));
    if (isKnown) {
      expect(writes?.lost).toBe(writes?.acknowledged);
      expect(lost).toMatchObject({ met: false });
      return;
    }
    expect([writes, lost, verdict]).toEqual([null, undefined, 'inconclusive']);
    const [reason] = reasons.filter((one) => one.endsWith('[strange-writes]'));
    expect(reason).toContain('(cat /srv/orders)');
    expect(reason).toContain(notes.length > 0 ? 'gave 1 id, such as "17"' : 'gave nothing');
    expect(reason).toMatch(/acknowledged, such as 20261123T120000Z-abcd-1-\d+/u);
  });

  it('of a kind that is not among those that `writes` gave make all of them unknown', async () => {
    const requests = ['order', 'read'];
    const { writes, reasons } = await judged(undefined, {
      service: { writes: { requests, command: 'cat /srv/orders' } },
    });
    expect(writes).toBeNull();
    expect(reasons.join(' ')).toMatch(/none of the \d+ of read that were acknowledged/u);
  });

  it('whose last try was refused may have been applied by one before it', async () => {
    const { writes } = await judged((content) => {
      withRetry(content);
      answer(seqOf(content, 3), status(503, 4), date)(content);
    }, byCommand);
    expect(writes).toMatchObject({ misattributed: 0, recovered: 1, failed: 0 });
  });
});
