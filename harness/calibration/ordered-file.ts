/** A gzipped file of JSON lines that are made up out of order and written in order of time. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Holds no more lines than may still be preceded by another. */
export class OrderedFile {
  private readonly gzip = createGzip({ level: 6 });
  private readonly done: Promise<void>;
  private held: { readonly atUs: number; readonly text: string }[] = [];

  constructor(path: string) {
    const file = createWriteStream(path);
    this.gzip.pipe(file);
    this.done = finished(file);
  }

  /** @param line text without its end, or what is written as JSON */
  add(atUs: number, line: string | object): void {
    this.held.push({ atUs, text: typeof line === 'string' ? line : JSON.stringify(line) });
  }

  /** Writes what lies before this time: nothing that is added later may. */
  async writeUntil(untilUs: number): Promise<void> {
    this.held.sort((a, b) => a.atUs - b.atUs);
    const later = this.held.findIndex(({ atUs }) => atUs >= untilUs);
    const ready = this.held.splice(0, later < 0 ? this.held.length : later);
    if (ready.length === 0) return;
    if (!this.gzip.write(ready.map(({ text }) => `${text}\n`).join(''))) await once(this.gzip, 'drain');
  }

  /** Resolves when all is in the file. */
  async end(): Promise<void> {
    await this.writeUntil(Infinity);
    this.gzip.end();
    await this.done;
  }
}
