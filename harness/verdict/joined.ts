/**
 * joined.ndjson.gz: the rows that were not plainly answered, joined with the timeline and the witnesses. The ledger itself
 * is never changed.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { isDropped, type LedgerRow } from '../run/ledger.ts';
import type { Cause } from './cause.ts';
import { phaseAt } from './phases.ts';
import type { Reconciled } from './reconcile.ts';
import type { RestartWindow } from './restart-windows.ts';
import { LastReached } from './span-lookup.ts';
import { stallAboveMs } from './waits.ts';

/** Lines that are zipped together. */
const linesAtOnce = 100;
/** So much may wait to be zipped, beside what makes more of it. */
const waitingBytes = 1024 * 1024;
/** Of what is zipped: large enough that the turns of the event loop between two of them cost little. */
const chunkSize = 256 * 1024;

/** Writes the file while the rows go by. */
export class JoinedFile {
  private readonly gzip = createGzip({ level: 3, chunkSize });
  private readonly done: Promise<void>;
  private readonly windows: readonly RestartWindow[];
  private readonly begun: LastReached;
  /** Lines that wait to be zipped together: one by one, each would cost a turn of the event loop. */
  private lines: string[] = [];
  private readonly causes = new Map<string | null, string>();

  constructor(path: string, windows: readonly RestartWindow[]) {
    this.windows = windows;
    this.begun = new LastReached(windows.map(({ deployBeginUs }) => deployBeginUs));
    const file = createWriteStream(path);
    this.gzip.pipe(file);
    this.done = finished(file);
  }

  /** @returns a promise to wait for, when the file cannot take more for the moment */
  add(row: LedgerRow, { wrong, cause, access, site }: Reconciled): Promise<unknown> | undefined {
    const late = row.doneUs - row.dueUs > stallAboveMs * 1000;
    if (!isDropped(row.outcome) && wrong.length === 0 && !late) return undefined;
    const fields = {
      ...row,
      ...phaseAt(row.dueUs, this.windows[this.begun.indexAt(row.dueUs)]),
      witness: cause === null ? null : `${cause.file}:${cause.line}`,
      proxyStatus: access?.status ?? null,
      accessLine: access?.line ?? null,
      siteLines: site.map(({ line }) => line),
      disagreements: wrong,
    };
    this.lines.push(`${asBytes(JSON.stringify(fields)).slice(0, -1)},"cause":${this.causeJson(cause)}}\n`);
    if (this.lines.length === linesAtOnce) this.flush();
    return this.gzip.writableLength > waitingBytes ? once(this.gzip, 'drain') : undefined;
  }

  /** Each is met thousands of times. */
  private causeJson(cause: Cause | null): string {
    const text = cause?.cause ?? null;
    let json = this.causes.get(text);
    if (json === undefined) {
      json = asBytes(JSON.stringify(text));
      this.causes.set(text, json);
    }
    return json;
  }

  private flush(): void {
    this.gzip.write(this.lines.join(''), 'latin1');
    this.lines = [];
  }

  async end(): Promise<void> {
    this.flush();
    this.gzip.end();
    await this.done;
  }
}

/**
 * UTF-8 with a character for each byte. One sign beyond Latin 1, as in the causes' own words, has all the text around it
 * kept in two bytes a character, and made and written at half the speed.
 */
function asBytes(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1');
}
