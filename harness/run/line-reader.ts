/**
 * Reads lines of JSON whose fields are known, in their order, several times as fast as JSON.parse can without knowing them.
 * It reads no other line: whoever meets one falls back on JSON.parse, so that what a line says never depends on this file.
 */

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const braceOpen = 0x7b;
const braceClose = 0x7d;
const zero = 0x30;

/** A key of a line, as bytes with its quotes and colon. */
export interface Key {
  readonly bytes: Uint8Array;
  /** Words met under this key: most repeat, so each is made a string once. */
  readonly words: (string | undefined)[];
  /** The one met last. */
  lastWord: string | undefined;
  /** May this word stand here? It is asked once a word, not once a line. */
  readonly admits: (word: string) => boolean;
}

/** Places for the words of a key; two that fall on one place take turns. */
const wordPlaces = 1_024;

/**
 * @param name letters, digits and signs that JSON writes as they are
 * @param admits of a key whose words are known: is it one of them? A line with another is left to JSON.parse
 */
export function keyOf(name: string, admits: Key['admits'] = () => true): Key {
  return {
    bytes: Buffer.from(`"${name}":`),
    words: new Array<string | undefined>(wordPlaces).fill(undefined),
    lastWord: undefined,
    admits,
  };
}

/** Reads field after field; after the first that is not as asked, {@link LineReader.isWhole} stays false. */
export class LineReader {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private end = 0;
  private failed = false;
  private isFirst = true;

  /** Begins with the line in `bytes` from `from` to `end`, its line feed apart. */
  begin(bytes: Buffer, from: number, end: number): void {
    this.bytes = bytes;
    this.at = from + 1;
    this.end = end;
    this.isFirst = true;
    this.failed = bytes[from] !== braceOpen;
  }

  /** Was every field as asked, and is nothing left? */
  isWhole(): boolean {
    return !this.failed && this.at === this.end - 1 && this.bytes[this.at] === braceClose;
  }

  /** What was read may not stand in such a line, although it is of the right type. */
  refuse(): void {
    this.failed = true;
  }

  /** Is this the next key? Then it is read, and its value must be next. */
  has({ bytes: key }: Key): boolean {
    const { bytes } = this;
    let at = this.at;
    if (!this.isFirst) {
      if (bytes[at] !== comma) return false;
      at++;
    }
    if (at + key.length > this.end) return false;
    for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return false;
    this.at = at + key.length;
    this.isFirst = false;
    return true;
  }

  /** A whole number of at most 15 digits and no sign. */
  integer(key: Key): number {
    if (!this.has(key)) return this.fail();
    return this.digits();
  }

  integerOrNull(key: Key): number | null {
    if (!this.has(key)) return this.fail();
    return this.skipNull() ? null : this.digits();
  }

  /** A number without an exponent. */
  decimal(key: Key): number {
    if (!this.has(key)) return this.fail();
    const from = this.at;
    const whole = this.digits();
    if (this.bytes[this.at] !== 0x2e) return whole;
    this.at++;
    const fraction = this.at;
    while (isDigit(this.bytes[this.at])) this.at++;
    if (this.at === fraction) return this.fail();
    return Number(this.bytes.toString('latin1', from, this.at));
  }

  /** A text that is another in most lines. */
  text(key: Key): string {
    return this.has(key) ? this.textAt() : this.failText();
  }

  textOrNull(key: Key): string | null {
    if (!this.has(key)) return this.failText();
    return this.skipNull() ? null : this.textAt();
  }

  /** A text that is one of few. */
  word(key: Key): string {
    return this.has(key) ? this.wordAt(key) : this.failText();
  }

  wordOrNull(key: Key): string | null {
    if (!this.has(key)) return this.failText();
    return this.skipNull() ? null : this.wordAt(key);
  }

  /** undefined where this is not the next key. */
  optionalWord(key: Key): string | undefined {
    return this.has(key) ? this.wordAt(key) : undefined;
  }

