/** Held connections, from the lines of their file to the verdict. */
import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HoldRow } from '../../run/files/holds.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import { restartsOfEnds, type HoldEvidence } from './count-holds.ts';
import { readEvidence, type Evidence } from '../evidence.ts';
import { heldText } from './held-text.ts';
import { verdictOf } from '../judge.ts';
import { row, serviceRecord } from '../testing.ts';
import { answersOf } from '../testing-database.ts';
import { event, linesOf, writeFolder, type FolderContent } from '../testing-folder.ts';

const ms = 1000;
const life = (over: Partial<HoldRow>): HoldRow => ({
  holder: 1,
  generation: 1,
  kind: 'sse',
  begunUs: 100,
  openedUs: 200,
  messages: 1,
  bytes: 9,
  lastMessageUs: 300,
  endedUs: 2_999_000,
  ending: 'end-of-load',
  error: null,
  ...over,
});
const refusedTry = (over: Partial<HoldRow>): HoldRow =>
  life({
    openedUs: null,
    messages: 0,
    bytes: 0,
    lastMessageUs: null,
    ending: 'refused',
    error: 'ECONNREFUSED, connect',
    ...over,
  });

/** A slot every 10 ms for 3 s; those from 1.2 s to 1.6 s are refused. Each is answered 2 ms after it was due. */
const ledger = ({ kept = false, backUs = 1_600 * ms }: { kept?: boolean; backUs?: number } = {}): LedgerRow[] =>
  Array.from({ length: 300 }, (_, seq) => {
    const dueUs = seq * 10 * ms;
    const isRefused = dueUs >= 1_200 * ms && dueUs < backUs;
    const connection = kept ? ({ connection: 'kept', connectedUs: null } as const) : { connection: 'new' as const };
    const answered = {
      ...connection,
      sentUs: dueUs,
      doneUs: dueUs + 2 * ms,
      ...(!kept && { connectedUs: dueUs + ms }),
    };
    const failed = { outcome: 'refused', status: null, error: 'ECONNREFUSED, connect', connectedUs: null } as const;
    return row(seq, { ...answered, ...(isRefused && { ...failed, firstByteUs: null, bodyCrc32: null }) });
  });
/** A command from 1 s to 2 s, after which the service is steady. */
const deploy: TimelineEvent[] = [
  event('deploy-begin', 1_000 * ms),
  event('deploy-end', 2_000 * ms),
  event('steady', 2_000 * ms),
];
const hold = { count: 1, kind: 'sse', path: '/events', maxCut: null } as const;
const runOf = (held: ServiceRun['held'], over: Partial<ServiceRun['service']> = {}): ServiceRun => ({
  ...serviceRecord({ hold, ...over }),
  ...(held !== undefined && { held }),
});
const contentOf = (over: Partial<FolderContent>): FolderContent =>
  linesOf({ run: runOf(undefined), timeline: deploy, ledger: ledger(), ...over });

/** The steps of lives that ended at these moments, ms. */
async function stepsOf(endedMs: readonly number[], over: Partial<FolderContent> = {}): Promise<unknown[]> {
  const holds = endedMs.map((at, index) =>
    life({ holder: index + 1, endedUs: at * ms, ending: 'fin', error: 'FIN, open' }),
  );
  const [rows] = await answersOf(contentOf({ holds, ...over }), 'select restart, step from held order by holder');
  return rows.map(({ restart, step }) => `${String(restart)} ${String(step)}`);
}

