/**
 * What the proxy's access log and the site's own log say of each request of the load, by the number of its slot; in
 * columns, since a run may have a million of them.
 */
import type { AccessLine } from '../timeline/access-log.ts';
import { numberAfter } from './request-id.ts';

/** A line of the site's request log. */
export interface SiteLine {
  readonly request: string | null;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  /** CLOCK_MONOTONIC. */
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly version: string;
  readonly instance: string;
  readonly bodyCrc32?: number | undefined;
  readonly store?: { readonly waitMs: number; readonly code: string };
  readonly outcome?: 'cut';
}

/** What the proxy's log has of a request. */
export interface Access {
  /** Number of the line in the log, from 1; of several lines, the last one's. */
  readonly line: number;
  /** How many lines have this request. */
  readonly times: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly startWallUs: number;
  readonly durationUs: number;
  readonly hasBackend: boolean;
  readonly version: string | null;
}

/** What the site's log has of a request, or of one try of it. */
export interface Site {
  readonly line: number;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly version: string;
  readonly instance: string;
  /** Of the answer's body; null if none was written. */
  readonly bodyCrc32: number | null;
  /** What SQLite said of a write: OK, or its name of what went wrong. */
  readonly code: string;
  readonly isCut: boolean;
}

/** A column of words that repeat: each word is kept once, and its number in two bytes as long as there are few. */
class WordColumn {
  private numbers: Uint16Array | Uint32Array;
  /** Number 0 stands for none. */
  private readonly words: string[] = [''];
  private readonly numberOf = new Map<string, number>([['', 0]]);
  /** The one set last: a log repeats itself, and a lookup in the map takes longer. */
  private lastWord = '';
  private lastNumber = 0;

  constructor(rows: number) {
    this.numbers = new Uint16Array(rows);
  }

  set(row: number, word: string): void {
    if (word !== this.lastWord) {
      this.lastNumber = this.findNumber(word);
      this.lastWord = word;
    }
    this.numbers[row] = this.lastNumber;
  }

  private findNumber(word: string): number {
    const known = this.numberOf.get(word);
    if (known !== undefined) return known;
    const number = this.words.length;
    this.numberOf.set(word, number);
    this.words.push(word);
    if (number === 0x10000) this.numbers = Uint32Array.from(this.numbers);
    return number;
  }

  of(row: number): string {
    return this.words[this.numbers[row] ?? 0] ?? '';
  }
}

const noLines: readonly Site[] = [];

/** Filled first, asked then. */
export class RequestTable {
  private readonly prefix: string;
  private readonly slots: number;
  private readonly access: {
    line: Uint32Array;
    times: Uint8Array;
    method: WordColumn;
    path: WordColumn;
    status: Uint16Array;
    bytes: Uint32Array;
    startWallUs: Float64Array;
    durationUs: Float64Array;
    hasBackend: Uint8Array;
    version: WordColumn;
  };
  private readonly site: {
    line: Uint32Array;
    method: WordColumn;
    path: WordColumn;
    status: Uint16Array;
    receivedUs: Float64Array;
    answeredUs: Float64Array;
    version: WordColumn;
    instance: WordColumn;
    /** NaN for none. */
    bodyCrc32: Float64Array;
    code: WordColumn;
    isCut: Uint8Array;
  };
  /** Further lines of the same request: a proxy that tries again writes it several times. */
  private readonly furtherSite = new Map<number, Site[]>();
  private accessLines = 0;
  private siteLines = 0;

  /**
   * @param slots how many slots the schedule has
   * @param prefix what the request ids of the load begin with; the slot's number follows it
   */
  constructor(slots: number, prefix: string) {
    this.slots = slots;
    this.prefix = prefix;
    this.access = {
      line: new Uint32Array(slots),
      times: new Uint8Array(slots),
      method: new WordColumn(slots),
      path: new WordColumn(slots),
      status: new Uint16Array(slots),
      bytes: new Uint32Array(slots),
      startWallUs: new Float64Array(slots),
      durationUs: new Float64Array(slots),
      hasBackend: new Uint8Array(slots),
      version: new WordColumn(slots),
    };
    this.site = {
      line: new Uint32Array(slots),
      method: new WordColumn(slots),
      path: new WordColumn(slots),
      status: new Uint16Array(slots),
      receivedUs: new Float64Array(slots),
      answeredUs: new Float64Array(slots),
      version: new WordColumn(slots),
      instance: new WordColumn(slots),
      bodyCrc32: new Float64Array(slots),
      code: new WordColumn(slots),
      isCut: new Uint8Array(slots),
    };
  }

