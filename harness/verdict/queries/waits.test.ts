import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e17 from '../../../experiments/E17-proxy.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import type { Ask } from '../ledger-summary.ts';
import { row, runRecord } from '../testing.ts';
import { sharedLedgers } from '../testing-database.ts';
import {
  accessFieldsOf,
  event,
  eventsOf,
  idOf,
  linesOf,
  originMonotonicUs,
  siteLineOf,
  stampOf,
  type FolderContent,
} from '../testing-folder.ts';
import type { QueryName } from './all.ts';
import { countWaits } from '../witnesses.ts';

/** When a request was sent, reached the proxy and the site, was answered, and was done: since it was due. */
type Life = readonly [sentUs: number, proxyUs: number, receivedUs: number, answeredUs: number, doneUs: number];

interface Told {
  readonly life: Life;
  readonly row?: Partial<LedgerRow>;
  readonly isUnknownToProxy?: true;
  /** What the site has in place of its line. */
  readonly site?: (line: SiteLine) => SiteLine[];
}

/** A run whose requests are each due a minute after the one before, but where a row says otherwise. */
function runOf(over: Partial<FolderContent>) {
  const content = linesOf(over);
  let count = 0;
  const durationMs = (): number => (count + 2) * 60_000;
  const ledgers = sharedLedgers(() => ({ ...content, run: { ...content.run, durationMs: durationMs() } }));
  const rowOf = ({ life, row: some, isUnknownToProxy, site = (line) => [line] }: Told): LedgerRow => {
    const seq = count++;
    const dueUs = some?.dueUs ?? (seq + 1) * 60_000_000;
    const [sentUs, proxyUs, receivedUs, answeredUs, doneUs] = life;
    const one = row(seq, { requestId: idOf(seq), dueUs, sentUs: dueUs + sentUs, doneUs: dueUs + doneUs, ...some });
    const stamps = { StartUTC: stampOf(dueUs + proxyUs), Duration: 0 };
    if (isUnknownToProxy !== true) content.access?.push(accessFieldsOf(one, stamps));
    const zeroUs = originMonotonicUs + dueUs;
    const line = siteLineOf(one, { receivedUs: zeroUs + receivedUs, answeredUs: zeroUs + answeredUs });
    content.site?.push(...site(line));
    return one;
  };
  /** Takes requests in, while tests are collected; gives what a query answers of them alone. */
  return (name: QueryName, all: readonly Told[]) => {
    const found = ledgers.answers(name, [{ rows: all.map(rowOf) }]);
    return async () => (await found())[0] ?? [];
  };
}

const unplanned = { source: 'journal', restart: 0 } as const;
const answersOf = runOf({
  timeline: [
    event('main-exited', 450_000, unplanned),
    event('accepting', 900_000, unplanned),
    // At risk from 5 s to 6 s.
    ...eventsOf({
      deployBeginUs: 5_000_000,
      retireUs: 5_000_000,
      sigtermUs: 5_000_000,
      acceptStoppedUs: 5_100_000,
      exitUs: 5_200_000,
      deployEndUs: 5_300_000,
      acceptingUs: 5_900_000,
      readyUs: 6_000_000,
    }),
  ],
});
const directAnswersOf = runOf({
  run: runRecord(resolveExperiment(e1, { variant: 'direct', changes: [] })),
  access: null,
});
/** The proxy itself leaves at 5 s, and has its routes again at 6 s. */
const proxyAnswersOf = runOf({
  run: runRecord(resolveExperiment(e17, { changes: [] })),
  timeline: eventsOf({ deployBeginUs: 5_000_000, retireUs: 5_000_000, readyUs: 6_000_000, exitUs: 5_200_000 }),
});

describe('stalls', () => {
  const queue = 'the site: in the queue of its port, or on a port that was closed';
  const nowhere = 'at a place that no witness shows';
  const lateAtEnd: Life = [10, 20, 30, 40, 600_000];
  const asked = { path: '/slow?ms=300' };
  const places: [Told, place: string | null][] = [
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
    [{ life: lateAtEnd, isUnknownToProxy: true }, nowhere],
    [{ life: lateAtEnd, site: () => [] }, nowhere],
    [{ life: lateAtEnd, site: (line) => [{ ...line, outcome: 'cut' }] }, nowhere],
  ];
  const late = answersOf(
    'stalls',
    places.map(([told]) => told),
  );
  it('are ok answers more than 500 ms later than asked, each with the place where it waited longest', async () => {
    expect((await late()).map(({ seq, waitedAt }) => [seq, waitedAt])).toEqual(
      places.flatMap(([, place], seq) => (place === null ? [] : [[seq, place]])),
    );
  });

  const direct = directAnswersOf('stalls', [
    { life: [10, 0, 600_000, 600_010, 600_020] },
    { life: [10, 0, 20, 600_010, 600_020] },
  ]);
  it('are told without a proxy by what the site says alone: its queue, or the site itself', async () => {
    const found = (await direct()).map(({ waitedAt }) => waitedAt);
    expect(found).toEqual([`between the client and ${queue}`, 'in the site']);
  });

  const earlier = (line: SiteLine, byUs: number): SiteLine => {
    return { ...line, receivedUs: line.receivedUs - byUs, answeredUs: line.answeredUs - byUs };
  };
  const tried = answersOf('stalls', [
    {
      life: [10, 20, 600_000, 600_010, 600_020],
      site: (line) => [
        earlier(line, 599_900),
        line,
        { ...line, receivedUs: line.receivedUs - 599_000, outcome: 'cut' },
      ],
    },
  ]);
  it('go by the last answer that the site gave to several tries', async () => {
    expect(await tried()).toMatchObject([{ waitedAt: `between the proxy and ${queue}` }]);
  });

  const from = (dueUs: number, doneUs: number): Told => ({ life: [0, 0, 0, 0, doneUs - dueUs], row: { dueUs } });
  const besideRestart = answersOf('stalls', [
    from(4_000_000, 4_999_999),
    from(4_000_000, 5_000_000),
    from(7_000_000, 8_000_000),
    from(7_000_001, 8_000_000),
  ]);
  it('are a restart’s doing when any part of their life lies in it, or in the second after', async () => {
    expect((await besideRestart()).map(({ isOfRestart }) => isOfRestart)).toEqual([false, true, true, false]);
  });

  const besideEnd = answersOf('stalls', [from(400_000, 990_000)]);
  it('are a restart’s doing where a process that nobody had told to end made them wait', async () => {
    expect(await besideEnd()).toMatchObject([{ isOfRestart: true }]);
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
    const waits = await countWaits(answered({ stalls: [...stalls, own], 'answer-parts': [{ medianInSiteMs: 2 }] }));
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
    const { transit } = await countWaits(
      answered({ 'answer-parts': [{ longestTransitUs: 100_001, slowTransits: 2, firstSlow: 3 }] }),
    );
    expect(transit).toEqual({ aboveMs: 100, longestMs: 100.001, slow: 2, firstSlowRow: 3 });
  });
});

