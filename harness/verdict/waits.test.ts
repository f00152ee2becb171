import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import type { Access, Site } from './request-table.ts';
import { row } from './testing.ts';
import type { Verdict } from './verdict.ts';
import { WaitCount, type Waits } from './waits.ts';

const originWallUs = 5_000_000;
const originMonotonicUs = 2_000_000;

/** When a request due at 0 was sent, reached the proxy and the site, was answered, and was done; on the run's axis. */
type Life = readonly [sentUs: number, proxyUs: number, receivedUs: number, answeredUs: number, doneUs: number];

interface Told {
  row: LedgerRow;
  access: Access;
  site: Site;
}

function told([sentUs, proxyUs, receivedUs, answeredUs, doneUs]: Life, over: Partial<LedgerRow> = {}): Told {
  const dueUs = over.dueUs ?? 0;
  const common = { method: 'GET', path: '/', status: 200, version: 'v0' };
  return {
    row: row(7, { dueUs, sentUs: dueUs + sentUs, doneUs: dueUs + doneUs, ...over }),
    access: {
      ...common,
      line: 1,
      times: 1,
      bytes: 0,
      startWallUs: originWallUs + dueUs + proxyUs,
      durationUs: 0,
      hasBackend: true,
    },
    site: {
      ...common,
      line: 1,
      receivedUs: originMonotonicUs + dueUs + receivedUs,
      answeredUs: originMonotonicUs + dueUs + answeredUs,
      instance: 'i',
      bodyCrc32: null,
      code: '',
      isCut: false,
    },
  };
}

function count(
  all: readonly (Told | [LedgerRow, Access | null, readonly Site[]])[],
  spans: { fromUs: number; toUs: number }[] = [],
  hasProxy = true,
): Waits {
  const waits = new WaitCount(spans, originWallUs, originMonotonicUs, hasProxy);
  for (const one of all) {
    if ('row' in one) waits.add(one.row, one.access, [one.site]);
    else waits.add(...one);
  }
  return waits.result();
}

const stalls = (...all: Parameters<typeof count>[0]): Verdict['stalls'] => count(all).stalls;
const places = (life: Life, over: Partial<LedgerRow> = {}): string[] => Object.keys(stalls(told(life, over)).byPlace);

describe('stalls', () => {
  it('are ok answers more than 500 ms later than asked', () => {
    expect(stalls(told([0, 0, 0, 0, 500_000]))).toMatchObject({
      aboveMs: 500,
      count: 0,
      outsideRestarts: 0,
      outsideRows: [],
    });
    expect(stalls(told([0, 0, 0, 0, 500_001]))).toMatchObject({ count: 1, outsideRestarts: 1, outsideRows: [7] });
    expect(stalls(told([0, 0, 0, 300_000, 800_000], { path: '/slow?ms=300' })).count).toBe(0);
    expect(stalls(told([0, 0, 0, 300_000, 800_001], { path: '/slow?ms=300' })).count).toBe(1);
  });

  it('are no drops, and nothing that was never sent', () => {
    const late = told([0, 0, 0, 0, 900_000]);
    expect(stalls({ ...late, row: { ...late.row, outcome: 'timeout' } }).count).toBe(0);
    expect(stalls({ ...late, row: { ...late.row, sentUs: null } }).count).toBe(0);
  });

  it.each<[string, Life]>([
    ['in the generator', [600_000, 600_010, 600_020, 600_030, 600_040]],
    ['on the way to the proxy', [10, 600_000, 600_010, 600_020, 600_030]],
    [
      'between the proxy and the site: in the queue of its port, or on a port that was closed',
      [10, 20, 600_000, 600_010, 600_020],
    ],
    ['in the site', [10, 20, 30, 600_000, 600_010]],
    ['on the way back', [10, 20, 30, 40, 600_000]],
  ])('had waited %s', (place, life) => {
    expect(places(life)).toEqual([place]);
  });

  it('count as waiting in the site only what was not asked of it', () => {
    const life: Life = [10, 300_000, 300_010, 900_000, 900_020];
    expect(places(life)).toEqual(['in the site']);
    // Of the 600 ms in the site 350 were asked for: then the 300 ms before are the longest part.
    expect(places(life, { path: '/slow?ms=350' })).toEqual(['on the way to the proxy']);
  });

  it('have waited somewhere, where a witness is missing', () => {
    const { row: late, access, site } = told([10, 20, 30, 40, 600_000]);
    const all: Parameters<typeof count>[0] = [
      [late, null, [site]],
      [late, access, []],
      [late, access, [{ ...site, isCut: true }]],
    ];
    expect(stalls(...all).byPlace).toEqual({ 'at a place that no witness shows': 3 });
  });

  it('are told without a proxy by what the site says alone: its queue, or the site itself', () => {
    const lives: readonly Life[] = [
      [10, 0, 600_000, 600_010, 600_020],
      [10, 0, 20, 600_010, 600_020],
    ];
    const all = lives.map((life): [LedgerRow, null, readonly Site[]] => {
      const { row: late, site } = told(life);
      return [late, null, [site]];
    });
    const { stalls: found, transit } = count(all, [], false);
    expect(found.byPlace).toEqual({
      'between the client and the site: in the queue of its port, or on a port that was closed': 1,
      'in the site': 1,
    });
    expect(found.medianInSiteMs).toBe(0);
    expect(transit).toMatchObject({ longestMs: null, slow: 0 });
  });

  it('go by the last answer that the site gave to several tries', () => {
    const { row: late, access, site } = told([10, 20, 600_000, 600_010, 600_020]);
    const earlier = { ...site, receivedUs: site.receivedUs - 599_900, answeredUs: site.answeredUs - 599_900 };
    const cut = { ...site, receivedUs: site.receivedUs - 599_000, isCut: true };
    expect(Object.keys(stalls([late, access, [earlier, site, cut]]).byPlace)).toEqual([
      expect.stringContaining('between'),
    ]);
  });

  const outside = (dueUs: number, doneUs: number): number =>
    count([told([0, 0, 0, 0, doneUs - dueUs], { dueUs })], [{ fromUs: 5_000_000, toUs: 6_000_000 }]).stalls
      .outsideRestarts;

  it('are a restart’s doing when any part of their life lies in it, or in the second after', () => {
    expect(outside(4_000_000, 4_999_999)).toBe(1);
    expect(outside(4_000_000, 5_000_000)).toBe(0);
    expect(outside(7_000_000, 8_000_000)).toBe(0);
    expect(outside(7_000_001, 8_000_000)).toBe(1);
  });

  it('are listed up to twenty, and all counted', () => {
    const late = told([0, 0, 0, 0, 600_000]);
    const all = Array.from({ length: 25 }, (_, seq) => ({ ...late, row: { ...late.row, seq } }));
    expect(stalls(...all)).toMatchObject({
      count: 25,
      outsideRestarts: 25,
      outsideRows: Array.from({ length: 20 }, (_, seq) => seq),
    });
  });
});

