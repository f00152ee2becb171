import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { Row } from '../../run/database.ts';
import type { Ask } from '../ledger-summary.ts';
import { row, runRecord } from '../testing.ts';
import { answersOf } from '../testing-database.ts';
import {
  accessFieldsOf,
  eventsOf,
  idOf,
  linesOf,
  originMonotonicUs,
  siteLineOf,
  stampOf,
  type FolderContent,
} from '../testing-folder.ts';
import { countWaits } from '../witnesses.ts';

/** When a request was sent, reached the proxy and the site, was answered, and was done: since it was due. */
type Life = readonly [sentUs: number, proxyUs: number, receivedUs: number, answeredUs: number, doneUs: number];

interface Told {
  readonly life: Life;
  readonly row?: Partial<LedgerRow>;
  readonly without?: 'access' | 'site';
  readonly isCut?: true;
}

/** Each is due a minute after the one before, but where its row says otherwise. */
function contentOf(all: readonly Told[], over: Partial<FolderContent> = {}): FolderContent {
  const content = linesOf({ timeline: [], ...over });
  for (const [seq, { life, row: some, without, isCut }] of all.entries()) {
    const [sentUs, proxyUs, receivedUs, answeredUs, doneUs] = life;
    const dueUs = some?.dueUs ?? (seq + 1) * 60_000_000;
    const one = row(seq, { requestId: idOf(seq), dueUs, sentUs: dueUs + sentUs, doneUs: dueUs + doneUs, ...some });
    content.ledger.push(one);
    const stamps = { StartUTC: stampOf(dueUs + proxyUs), Duration: 0 };
    if (without !== 'access') content.access?.push(accessFieldsOf(one, stamps));
    const read = {
      receivedUs: originMonotonicUs + dueUs + receivedUs,
      answeredUs: originMonotonicUs + dueUs + answeredUs,
    };
    if (without !== 'site') content.site?.push(siteLineOf(one, { ...read, ...(isCut && { outcome: 'cut' }) }));
  }
  return { ...content, run: { ...content.run, durationMs: (all.length + 2) * 60_000 } };
}

const direct = { run: runRecord(resolveExperiment(e1, { variant: 'direct', changes: [] })), access: null };

async function stallsOf(all: readonly Told[], over: Partial<FolderContent> = {}): Promise<Row[]> {
  const [stalls] = await answersOf(contentOf(all, over), 'stalls');
  return stalls;
}

describe('stalls', () => {
  const queue = 'the site: in the queue of its port, or on a port that was closed';
  const nowhere = 'at a place that no witness shows';

  it('are ok answers more than 500 ms later than asked, each with the place where it waited longest', async () => {
    const lateAtEnd: Life = [10, 20, 30, 40, 600_000];
    const asked = { path: '/slow?ms=300' };
    const cases: [Told, place: string | null][] = [
      [{ life: [0, 0, 0, 0, 500_000] }, null],
      [{ life: [0, 0, 0, 0, 500_001] }, 'on the way back'],
      [{ life: [0, 0, 0, 300_000, 800_000], row: asked }, null],
      [{ life: [0, 0, 0, 300_000, 800_001], row: asked }, 'on the way back'],
      [{ life: lateAtEnd, row: { outcome: 'timeout' } }, null],
      [{ life: lateAtEnd, row: { sentUs: null } }, null],
      [{ life: [600_000, 600_010, 600_020, 600_030, 600_040] }, 'in the generator'],
      [{ life: [10, 600_000, 600_010, 600_020, 600_030] }, 'on the way to the proxy'],
      [{ life: [10, 20, 600_000, 600_010, 600_020] }, `between the proxy and ${queue}`],
      [{ life: [10, 20, 30, 600_000, 600_010] }, 'in the site'],
      [{ life: lateAtEnd }, 'on the way back'],
      // Of the 600 ms in the site 350 were asked for: then the 300 ms before are the longest part.
      [{ life: [10, 300_000, 300_010, 900_000, 900_020] }, 'in the site'],
      [{ life: [10, 300_000, 300_010, 900_000, 900_020], row: { path: '/slow?ms=350' } }, 'on the way to the proxy'],
      [{ life: lateAtEnd, without: 'access' }, nowhere],
      [{ life: lateAtEnd, without: 'site' }, nowhere],
      [{ life: lateAtEnd, isCut: true }, nowhere],
    ];
    const found = await stallsOf(cases.map(([told]) => told));
    expect(found.map(({ seq, waitedAt }) => [seq, waitedAt])).toEqual(
      cases.flatMap(([, place], seq) => (place === null ? [] : [[seq, place]])),
    );
  });

  it('are told without a proxy by what the site says alone: its queue, or the site itself', async () => {
    const found = await stallsOf(
      [{ life: [10, 0, 600_000, 600_010, 600_020] }, { life: [10, 0, 20, 600_010, 600_020] }],
      direct,
    );
    expect(found.map(({ waitedAt }) => waitedAt)).toEqual([`between the client and ${queue}`, 'in the site']);
  });

  it('go by the last answer that the site gave to several tries', async () => {
    const content = contentOf([{ life: [10, 20, 600_000, 600_010, 600_020] }]);
    const [last] = content.site ?? [];
    if (last === undefined) throw new Error('no line');
    const earlier = { ...last, receivedUs: last.receivedUs - 599_900, answeredUs: last.answeredUs - 599_900 };
    content.site = [earlier, last, { ...last, receivedUs: last.receivedUs - 599_000, outcome: 'cut' }];
    const [found] = await answersOf(content, 'stalls');
    expect(found.map(({ waitedAt }) => waitedAt)).toEqual([`between the proxy and ${queue}`]);
  });

  it('are a restart’s doing when any part of their life lies in it, or in the second after', async () => {
    // At risk from 5 s to 6 s.
    const restart = eventsOf({
      deployBeginUs: 5_000_000,
      retireUs: 5_000_000,
      sigtermUs: 5_000_000,
      acceptStoppedUs: 5_100_000,
      exitUs: 5_200_000,
      deployEndUs: 5_300_000,
      acceptingUs: 5_900_000,
      readyUs: 6_000_000,
    });
    const told = (dueUs: number, doneUs: number): Told => ({ life: [0, 0, 0, 0, doneUs - dueUs], row: { dueUs } });
    const all = [
      told(4_000_000, 4_999_999),
      told(4_000_000, 5_000_000),
      told(7_000_000, 8_000_000),
      told(7_000_001, 8_000_000),
    ];
    const found = await stallsOf(all, { timeline: restart });
    expect(found.map(({ isOfRestart }) => isOfRestart)).toEqual([false, true, true, false]);
  });

  it('are a restart’s doing where a process that nobody had told to end made them wait', async () => {
    const timeline = [
      { atUs: 450_000, kind: 'main-exited', source: 'journal', restart: 0 },
      { atUs: 900_000, kind: 'accepting', source: 'app', restart: 0 },
    ] as const;
    const found = await stallsOf([{ life: [0, 0, 0, 0, 590_000], row: { dueUs: 400_000 } }], {
      timeline: [...timeline],
    });
    expect(found).toMatchObject([{ isOfRestart: true }]);
  });
});