  /** undefined where this is not the next key. */
  optionalText(key: Key): string | undefined {
    return this.has(key) ? this.textAt() : undefined;
  }

  /** A text as what `read` makes of its bytes, without a string of it being made. */
  textAs<T>(key: Key, read: (bytes: Buffer, from: number, end: number) => T, otherwise: T): T {
    const isThere = this.has(key);
    const from = this.at + 1;
    if (isThere && this.skipString()) return read(this.bytes, from, this.at - 1);
    this.failed = true;
    return otherwise;
  }

  /** A text that nobody asks for. */
  skipText(key: Key): void {
    if (this.has(key)) this.skipString();
    else this.failed = true;
  }

  /** Begins an object under this key, if this is the next; its fields follow, then {@link LineReader.endObject}. */
  beginObject(key: Key): boolean {
    if (!this.has(key)) return false;
    if (this.bytes[this.at] !== braceOpen) this.failed = true;
    this.at++;
    this.isFirst = true;
    return true;
  }

  endObject(): void {
    if (this.bytes[this.at] !== braceClose) this.failed = true;
    this.at++;
    this.isFirst = false;
  }

  private textAt(): string {
    const from = this.at + 1;
    return this.skipString() ? this.bytes.toString('latin1', from, this.at - 1) : '';
  }

  private wordAt(key: Key): string {
    const { bytes } = this;
    const from = this.at + 1;
    if (bytes[this.at] !== quote) return this.failText();
    const { lastWord } = key;
    if (lastWord !== undefined && bytes[from + lastWord.length] === quote && this.isAt(lastWord, from)) {
      this.at = from + lastWord.length + 1;
      return lastWord;
    }
    // The end is looked for first: a word that is known has neither escapes nor other than ASCII.
    let end = from;
    while (end < this.end && bytes[end] !== quote) end++;
    const hash = ((bytes[end - 1] ?? 0) * 31 + (bytes[end - 2] ?? 0)) * 31 + (bytes[end - 3] ?? 0) + (end - from) * 7;
    const place = hash & (wordPlaces - 1);
    let word = key.words[place];
    if (word?.length !== end - from || !this.isAt(word, from)) {
      for (let at = from; at < end; at++) if (!isPlain(bytes[at] ?? 0)) return this.failText();
      word = bytes.toString('latin1', from, end);
      if (!key.admits(word)) return this.failText();
      key.words[place] = word;
    }
    this.at = end + 1;
    key.lastWord = word;
    return word;
  }

  private isAt(word: string, from: number): boolean {
    // From its end: words of one kind begin alike.
    for (let index = word.length - 1; index >= 0; index--) {
      if (word.charCodeAt(index) !== this.bytes[from + index]) return false;
    }
    return true;
  }

  private digits(): number {
    const { bytes } = this;
    const from = this.at;
    let value = 0;
    let at = from;
    for (let byte = bytes[at]; isDigit(byte); byte = bytes[++at]) value = value * 10 + byte - zero;
    const length = at - from;
    if (length === 0 || length > 15 || (length > 1 && bytes[from] === zero)) return this.fail();
    this.at = at;
    return value;
  }

  private skipNull(): boolean {
    const { bytes, at } = this;
    if (bytes[at] !== 0x6e || bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x6c || bytes[at + 3] !== 0x6c) return false;
    this.at += 4;
    return true;
  }

  /** Strings with escapes, or with other than ASCII, are left to JSON.parse. */
  private skipString(): boolean {
    const { bytes } = this;
    let at = this.at;
    if (bytes[at] === quote) {
      let byte = bytes[++at] ?? 0;
      while (byte !== quote && isPlain(byte)) byte = bytes[++at] ?? 0;
      if (byte === quote) {
        this.at = at + 1;
        return true;
      }
    }
    this.failed = true;
    return false;
  }

  private fail(): number {
    this.failed = true;
    return 0;
  }

  private failText(): string {
    this.failed = true;
    return '';
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= zero && byte < colon;
}

/** A byte that stands for itself within a string of JSON. */
function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== backslash;
}
