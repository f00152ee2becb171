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

/** Words that repeat, each kept once. */
class Words {
  private readonly numbers = new Map<string, number>();
  private readonly words: string[] = [];
  /** The last ones asked for: a log repeats itself, and a lookup in the map takes longer. */
  private lastWord = '';
  private lastNumber = 0;

  numberOf(word: string): number {
    if (word === this.lastWord && this.words.length > 0) return this.lastNumber;
    this.lastNumber = this.findNumber(word);
    this.lastWord = word;
    return this.lastNumber;
  }

  private findNumber(word: string): number {
    let number = this.numbers.get(word);
    if (number === undefined) {
      number = this.words.length;
      this.numbers.set(word, number);
      this.words.push(word);
    }
    return number;
  }

  wordOf(number: number): string {
    return this.words[number] ?? '';
  }
}

const noLines: readonly Site[] = [];

/** Filled first, asked then. */
export class RequestTable {
  private readonly prefix: string;
  private readonly slots: number;
  private readonly words = new Words();
  private readonly access: {
    line: Uint32Array;
    times: Uint8Array;
    method: Uint32Array;
    path: Uint32Array;
    status: Uint16Array;
    bytes: Uint32Array;
    startWallUs: Float64Array;
    durationUs: Float64Array;
    hasBackend: Uint8Array;
    version: Uint32Array;
  };
  private readonly site: {
    line: Uint32Array;
    method: Uint32Array;
    path: Uint32Array;
    status: Uint16Array;
    receivedUs: Float64Array;
    answeredUs: Float64Array;
    version: Uint32Array;
    instance: Uint32Array;
    /** NaN for none. */
    bodyCrc32: Float64Array;
    code: Uint32Array;
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
      method: new Uint32Array(slots),
      path: new Uint32Array(slots),
      status: new Uint16Array(slots),
      bytes: new Uint32Array(slots),
      startWallUs: new Float64Array(slots),
      durationUs: new Float64Array(slots),
      hasBackend: new Uint8Array(slots),
      version: new Uint32Array(slots),
    };
    this.site = {
      line: new Uint32Array(slots),
      method: new Uint32Array(slots),
      path: new Uint32Array(slots),
      status: new Uint16Array(slots),
      receivedUs: new Float64Array(slots),
      answeredUs: new Float64Array(slots),
      version: new Uint32Array(slots),
      instance: new Uint32Array(slots),
      bodyCrc32: new Float64Array(slots),
      code: new Uint32Array(slots),
      isCut: new Uint8Array(slots),
    };
    // Number 0 stands for none.
    this.words.numberOf('');
  }

  /** @returns the request's slot; null where the line is not of this load */
  addAccess(line: AccessLine): number | null {
    this.accessLines++;
    const seq = this.seqOf(line.requestId);
    if (seq === null) return null;
    const { access, words } = this;
    access.line[seq] = this.accessLines;
    access.times[seq] = Math.min(255, (access.times[seq] ?? 0) + 1);
    access.method[seq] = words.numberOf(line.method);
    access.path[seq] = words.numberOf(line.path);
    access.status[seq] = line.status;
    access.bytes[seq] = line.bytes;
    access.startWallUs[seq] = line.startWallUs;
    access.durationUs[seq] = line.durationUs;
    access.hasBackend[seq] = line.backend === undefined ? 0 : 1;
    access.version[seq] = words.numberOf(line.version ?? '');
    return seq;
  }

  addSite(line: SiteLine): void {
    this.siteLines++;
    const seq = this.seqOf(line.request ?? '');
    if (seq === null) return;
    const { site, words } = this;
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
    site.method[seq] = words.numberOf(line.method);
    site.path[seq] = words.numberOf(line.path);
    site.status[seq] = line.status ?? 0;
    site.receivedUs[seq] = line.receivedUs;
    site.answeredUs[seq] = line.answeredUs;
    site.version[seq] = words.numberOf(line.version);
    site.instance[seq] = words.numberOf(line.instance);
    site.bodyCrc32[seq] = line.bodyCrc32 ?? Number.NaN;
    site.code[seq] = words.numberOf(line.store?.code ?? '');
    site.isCut[seq] = line.outcome === 'cut' ? 1 : 0;
  }

  /** The proxy's line of this slot; null where there is none. */
  accessOf(seq: number): Access | null {
    const { access, words } = this;
    const line = access.line[seq] ?? 0;
    if (line === 0) return null;
    return {
      line,
      times: access.times[seq] ?? 0,
      method: words.wordOf(access.method[seq] ?? 0),
      path: words.wordOf(access.path[seq] ?? 0),
      status: access.status[seq] ?? 0,
      bytes: access.bytes[seq] ?? 0,
      startWallUs: access.startWallUs[seq] ?? 0,
      durationUs: access.durationUs[seq] ?? 0,
      hasBackend: access.hasBackend[seq] === 1,
      version: access.version[seq] === 0 ? null : words.wordOf(access.version[seq] ?? 0),
    };
  }

  /** The site's lines of this slot, in the order of the log. */
  siteOf(seq: number): readonly Site[] {
    const { site, words } = this;
    const line = site.line[seq] ?? 0;
    if (line === 0) return noLines;
    const first: Site = {
      line,
      method: words.wordOf(site.method[seq] ?? 0),
      path: words.wordOf(site.path[seq] ?? 0),
      status: site.status[seq] === 0 ? null : (site.status[seq] ?? null),
      receivedUs: site.receivedUs[seq] ?? 0,
      answeredUs: site.answeredUs[seq] ?? 0,
      version: words.wordOf(site.version[seq] ?? 0),
      instance: words.wordOf(site.instance[seq] ?? 0),
      bodyCrc32: Number.isNaN(site.bodyCrc32[seq]) ? null : (site.bodyCrc32[seq] ?? null),
      code: words.wordOf(site.code[seq] ?? 0),
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
