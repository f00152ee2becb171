/** Counts the events of a stream (text/event-stream, WHATWG HTML 9.2) without keeping them, however TCP cuts the bytes. */

/** The mark of the byte order that may stand before all, in the characters of its bytes. */
const mark = '\u00ef\u00bb\u00bf';
/** Of each line, no more than this is looked at. */
const mostLooked = `${mark}data:`.length;

/** A stream, byte by byte. */
export class EventStream {
  /** Events with data, each ended by its empty line; comments are keep-alives, and no events. */
  events = 0;
  /** The beginning of the line that is being read. */
  private line = '';
  private isFirstLine = true;
  /** Lines of the event that is being read: any but comments, and those of data. */
  private hasLines = false;
  private hasData = false;
  private isAfterCr = false;

  /** Has an event begun that is not ended? */
  get isMidway(): boolean {
    return this.hasLines || /^[^:]/su.test(this.lineSoFar());
  }

  feed(bytes: Buffer): void {
    for (const character of bytes.toString('latin1')) {
      const endsTwice = character === '\n' && this.isAfterCr;
      this.isAfterCr = character === '\r';
      if (endsTwice) continue;
      if (character === '\r' || character === '\n') this.endLine(this.lineSoFar());
      else if (this.line.length < mostLooked) this.line += character;
    }
  }

  private lineSoFar(): string {
    return this.isFirstLine && this.line.startsWith(mark) ? this.line.slice(mark.length) : this.line;
  }

  private endLine(line: string): void {
    this.line = '';
    this.isFirstLine = false;
    if (line === '') {
      if (this.hasData) this.events++;
      this.hasData = false;
      this.hasLines = false;
    } else if (!line.startsWith(':')) {
      this.hasLines = true;
      this.hasData ||= line === 'data' || line.startsWith('data:');
    }
  }
}