describe('what the waits come to', () => {
  const answered =
    (answers: Readonly<Record<string, readonly object[]>>): Ask =>
    async (name) =>
      Promise.resolve((answers[name] ?? []) as never);

  it('lists twenty stalls outside of restarts, and counts all', async () => {
    const stalls = Array.from({ length: 25 }, (_, seq) => ({ seq, waitedAt: seq < 3 ? 'a' : 'b', isOfRestart: false }));
    const own = { seq: 99, waitedAt: 'b', isOfRestart: true };
    const waits = await countWaits(answered({ stalls: [...stalls, own], 'time-in-site': [{ medianMs: 2 }] }));
    expect(waits).toEqual({
      stalls: {
        aboveMs: 500,
        count: 26,
        byPlace: { a: 3, b: 23 },
        outsideRestarts: 25,
        outsideRows: Array.from({ length: 20 }, (_, seq) => seq),
        medianInSiteMs: 2,
      },
      transit: { aboveMs: 100, longestMs: null, slow: 0, firstSlowRow: null },
    });
  });

  it('has the way in milliseconds', async () => {
    const { transit } = await countWaits(answered({ transit: [{ longestUs: 100_001, slow: 2, firstSlow: 3 }] }));
    expect(transit).toEqual({ aboveMs: 100, longestMs: 100.001, slow: 2, firstSlowRow: 3 });
  });
});

describe('the way between client and proxy, and back', () => {
  const transitOf = async (all: readonly Told[], over: Partial<FolderContent> = {}): Promise<Row | undefined> => {
    const [[found]] = await answersOf(contentOf(all, over), 'transit');
    return found;
  };

  it('is timed by three logs, there and back, and the longest of all is told', async () => {
    // 30 ms to the proxy, 20 ms back; what lies between is not part of it.
    const all: Told[] = [
      { life: [0, 10_000, 40_000, 50_000, 50_000] },
      { life: [10, 30_010, 200_000, 210_000, 230_000] },
    ];
    expect(await transitOf(all)).toEqual({ longestUs: 50_000, slow: 0, firstSlow: null });
    // Stamps of two clocks are off: less than nothing is nothing.
    expect(await transitOf([{ life: [500, 0, 0, 1_000, 900] }, { life: [500, 0, 0, 1_000, 31_000] }])).toMatchObject({
      longestUs: 30_000,
    });
  });

  it('is slow above 100 ms, and the first such row is named', async () => {
    const slow: Told = { life: [0, 60_000, 60_000, 60_000, 100_001] };
    const found = await transitOf([{ life: [0, 60_000, 60_000, 60_000, 100_000] }, slow, slow]);
    expect(found).toEqual({ longestUs: 100_001, slow: 2, firstSlow: 1 });
  });

  it('is not known without the proxy’s line, or the site’s, or a proxy', async () => {
    const unknown = { longestUs: null, slow: 0, firstSlow: null };
    const life: Life = [0, 200_000, 200_000, 200_000, 400_000];
    expect(
      await transitOf([
        { life, without: 'access' },
        { life, without: 'site' },
      ]),
    ).toEqual(unknown);
    expect(await transitOf([{ life }], direct)).toEqual(unknown);
  });
});

describe('the time that the site takes for an answer', () => {
  const medianOf = async (all: readonly Told[]): Promise<unknown> => {
    const [[found]] = await answersOf(contentOf(all), 'time-in-site');
    return found?.['medianMs'];
  };
  const inSite = (us: number): Told => ({ life: [0, 0, 1_000, 1_000 + us, 2_000 + us] });

  it('is the middle one of all, in whole milliseconds, less what was asked for', async () => {
    expect(await medianOf([900, 2_500, 451_000].map(inSite))).toBe(2);
    expect(await medianOf([{ life: [0, 0, 1_000, 302_000, 303_000], row: { path: '/slow?ms=300' } }])).toBe(1);
    expect(await medianOf([])).toBeNull();
  });
});