describe('the way between client and proxy, and back', () => {
  it('is timed by three logs, there and back', () => {
    // 30 ms to the proxy, 20 ms back; what lies between is not part of it.
    expect(count([told([10, 30_010, 200_000, 210_000, 230_000])]).transit).toEqual({
      aboveMs: 100,
      longestMs: 50,
      slow: 0,
      firstSlowRow: null,
    });
  });

  it('is the longest of all, in whatever order they come', () => {
    const ways = [10_000, 30_000, 20_000].map((toProxyUs) => told([0, toProxyUs, 40_000, 50_000, 50_000]));
    expect(count(ways).transit.longestMs).toBe(30);
  });

  it('is slow above 100 ms, and the first such row is named', () => {
    const border = told([0, 60_000, 60_000, 60_000, 100_000]);
    const slow = (seq: number): Told => {
      const one = told([0, 60_000, 60_000, 60_000, 100_001]);
      return { ...one, row: { ...one.row, seq } };
    };
    expect(count([border]).transit).toMatchObject({ longestMs: 100, slow: 0, firstSlowRow: null });
    expect(count([slow(3), border, slow(4)]).transit).toEqual({
      aboveMs: 100,
      longestMs: 100.001,
      slow: 2,
      firstSlowRow: 3,
    });
  });

  it('is never less than nothing, where stamps of two clocks are off', () => {
    expect(count([told([500, 0, 0, 1_000, 900])]).transit.longestMs).toBe(0);
    expect(count([told([500, 0, 0, 1_000, 31_000])]).transit.longestMs).toBe(30);
  });

  it('is not known without the proxy’s line, or the site’s', () => {
    const { row: one, access, site } = told([0, 200_000, 0, 0, 0]);
    expect(
      count([
        [one, null, [site]],
        [one, access, []],
      ]).transit,
    ).toMatchObject({ longestMs: null, slow: 0 });
  });
});

describe('the time that the site takes for an answer', () => {
  const inSite = (us: number): Told => told([0, 0, 1_000, 1_000 + us, 2_000 + us]);

  it('is the middle one of all, in whole milliseconds, less what was asked for', () => {
    expect(count([900, 2_500, 451_000].map(inSite)).stalls.medianInSiteMs).toBe(2);
    const asked = told([0, 0, 1_000, 302_000, 303_000], { path: '/slow?ms=300' });
    expect(count([asked]).stalls.medianInSiteMs).toBe(1);
  });

  it('is not known without a line of the site', () => {
    expect(count([]).stalls.medianInSiteMs).toBeNull();
  });
});
