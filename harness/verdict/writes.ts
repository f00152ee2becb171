/**
 * What became of the writes: what the client was told, beside what the database holds once every process has stopped.
 * The words are Jepsen's: a write is acknowledged, failed (surely not applied), or indeterminate.
 */
import { crc32 } from 'node:zlib';
import { isOwnFault, type LedgerRow, type Outcome } from '../run/ledger.ts';
import { IdSet } from './id-set.ts';
import type { Site, SiteLine } from './request-table.ts';
import { slotOf } from './site-columns.ts';
import type { WritesVerdict } from './verdict.ts';
import { noteText } from '../run/site-requests.ts';
import type { DatabaseState, StoredNote } from '../run/notes.ts';

/** Ids that a report names, of each kind. */
const mostExamples = 10;

/** What the client knows of a write. */
export type WriteOutcome = 'acknowledged' | 'failed' | 'indeterminate';

/**
 * Failed is only what cannot have been applied: no connection, no backend (503, which is also how the site says that
 * SQLite refused), no route (404). A 502 may have been written before the connection died: indeterminate, unless the
 * proxy's own log shows that its only try was refused.
 */
export function writeOutcome(outcome: Outcome): WriteOutcome {
  if (outcome === 'ok' || outcome === 'wrong') return 'acknowledged';
  return isOwnFault(outcome) || neverApplied.has(outcome) ? 'failed' : 'indeterminate';
}

const neverApplied: ReadonlySet<Outcome> = new Set<Outcome>([
  'refused',
  'connect-timeout',
  'unreachable',
  'status-503',
  'status-404',
]);

/** Takes the ledger's rows, and compares its writes with the notes that are stored. */
export class WriteCheck {
  /** Those left are the ones that no row has asked for. */
  private readonly stored: IdSet;
  private readonly counts = { acknowledged: 0, failed: 0, indeterminate: 0 };
  private readonly lost: string[] = [];
  private readonly early: string[] = [];
  private readonly altered: string[] = [];
  private readonly misattributed: string[] = [];
  private recovered = 0;
  private readonly state: DatabaseState;
  private readonly prefix: string;
  private readonly duplicated: string[] = [];
  /** When each slot's write was written (CLOCK_MONOTONIC); 0 where none was. */
  private readonly writtenUs: Float64Array;

  /**
   * @param of what the ids of this load's writes begin with (the slot's number follows it), and how many slots there are
   */
  constructor(state: DatabaseState, of: { readonly idPrefix: string; readonly slots: number }) {
    this.state = state;
    this.prefix = of.idPrefix;
    this.stored = new IdSet(of.idPrefix);
    this.writtenUs = new Float64Array(of.slots);
  }

  /** What is stored comes first, then the rows. */
  addStored({ id, times, writtenUs, textCrc32s }: StoredNote): void {
    if (!id.startsWith(this.prefix)) return;
    const isNew = this.stored.add(id);
    // The file has each id once, with how often the database has it.
    if (times !== 1 || !isNew) this.duplicated.push(id);
    if (textCrc32s !== undefined && textCrc32s !== String(crc32(noteText(id)))) this.altered.push(id);
    const seq = slotOf(id, this.prefix, this.writtenUs.length);
    if (seq !== null) this.writtenUs[seq] = writtenUs;
  }

  /**
   * @param site the site's own lines of it
   * @param wasRefused a witness shows that the request never reached a backend
   */
  add({ seq, method, path, requestId, outcome, status }: LedgerRow, site: readonly Site[], wasRefused = false): void {
    if (method !== 'POST' || path !== '/notes') return;
    const isStored = this.stored.take(requestId);
    const known = wasRefused ? 'failed' : writeOutcome(outcome);
    this.counts[known]++;
    if (known === 'acknowledged' && !isStored) this.lost.push(requestId);
    if (known === 'acknowledged' && isStored) {
      // Stamped by one process, or by two on one clock: who commits before it answers never has them in this order.
      const answered = site.findLast((line) => !line.isCut && line.status === status);
      if (answered !== undefined && (this.writtenUs[seq] ?? 0) > answered.answeredUs) this.early.push(requestId);
    }
    if (known === 'failed' && isStored) this.misattributed.push(requestId);
    if (known === 'indeterminate' && isStored) this.recovered++;
  }

  result(): Omit<WritesVerdict, 'busy'> {
    return {
      ...this.counts,
      recovered: this.recovered,
      lost: this.lost.length,
      early: this.early.length,
      altered: this.altered.length,
      duplicated: this.duplicated.length,
      misattributed: this.misattributed.length,
      unexpected: this.stored.left,
      examples: {
        lost: this.lost.slice(0, mostExamples),
        early: this.early.slice(0, mostExamples),
        altered: this.altered.slice(0, mostExamples),
        duplicated: this.duplicated.slice(0, mostExamples),
        misattributed: this.misattributed.slice(0, mostExamples),
        unexpected: this.stored.firstLeft(mostExamples),
      },
      integrity: this.state.integrity,
    };
  }
}

/** A lock wait shorter than this is no wait: SQLite grants a free lock within microseconds. */
const waitAboveMs = 5;

/** Counts what SQLite made the site's writes wait, and how often it refused them, from the site's own log. */
export class BusyCount {
  private refused = 0;
  private waits = 0;
  private longestWaitMs = 0;
  private shortestRefusalMs: number | null = null;
  private longestRefusalMs: number | null = null;

  addLine({ store }: Pick<SiteLine, 'store'>): void {
    if (store === undefined) return;
    if (store.waitMs > waitAboveMs) this.waits++;
    this.longestWaitMs = Math.max(this.longestWaitMs, store.waitMs);
    if (store.code !== 'SQLITE_BUSY') return;
    this.refused++;
    this.shortestRefusalMs = Math.min(this.shortestRefusalMs ?? Infinity, store.waitMs);
    this.longestRefusalMs = Math.max(this.longestRefusalMs ?? 0, store.waitMs);
  }

  result(): WritesVerdict['busy'] {
    return {
      refused: this.refused,
      shortestRefusalMs: this.shortestRefusalMs,
      longestRefusalMs: this.longestRefusalMs,
      waits: this.waits,
      longestWaitMs: this.longestWaitMs,
    };
  }
}