describe('the way between client and proxy, and back', () => {
  const slow: Told = { life: [0, 60_000, 60_000, 60_000, 100_001] };
  const beyond: Life = [0, 200_000, 200_000, 200_000, 400_000];
  const unknown = { longestTransitUs: null, slowTransits: 0, firstSlow: null };
  const cases: [title: string, found: () => Promise<unknown>, expected: object][] = [
    [
      // 30 ms to the proxy, 20 ms back; what lies between is not part of it.
      'is timed by three logs, there and back, and the longest of all is told',
      answersOf('answer-parts', [
        { life: [0, 10_000, 40_000, 50_000, 50_000] },
        { life: [10, 30_010, 2e5, 21e4, 23e4] },
      ]),
      { longestTransitUs: 50_000, slowTransits: 0, firstSlow: null },
    ],
    [
      'is nothing where the stamps of two clocks make it less than nothing',
      answersOf('answer-parts', [{ life: [500, 0, 0, 1_000, 900] }, { life: [500, 0, 0, 1_000, 31_000] }]),
      { longestTransitUs: 30_000 },
    ],
    [
      'is slow above 100 ms, and the first such row is named',
      answersOf('answer-parts', [{ life: [0, 60_000, 60_000, 60_000, 100_000] }, slow, slow]),
      // Behind the 22 of the tests before, and four of these: the second of its own.
      { longestTransitUs: 100_001, slowTransits: 2, firstSlow: 27 },
    ],
    [
      'is not known without the proxy’s line, or the site’s',
      answersOf('answer-parts', [
        { life: beyond, isUnknownToProxy: true },
        { life: beyond, site: () => [] },
      ]),
      unknown,
    ],
    [
      // Due at 5.5 s; the second is due two seconds after the end, with nothing left to work off.
      'is no doubt where the proxy itself was restarted meanwhile, and one at any other time',
      proxyAnswersOf('answer-parts', [
        { life: beyond, row: { dueUs: 5_500_000 } },
        { ...slow, row: { dueUs: 8_000_000 } },
      ]),
      { longestTransitUs: 100_001, slowTransits: 1, firstSlow: 1 },
    ],
    ['is not known without a proxy', directAnswersOf('answer-parts', [{ life: beyond }]), unknown],
  ];
  it.each(cases)('%s', async (_, found, expected) => {
    expect(await found()).toMatchObject([expected]);
  });
});

describe('the time that the site takes for an answer', () => {
  const inSite = (us: number): Told => ({ life: [0, 0, 1_000, 1_000 + us, 2_000 + us] });
  const medians = [
    answersOf('answer-parts', [900, 2_500, 451_000].map(inSite)),
    answersOf('answer-parts', [{ life: [0, 0, 1_000, 302_000, 303_000], row: { path: '/slow?ms=300' } }]),
    answersOf('answer-parts', []),
  ];
  it('is the middle one of all, in whole milliseconds, less what was asked for', async () => {
    const found = await Promise.all(medians.map((median) => median()));
    expect(found).toMatchObject([[{ medianInSiteMs: 2 }], [{ medianInSiteMs: 1 }], [{ medianInSiteMs: null }]]);
  });
});

describe('the longest wait apart from restarts', () => {
  const from = (dueUs: number, doneUs: number, outcome: LedgerRow['outcome'] = 'ok'): Told => {
    return { life: [0, 0, 0, 0, doneUs - dueUs], row: { dueUs, outcome } };
  };
  const apart = answersOf('longest-apart', [
    from(4_000_000, 4_200_000),
    from(4_000_000, 5_000_000),
    from(7_000_000, 8_000_000),
    from(7_000_001, 7_300_001),
    from(8_000_000, 9_000_000, 'wrong'),
  ]);
  it('is that of an ok answer of which no part lies in one, or in the second after', async () => {
    expect(await apart()).toEqual([{ longestUs: 300_000 }]);
  });
});
