/** Where answers that came late had waited: a stall outside of every restart is no restart's doing. */
import type { LedgerRow } from '../run/ledger.ts';
import type { Span } from './ledger-summary.ts';
import type { Access, Site } from './request-table.ts';
import type { Verdict } from './verdict.ts';
import { askedMs } from '../run/site-requests.ts';

/** A stall: an ok answer that came this much later than the request itself asked for. */
export const stallAboveMs = 500;
/** The way to the proxy and back takes longer than this only where the proxy, or the machine, stood still. */
export const transitAboveMs = 100;
/** After a restart's at-risk span, what had queued is still being worked off. */
const aftermathUs = 1_000_000;
const mostListed = 20;

/** What the waits come to. */
export type Waits = Pick<Verdict, 'stalls' | 'transit'>;

/** Takes each row with what proxy and site say of it. */
export class WaitCount {
  private readonly spans: readonly Span[];
  private readonly hasProxy: boolean;
  private readonly originWallUs: number;
  private readonly originMonotonicUs: number;
  private count = 0;
  private readonly byPlace: Record<string, number> = {};
  private outside = 0;
  private readonly outsideRows: number[] = [];
  /** How many answers took the site so many whole milliseconds; the last holds all that took longer. */
  private readonly inSiteMs = new Uint32Array(mostInSiteMs + 1);
  private longestTransitUs: number | null = null;
  private slowTransits = 0;
  private firstSlowTransit: number | null = null;

  /**
   * @param spans the times in which a wait is a restart's doing
   * @param hasProxy false: the load met the site itself, and no log of a proxy is missing
   */
  constructor(spans: readonly Span[], originWallUs: number, originMonotonicUs: number, hasProxy: boolean) {
    this.spans = spans;
    this.hasProxy = hasProxy;
    this.originWallUs = originWallUs;
    this.originMonotonicUs = originMonotonicUs;
  }

  add(row: LedgerRow, access: Access | null, site: readonly Site[]): void {
    if (row.outcome !== 'ok' || row.sentUs === null) return;
    const answer = site.findLast(({ isCut }) => !isCut);
    const parts = (access === null && this.hasProxy) || answer === undefined ? null : this.partsOf(row, access, answer);
    if (parts !== null) {
      const inSiteMs = Math.min(mostInSiteMs, Math.floor(parts.inSiteUs / 1000));
      this.inSiteMs[inSiteMs] = (this.inSiteMs[inSiteMs] ?? 0) + 1;
    }
    if (parts !== null && this.hasProxy) {
      const transitUs = parts.toProxyUs + parts.backUs;
      this.longestTransitUs = Math.max(this.longestTransitUs ?? 0, transitUs);
      if (transitUs > transitAboveMs * 1000) {
        this.slowTransits++;
        this.firstSlowTransit ??= row.seq;
      }
    }
    const waitUs = row.doneUs - row.dueUs - askedMs(row.path) * 1000;
    if (waitUs <= stallAboveMs * 1000) return;
    this.count++;
    const place = parts === null ? noPlace : placeOf(parts, this.hasProxy);
    this.byPlace[place] = (this.byPlace[place] ?? 0) + 1;
    if (this.spans.some(({ fromUs, toUs }) => row.doneUs >= fromUs && row.dueUs <= toUs + aftermathUs)) return;
    this.outside++;
    if (this.outsideRows.length < mostListed) this.outsideRows.push(row.seq);
  }

  private partsOf(row: LedgerRow, access: Access | null, { receivedUs, answeredUs }: Site): Parts {
    const sentUs = row.sentUs ?? row.dueUs;
    // Without a proxy the site comes next.
    const startUs = access === null ? sentUs : access.startWallUs - this.originWallUs;
    return {
      lateUs: sentUs - row.dueUs,
      toProxyUs: Math.max(0, startUs - sentUs),
      toSiteUs: Math.max(0, receivedUs - this.originMonotonicUs - startUs),
      inSiteUs: Math.max(0, answeredUs - receivedUs - askedMs(row.path) * 1000),
      backUs: Math.max(0, row.doneUs - (answeredUs - this.originMonotonicUs)),
    };
  }

  result(): Waits {
    return {
      stalls: {
        aboveMs: stallAboveMs,
        count: this.count,
        byPlace: this.byPlace,
        outsideRestarts: this.outside,
        outsideRows: this.outsideRows,
        medianInSiteMs: medianOf(this.inSiteMs),
      },
      transit: {
        aboveMs: transitAboveMs,
        longestMs: this.longestTransitUs === null ? null : Math.round(this.longestTransitUs) / 1000,
        slow: this.slowTransits,
        firstSlowRow: this.firstSlowTransit,
      },
    };
  }
}

/** Answers that take the site longer than this are counted as taking this long. */
const mostInSiteMs = 10_000;

/** The middle of values that were counted by whole milliseconds; null where there are none. */
function medianOf(counts: Uint32Array): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const median = counts.findIndex((count) => (below += count) * 2 >= all);
  return all === 0 ? null : median;
}

/** The parts of a request's life. */
interface Parts {
  readonly lateUs: number;
  readonly toProxyUs: number;
  readonly toSiteUs: number;
  readonly inSiteUs: number;
  readonly backUs: number;
}

/** Where a wait was of which a witness is missing. */
const noPlace = 'at a place that no witness shows';

/** The longest part, in words. */
function placeOf({ lateUs, toProxyUs, toSiteUs, inSiteUs, backUs }: Parts, hasProxy: boolean): string {
  const parts: [number, string][] = [
    [
      toSiteUs,
      `between the ${hasProxy ? 'proxy' : 'client'} and the site: in the queue of its port, or on a port that was closed`,
    ],
    [inSiteUs, 'in the site'],
    [toProxyUs, 'on the way to the proxy'],
    [backUs, 'on the way back'],
    [lateUs, 'in the generator'],
  ];
  return parts.reduce((longest, part) => (part[0] > longest[0] ? part : longest))[1];
}
