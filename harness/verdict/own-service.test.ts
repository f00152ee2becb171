import { describe, expect, it } from 'vitest';
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
  { inOutage = 'waited', service }: { inOutage?: 'waited' | 'refused'; service?: Partial<OwnService> } = {},
): Promise<Verdict> {
  const content = ownContentOf(inOutage, service);
  change(content);
  return await judgeRun(await writeFolder(content, { isTimelineGiven: true }));
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
const date = { origin_Date: 'Fri, 27 Nov 2026 18:05:59 GMT' };

describe('an answer with the words of Traefik’s own', () => {
  it.each([
    ['a GET', 502, 'GET', 11, 11],
    ['a GET', 500, 'GET', 21, 21],
    ['a HEAD', 504, 'HEAD', 0, 0],
  ] as const)('is the service’s own where it has a Date: of %s, %i', async (_, code, method, bytes, logged) => {
    const change = answer(20, { ...status(code, bytes), method }, { ...date, DownstreamContentSize: logged });
    const { reconciliation, proxyTries } = await judged(change);
    expect(reconciliation).toMatchObject({ causes: { [`the service itself answered ${code}`]: 1 }, disagreeing: 0 });
    expect(proxyTries).toMatchObject({ answers: 0, failedTries: 0 });
  });

  it('is the proxy’s without one', async () => {
    const { reconciliation, proxyTries } = await judged(answer(20, status(502, 11)));
    expect(reconciliation).toMatchObject({ causes: {}, unexplained: 1 });
    expect(proxyTries).toMatchObject({ answers: 1 });
  });

  it('to a HEAD has a text in the proxy’s log alone', async () => {
    const change = answer(20, { ...status(502, 0), method: 'HEAD' }, { DownstreamContentSize: 11 });
    expect((await judged(change)).reconciliation).toMatchObject({ disagreeing: 0 });
  });
});

it('takes no path of the service for one of the demo site', async () => {
  const late = { doneUs: 2_500_000, path: '/slow?ms=500', bytes: 100 };
  const cut = { outcome: 'truncated', path: '/notes/7', bytes: 100, bodyCrc32: null, error: 'FIN, body' } as const;
  const { longestWaitMs, reconciliation } = await judged((content) => {
    answer(10, late, { RequestPath: late.path })(content);
    answer(20, cut, { RequestPath: cut.path })(content);
  });
  expect(longestWaitMs).toBe(2_400);
  expect(reconciliation).toMatchObject({ disagreements: [] });
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
  ['each answer names its version', (old: string) => old, 0],
  ['no answer does', () => null, null],
  ['answers name it otherwise than they were told', (old: string) => `shop-${old}`, null],
  ['the version never changes', () => 'v0', null],
])('stale answers where %s', async (_, version, stale) => {
  expect((await judged(named(version))).stale).toBe(stale);
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
    expect((await judged(undefined, byCommand)).writes).toMatchObject({ lost: 0, duplicated: 0 });
  });

  it('of requests that are not looked up are not unexpected; of nobody’s they are', async () => {
    const { writes } = await judged((content) => {
      const reader = content.ledger.find(({ request }) => request === 'read')?.requestId ?? '';
      content.notes.push({ id: reader, times: 1, versions: '', writtenUs: 1 });
      content.notes.push({ id: `${reader}999`, times: 1, versions: '', writtenUs: 1 });
    }, byCommand);
    expect(writes).toMatchObject({ unexpected: 1, lost: 0 });
  });

  it.each([
    ['an expected 409 is no acknowledgment', { outcome: 'ok', status: 409 }, { lost: 0, indeterminate: 1 }],
    ['another 2xx than was expected is one', { outcome: 'status-200', status: 200 }, { lost: 1, indeterminate: 0 }],
    ['a 503 is a refusal', status(503, 4), { lost: 0, failed: 1 }],
  ] as const)('%s', async (_, over, figures) => {
    const { writes } = await judged((content) => {
      const seq = seqOf(content, 3);
      answer(seq, over, date)(content);
      content.notes = content.notes.filter(({ id }) => id !== content.ledger[seq]?.requestId);
    }, byCommand);
    expect(writes).toMatchObject(figures);
  });

  it('whose last try was refused may have been applied by one before it', async () => {
    const { writes } = await judged((content) => {
      withRetry(content);
      answer(seqOf(content, 3), status(503, 4), date)(content);
    }, byCommand);
    expect(writes).toMatchObject({ misattributed: 0, recovered: 1, failed: 0 });
  });
});

it('says so where the end of an answer does not tell whether it was whole', async () => {
  const ofProbe = (over: Partial<LedgerRow>) => (content: FolderContent) => {
    content.direct = [row(0, { requestId: '20261123T120000Z-abcd-direct-1-0', ...over })];
  };
  expect((await judged(ofProbe({}))).notes).toEqual([]);
  expect((await judged(ofProbe({ hasNoLength: true }))).notes).toEqual([
    expect.stringContaining('answers without a length'),
  ]);
});
