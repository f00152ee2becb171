/** What the site's own log says of each request of the load, by the number of its slot, in columns. */
import { numberAfter } from './request-id.ts';
import { WordColumn, type WordColumnData } from './word-column.ts';

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

/** When one process of the site read requests of the load: CLOCK_MONOTONIC, with the lines that say so. */
export interface InstanceSpan {
  readonly instance: string;
  first: { readonly receivedUs: number; readonly line: number };
  last: { readonly receivedUs: number; readonly line: number };
}

/** What the columns hold, as one thread hands them to another. */
export interface SiteColumnsData {
  readonly words: Readonly<Record<'method' | 'path' | 'version' | 'instance' | 'code', WordColumnData>>;
  readonly numbers: SiteNumbers;
  readonly further: ReadonlyMap<number, readonly Site[]>;
}

/** Numbers of the first line of each slot. */
interface SiteNumbers {
  readonly line: Uint32Array;
  readonly status: Uint16Array;
  readonly receivedUs: Float64Array;
  readonly answeredUs: Float64Array;
  /** NaN for none. */
  readonly bodyCrc32: Float64Array;
  readonly isCut: Uint8Array;
}

const noLines: readonly Site[] = [];

/** Filled first, asked then. */
export class SiteColumns {
  private readonly prefix: string;
  private readonly slots: number;
  private readonly words: Readonly<Record<keyof SiteColumnsData['words'], WordColumn>>;
  private readonly numbers: SiteNumbers;
  /** Further lines of the same request: a proxy that tries again writes it several times. */
  private readonly further: Map<number, readonly Site[]>;
  private lines = 0;

  /**
   * @param slots how many slots the schedule has
   * @param prefix what the request ids of the load begin with; the slot's number follows it
   * @param data what another thread has filled
   */
  constructor(slots: number, prefix: string, data?: SiteColumnsData) {
    this.slots = slots;
    this.prefix = prefix;
    const column = (name: keyof SiteColumnsData['words']): WordColumn =>
      data === undefined ? new WordColumn(slots) : WordColumn.of(data.words[name]);
    this.words = {
      method: column('method'),
      path: column('path'),
      version: column('version'),
      instance: column('instance'),
      code: column('code'),
    };
    this.numbers = data?.numbers ?? {
      line: new Uint32Array(slots),
      status: new Uint16Array(slots),
      receivedUs: new Float64Array(slots),
      answeredUs: new Float64Array(slots),
      bodyCrc32: new Float64Array(slots),
      isCut: new Uint8Array(slots),
    };
    this.further = new Map(data?.further);
  }

  /** All of it; with what of it can be handed over without a copy. */
  data(): { data: SiteColumnsData; buffers: ArrayBuffer[] } {
    const { method, path, version, instance, code } = this.words;
    const words = {
      method: method.data(),
      path: path.data(),
      version: version.data(),
      instance: instance.data(),
      code: code.data(),
    };
    const { line, status, receivedUs, answeredUs, bodyCrc32, isCut } = this.numbers;
    const arrays = [line, status, receivedUs, answeredUs, bodyCrc32, isCut];
    const columns = Object.values(words).map(({ numbers }) => numbers);
    const buffers = [...arrays, ...columns].map(({ buffer }) => buffer as ArrayBuffer);
    return { data: { words, numbers: this.numbers, further: this.further }, buffers };
  }

  add(line: SiteLine): void {
    this.lines++;
    const seq = slotOf(line.request ?? '', this.prefix, this.slots);
    if (seq === null) return;
    const { words, numbers } = this;
    if (numbers.line[seq] !== 0) {
      const { method, path, status, receivedUs, answeredUs, version, instance, store, outcome } = line;
      const common = { method, path, status, receivedUs, answeredUs, version, instance };
      const further: Site = {
        ...common,
        bodyCrc32: line.bodyCrc32 ?? null,
        line: this.lines,
        code: store?.code ?? '',
        isCut: outcome === 'cut',
      };
      this.further.set(seq, [...(this.further.get(seq) ?? []), further]);
      return;
    }
    numbers.line[seq] = this.lines;
    words.method.set(seq, line.method);
    words.path.set(seq, line.path);
    numbers.status[seq] = line.status ?? 0;
    numbers.receivedUs[seq] = line.receivedUs;
    numbers.answeredUs[seq] = line.answeredUs;
    words.version.set(seq, line.version);
    words.instance.set(seq, line.instance);
    numbers.bodyCrc32[seq] = line.bodyCrc32 ?? Number.NaN;
    words.code.set(seq, line.store?.code ?? '');
    numbers.isCut[seq] = line.outcome === 'cut' ? 1 : 0;
  }

  /** The lines of this slot, in the order of the log. */
  of(seq: number): readonly Site[] {
    const { words, numbers } = this;
    const line = numbers.line[seq] ?? 0;
    if (line === 0) return noLines;
    const first: Site = {
      line,
      method: words.method.of(seq),
      path: words.path.of(seq),
      status: numbers.status[seq] === 0 ? null : (numbers.status[seq] ?? null),
      receivedUs: numbers.receivedUs[seq] ?? 0,
      answeredUs: numbers.answeredUs[seq] ?? 0,
      version: words.version.of(seq),
      instance: words.instance.of(seq),
      bodyCrc32: Number.isNaN(numbers.bodyCrc32[seq]) ? null : (numbers.bodyCrc32[seq] ?? null),
      code: words.code.of(seq),
      isCut: numbers.isCut[seq] === 1,
    };
    const further = this.further.size === 0 ? undefined : this.further.get(seq);
    return further === undefined ? [first] : [first, ...further];
  }

  /** Of each process that read requests of the load, in the order of their slots, when it did. */
  instanceSpans(): InstanceSpan[] {
    const { words, numbers } = this;
    const spans = new Map<string, InstanceSpan>();
    let last: InstanceSpan | undefined;
    const add = (instance: string, receivedUs: number, line: number): void => {
      // Neighbours were mostly read by one process.
      let span = last?.instance === instance ? last : spans.get(instance);
      if (span === undefined) {
        span = { instance, first: { receivedUs, line }, last: { receivedUs, line } };
        spans.set(instance, span);
      } else if (receivedUs < span.first.receivedUs) {
        span.first = { receivedUs, line };
      } else if (receivedUs > span.last.receivedUs) {
        span.last = { receivedUs, line };
      }
      last = span;
    };
    for (let seq = 0; seq < this.slots; seq++) {
      const line = numbers.line[seq] ?? 0;
      if (line !== 0) add(words.instance.of(seq), numbers.receivedUs[seq] ?? 0, line);
    }
    for (const lines of this.further.values()) {
      for (const { instance, receivedUs, line } of lines) add(instance, receivedUs, line);
    }
    return [...spans.values()];
  }
}

/** The slot that an id names; null where it is none of the schedule's. */
export function slotOf(id: string, prefix: string, slots: number): number | null {
  if (!id.startsWith(prefix)) return null;
  const seq = numberAfter(id, prefix.length);
  // A slot that the schedule does not have is no request of the load: the proxy witness counts it as extra.
  return Number.isInteger(seq) && seq >= 0 && seq < slots ? seq : null;
}
