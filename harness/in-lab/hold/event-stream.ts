/** Counts the events of a stream (text/event-stream, WHATWG HTML 9.2) without keeping them, however TCP cuts the bytes. */

const cr = 0x0d;
const lf = 0x0a;
const colon = 0x3a;
const mark = [0xef, 0xbb, 0xbf] as const;
const data = Buffer.from('data');

/** A stream, byte by byte. */
export class EventStream {
  /** Events with data, each ended by its empty line; comments are keep-alives, and no events. */
  events = 0;
  /** Bytes of the line that is being read; the first few of them. */
  private length = 0;
  private readonly begin = Buffer.alloc(data.length + 1);
  /** Lines of the event that is being read: any but comments, and those of data. */
  private hasLines = false;
  private hasData = false;
  private isAfterCr = false;
  /** Bytes of a byte order mark that were skipped. */
  private marked = 0;

  /** Has an event begun that is not ended? */
  get isMidway(): boolean {
    return this.hasLines || (this.length > 0 && this.begin[0] !== colon);
  }

  feed(bytes: Buffer): void {
    for (const byte of bytes) this.take(byte);
  }

  private take(byte: number): void {
    if (this.marked < mark.length && this.isMark(byte)) return;
    if (byte === lf && this.isAfterCr) {
      this.isAfterCr = false;
      return;
    }
    this.isAfterCr = byte === cr;
    if (byte === cr || byte === lf) {
      this.endLine();
      return;
    }
    if (this.length < this.begin.length) this.begin[this.length] = byte;
    this.length++;
  }

  /** Only at the very beginning. */
  private isMark(byte: number): boolean {
    if (byte === mark[this.marked]) {
      this.marked++;
      return true;
    }
    this.marked = mark.length;
    return false;
  }

  private endLine(): void {
    const { length, begin } = this;
    this.length = 0;
    if (length === 0) {
      if (this.hasData) this.events++;
      this.hasData = false;
      this.hasLines = false;
    } else if (begin[0] !== colon) {
      this.hasLines = true;
      const isField = length === data.length || begin[data.length] === colon;
      if (isField && data.equals(begin.subarray(0, data.length))) this.hasData = true;
    }
  }
}