describe('the step in which a held connection ended', () => {
  it('follows from the command and from the requests that were refused', async () => {
    // The last request before was taken at 1191 ms; the first after was answered at 1602 ms.
    expect(await stepsOf([999, 1_000, 1_191, 1_192, 1_300, 1_602, 1_603, 2_000, 2_001])).toEqual([
      '0 before-command',
      '1 accepting',
      '1 accepting',
      '1 refusing',
      '1 refusing',
      '1 refusing',
      '1 answering-again',
      '1 answering-again',
      '1 after-command',
    ]);
  });

  it('is while it accepted, or after the command, where no request was refused', async () => {
    const all = ledger().map((one) => row(one.seq, { connection: 'new' }));
    expect(await stepsOf([1_500, 2_500], { ledger: all })).toEqual(['1 accepting', '1 after-command']);
  });

  it('is told by kept connections where there are no others, and by no end where none is answered again', async () => {
    expect(await stepsOf([1_190, 1_191, 1_602, 1_603], { ledger: ledger({ kept: true }) })).toEqual([
      '1 accepting',
      '1 refusing',
      '1 refusing',
      '1 answering-again',
    ]);
    const gone = ledger({ backUs: Infinity });
    expect(await stepsOf([2_900], { ledger: gone, timeline: deploy.slice(0, 2) })).toEqual(['1 refusing']);
  });

  it('belongs to the restart that began last', async () => {
    const again = event('deploy-begin', 2_500 * ms, { restart: 2 });
    expect(await stepsOf([2_499, 2_500], { timeline: [...deploy, again] })).toEqual(['1 after-command', '2 accepting']);
  });
});