  /** @returns the request's slot; null where the line is not of this load */
  addAccess(line: AccessLine): number | null {
    this.accessLines++;
    const seq = this.seqOf(line.requestId);
    if (seq === null) return null;
    const { access } = this;
    access.line[seq] = this.accessLines;
    access.times[seq] = Math.min(255, (access.times[seq] ?? 0) + 1);
    access.method.set(seq, line.method);
    access.path.set(seq, line.path);
    access.status[seq] = line.status;
    access.bytes[seq] = line.bytes;
    access.startWallUs[seq] = line.startWallUs;
    access.durationUs[seq] = line.durationUs;
    access.hasBackend[seq] = line.backend === undefined ? 0 : 1;
    access.version.set(seq, line.version ?? '');
    return seq;
  }

  addSite(line: SiteLine): void {
    this.siteLines++;
    const seq = this.seqOf(line.request ?? '');
    if (seq === null) return;
    const { site } = this;
    if (site.line[seq] !== 0) {
      const { method, path, status, receivedUs, answeredUs, version, instance, store, outcome } = line;
      const common = {
        method,
        path,
        status,
        receivedUs,
        answeredUs,
        version,
        instance,
        bodyCrc32: line.bodyCrc32 ?? null,
      };
      const further = { ...common, line: this.siteLines, code: store?.code ?? '', isCut: outcome === 'cut' };
      this.furtherSite.set(seq, [...(this.furtherSite.get(seq) ?? []), further]);
      return;
    }
    site.line[seq] = this.siteLines;
    site.method.set(seq, line.method);
    site.path.set(seq, line.path);
    site.status[seq] = line.status ?? 0;
    site.receivedUs[seq] = line.receivedUs;
    site.answeredUs[seq] = line.answeredUs;
    site.version.set(seq, line.version);
    site.instance.set(seq, line.instance);
    site.bodyCrc32[seq] = line.bodyCrc32 ?? Number.NaN;
    site.code.set(seq, line.store?.code ?? '');
    site.isCut[seq] = line.outcome === 'cut' ? 1 : 0;
  }

  /** The proxy's line of this slot; null where there is none. */
  accessOf(seq: number): Access | null {
    const { access } = this;
    const line = access.line[seq] ?? 0;
    if (line === 0) return null;
    return {
      line,
      times: access.times[seq] ?? 0,
      method: access.method.of(seq),
      path: access.path.of(seq),
      status: access.status[seq] ?? 0,
      bytes: access.bytes[seq] ?? 0,
      startWallUs: access.startWallUs[seq] ?? 0,
      durationUs: access.durationUs[seq] ?? 0,
      hasBackend: access.hasBackend[seq] === 1,
      version: access.version.of(seq) || null,
    };
  }

  /** The site's lines of this slot, in the order of the log. */
  siteOf(seq: number): readonly Site[] {
    const { site } = this;
    const line = site.line[seq] ?? 0;
    if (line === 0) return noLines;
    const first: Site = {
      line,
      method: site.method.of(seq),
      path: site.path.of(seq),
      status: site.status[seq] === 0 ? null : (site.status[seq] ?? null),
      receivedUs: site.receivedUs[seq] ?? 0,
      answeredUs: site.answeredUs[seq] ?? 0,
      version: site.version.of(seq),
      instance: site.instance.of(seq),
      bodyCrc32: Number.isNaN(site.bodyCrc32[seq]) ? null : (site.bodyCrc32[seq] ?? null),
      code: site.code.of(seq),
      isCut: site.isCut[seq] === 1,
    };
    const further = this.furtherSite.size === 0 ? undefined : this.furtherSite.get(seq);
    return further === undefined ? [first] : [first, ...further];
  }

  private seqOf(id: string): number | null {
    if (!id.startsWith(this.prefix)) return null;
    const seq = numberAfter(id, this.prefix.length);
    // A slot that the schedule does not have is no request of the load: the proxy witness counts it as extra.
    return Number.isInteger(seq) && seq >= 0 && seq < this.slots ? seq : null;
  }
}
