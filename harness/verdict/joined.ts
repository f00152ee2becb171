/**
 * joined.ndjson.gz: the rows that were not plainly answered, joined with the timeline and the witnesses. The ledger itself
 * is never changed.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { isDropped, type LedgerRow } from '../load/row.ts';
import type { Reconciled } from './reconcile.ts';
import type { RestartWindow } from './restart-windows.ts';
import { stallAboveMs } from './waits.ts';

/** Where in a restart a request was due. */
export type Phase = 'before' | 'draining' | 'down' | 'warming' | 'after';

/** The phase at this time, by the events of the timeline, and the restart it belongs to (0: before the first). */
export function phaseAt(atUs: number, windows: readonly RestartWindow[]): { restart: number; phase: Phase } {
  const window = windows.findLast(({ deployBeginUs }) => atUs >= deployBeginUs);
  if (window === undefined) return { restart: 0, phase: 'before' };
  const { restart, retireUs, sigtermUs, acceptStoppedUs, internalListeningUs, acceptingUs, exitUs } = window;
  // In a swap the new process is there before the old one leaves.
  const endUs = Math.max(acceptingUs ?? Infinity, exitUs ?? -Infinity);
  if (atUs >= endUs) return { restart, phase: 'after' };
  if (atUs >= (internalListeningUs ?? Infinity) && atUs < (acceptingUs ?? Infinity))
    return { restart, phase: 'warming' };
  if (atUs >= (acceptStoppedUs ?? Infinity)) return { restart, phase: 'down' };
  return { restart, phase: atUs >= (sigtermUs ?? retireUs ?? Infinity) ? 'draining' : 'before' };
}

/** Writes the file while the rows go by. */
export class JoinedFile {
  private readonly gzip = createGzip({ level: 6 });
  private readonly done: Promise<void>;
  private readonly windows: readonly RestartWindow[];

  constructor(path: string, windows: readonly RestartWindow[]) {
    this.windows = windows;
    const file = createWriteStream(path);
    this.gzip.pipe(file);
    this.done = finished(file);
  }

  /** @returns a promise to wait for, when the file cannot take more for the moment */
  add(row: LedgerRow, { wrong, cause, access, site }: Reconciled): Promise<unknown> | undefined {
    const late = row.doneUs - row.dueUs > stallAboveMs * 1000;
    if (!isDropped(row.outcome) && wrong.length === 0 && !late) return undefined;
    const joined = {
      ...row,
      ...phaseAt(row.dueUs, this.windows),
      cause: cause?.cause ?? null,
      witness: cause === null ? null : `${cause.file}:${cause.line}`,
      proxyStatus: access?.status ?? null,
      accessLine: access?.line ?? null,
      siteLines: site.map(({ line }) => line),
      disagreements: wrong,
    };
    return this.gzip.write(`${JSON.stringify(joined)}\n`) ? undefined : once(this.gzip, 'drain');
  }

  async end(): Promise<void> {
    this.gzip.end();
    await this.done;
  }
}