describe('the verdict of held connections', () => {
  const lives = [
    life({ endedUs: 1_100 * ms, ending: 'cut', error: 'ECONNRESET, open' }),
    refusedTry({ generation: 2, begunUs: 1_250 * ms, endedUs: 1_251 * ms }),
    life({ generation: 3, begunUs: 1_700 * ms, openedUs: 1_750 * ms, lastMessageUs: 1_760 * ms }),
    life({ holder: 2, endedUs: 1_250 * ms, ending: 'close-frame', closeCode: 1001 }),
  ];
  const counts = { lives: 4, opened: 3, endedByService: 2 };
  const run = runOf(counts, { maxDropped: 1_000 });
  let evidence: Evidence & { readonly holds: HoldEvidence };
  beforeAll(async () => {
    const folder = await writeFolder(contentOf({ run, holds: lives }), { isOfOneTest: false });
    const read = await readEvidence(folder);
    await rm(folder, { recursive: true });
    evidence = { ...read, holds: read.holds ?? expect.fail('no held connections') };
  });
  const judged = (over: { run?: ServiceRun; holds?: Partial<HoldEvidence> } = {}) =>
    verdictOf({ ...evidence, run: over.run ?? run, holds: { ...evidence.holds, ...over.holds } });

  it('counts how they ended, when, and how long until they were back', () => {
    const { holds, verdict } = judged();
    const ends = {
      ended: 2,
      byEnding: { cut: 1, 'close-frame': 1 },
      cut: 1,
      closeCodes: { '1001': 1 },
      byStep: { accepting: 1, refusing: 1 },
      longestBackMs: 650,
      notBack: 1,
    };
    expect(holds).toEqual({
      ...{ kind: 'sse', path: '/events', connections: 1, lives: 4, opened: 3, messages: 3, bytes: 27 },
      ...ends,
      failedTries: { refused: 1 },
      perRestart: [{ restart: 1, open: 2, ...ends }],
    });
    expect(heldText(holds ?? expect.fail('none'))).toBe(
      'The service ended one of 1 held connection (sse) 2 times: 1 close frame 1001, 1 cut in the middle of a message; ' +
        '1 while it still accepted, 1 while it refused. Open again after 650 ms at most. 1 not open again before the load ended.',
    );
    expect(verdict).toBe('pass');
  });

  it('are a change that was seen, where they are meant to stay', () => {
    const of = (kind: 'sse' | 'idle') => ({ ...evidence.holds, verdict: { ...evidence.holds.verdict, kind } });
    expect([...restartsOfEnds(of('sse'))]).toEqual([1]);
    expect([...restartsOfEnds(of('idle'))]).toEqual([]);
  });

  it('fails where more were cut than --max-cut allows', () => {
    const limited = (maxCut: number) =>
      judged({ run: { ...run, service: { ...run.service, hold: { ...hold, maxCut } } } });
    expect(limited(1).verdict).toBe('pass');
    expect(limited(0)).toMatchObject({
      verdict: 'fail',
      headline: '1 held connections cut in the middle of a message',
    });
  });

  it('tells of one that got ten messages a second and then none until the load ended, and of no other', async () => {
    const silent = life({ openedUs: 200 * ms, messages: 12, lastMessageUs: 1_400 * ms });
    const others: Partial<HoldRow>[] = [
      // It got them until its end; never many; several when it opened; and was ended by the service.
      { lastMessageUs: 2_900 * ms },
      { messages: 2 },
      { lastMessageUs: 300 * ms },
      { ending: 'fin', error: 'FIN, open' },
    ];
    const holds = [silent, ...others.map((over, index) => ({ ...silent, holder: index + 2, ...over }))];
    const { notes } = verdictOf(await readEvidence(await writeFolder(contentOf({ holds }))));
    const told = notes.filter((note) => note.includes('got no message'));
    expect(told).toEqual([expect.stringMatching(/^1 held connection got no message in the last 1\.6 s/u)]);
  });

  it('is left out where none was held', () => {
    expect(verdictOf({ ...evidence, holds: null }).holds).toBeUndefined();
  });

  it.each<[string, Parameters<typeof judged>[0], string]>([
    ['is missing', { holds: { isThere: false } }, 'holds.ndjson.gz is missing'],
    [
      'has fewer rows',
      { holds: { counts: { ...counts, lives: 3, messages: 0, bytes: 0, outOfOrder: 0 } } },
      'has 3 lives, 3 of them open and 2 ended by the service; run.json says 4, 3 and 2.',
    ],
    [
      'has lives that do not follow',
      { holds: { counts: { ...counts, messages: 0, bytes: 0, outOfOrder: 1 } } },
      '1 lives that do not follow',
    ],
    [
      'has another number of cut ones',
      { run: runOf({ ...counts, cut: 2 }, { maxDropped: 1_000 }) },
      'has 1 that were cut; run.json says 2.',
    ],
    ['is not told of in run.json', { run: runOf(undefined, { maxDropped: 1_000 }) }, 'run.json says nothing of them'],
  ])('is none of a file that %s', (_, over, sentence) => {
    const { verdict, reasons } = judged(over);
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([expect.stringContaining(sentence)]);
    expect(reasons[0]).toMatch(/\[holds-disagree\]$/u);
  });

  it('sees a life that is missing between two, and two that are open at once', async () => {
    const [first = life({}), second = life({}), third = life({}), other = life({})] = lives;
    const missing = [first, third].map((one) => ({ ...one, holder: 11 }));
    const atOnce = [12, 13].flatMap((holder) =>
      [first, { ...second, begunUs: 1_050 * ms }].map((one) => ({ ...one, holder })),
    );
    const holds = [first, second, third, other, ...missing, ...atOnce];
    const [[totals]] = await answersOf(contentOf({ holds }), 'hold-totals');
    // One is missing; twice two are open at once.
    expect(totals?.['outOfOrder']).toBe(1 + 2);
  });

  it('is none where nothing was ever held', () => {
    const { counts: all, verdict: of } = evidence.holds;
    const { verdict, headline, reasons } = judged({
      run: runOf({ ...counts, opened: 0 }, { maxDropped: 1_000 }),
      holds: { counts: { ...all, opened: 0 }, verdict: { ...of, failedTries: { 'status 404': 2 } } },
    });
    expect([verdict, headline]).toEqual(['inconclusive', 'no connection was held']);
    expect(reasons[0]).toContain(
      'None of 1 connections was ever held at /events (2 × status 404; ECONNREFUSED, connect)',
    );
  });
});
