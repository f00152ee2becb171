/** Rows as one thread hands them to another: in columns, since objects are copied field by field, with their names. */
import type { LedgerRow } from '../run/ledger.ts';

/** Some rows, in the order of the ledger. */
export interface RowBatch {
  readonly rows: number;
  /** Row after row; NaN stands for null. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Row after row, each the word's place among all words so far; 0 stands for null. */
  readonly places: Uint16Array<ArrayBuffer>;
  /** Words that no batch before had. */
  readonly newWords: readonly string[];
  /** Rows that do not fit, as they are, by their index. */
  readonly odd: ReadonlyMap<number, LedgerRow>;
}

/** trial, seq, dueUs, sentUs, connectedUs, firstByteUs, doneUs, status, bytes, bodyCrc32. */
const numbersOfRow = 10;
/** method, path, what the id begins with, connection, outcome, instance, version, error. */
const wordsOfRow = 8;
/** So many words have a place in two bytes. */
const mostWords = 0x1_0000;

/** Puts rows into columns. */
export class RowPacker {
  private readonly placeOf = new Map<string, number>();
  private newWords: string[] = [];
  /** Of each word of a row, what it was last: a ledger repeats itself, and a lookup in the map takes longer. */
  private readonly last = Array.from({ length: wordsOfRow }, () => ({ word: '', place: -1 }));
  private readonly mostWords: number;

  /** @param most words that have a place, fewer for a test */
  constructor(most = mostWords) {
    this.mostWords = most;
  }

  /** @param isOdd a row that may have other fields than a row has, or of other types */
  pack(rows: readonly LedgerRow[], isOdd: (row: LedgerRow) => boolean): RowBatch {
    const numbers = new Float64Array(rows.length * numbersOfRow);
    const places = new Uint16Array(rows.length * wordsOfRow);
    const odd = new Map<number, LedgerRow>();
    for (const [index, row] of rows.entries()) {
      if (isOdd(row) || !this.packWords(row, places, index * wordsOfRow)) odd.set(index, row);
      else packNumbers(row, numbers, index * numbersOfRow);
    }
    const { newWords } = this;
    this.newWords = [];
    return { rows: rows.length, numbers, places, newWords, odd };
  }

  /** False where a word has no place, or the id does not end in the row's number. */
  private packWords(row: LedgerRow, places: Uint16Array, at: number): boolean {
    const { requestId } = row;
    const seq = String(row.seq);
    if (!requestId.endsWith(seq)) return false;
    const idBegins = requestId.slice(0, -seq.length);
    const { method, path, connection, outcome, instance, version, error } = row;
    let column = 0;
    for (const word of [method, path, idBegins, connection, outcome, instance, version, error]) {
      const place = word === null ? 0 : this.findPlace(word, column);
      if (place < 0) return false;
      places[at + column++] = place;
    }
    return true;
  }

  /** −1 where there is none left. */
  private findPlace(word: string, column: number): number {
    const last = this.last[column];
    if (last?.place !== -1 && last?.word === word) return last.place;
    let place = this.placeOf.get(word);
    if (place === undefined) {
      // Place 0 is that of no word.
      place = this.placeOf.size + 1;
      if (place >= this.mostWords) return -1;
      this.placeOf.set(word, place);
      this.newWords.push(word);
    }
    this.last[column] = { word, place };
    return place;
  }
}

function packNumbers(row: LedgerRow, numbers: Float64Array, at: number): void {
  const none = Number.NaN;
  numbers[at] = row.trial;
  numbers[at + 1] = row.seq;
  numbers[at + 2] = row.dueUs;
  numbers[at + 3] = row.sentUs ?? none;
  numbers[at + 4] = row.connectedUs ?? none;
  numbers[at + 5] = row.firstByteUs ?? none;
  numbers[at + 6] = row.doneUs;
  numbers[at + 7] = row.status ?? none;
  numbers[at + 8] = row.bytes;
  numbers[at + 9] = row.bodyCrc32 ?? none;
}

/** Makes rows of columns again, batch after batch in their order. */
export class RowUnpacker {
  private readonly words: (string | null)[] = [null];

  unpack(batch: RowBatch): LedgerRow[] {
    for (const word of batch.newWords) this.words.push(word);
    return Array.from({ length: batch.rows }, (_, index) => batch.odd.get(index) ?? this.rowAt(index, batch));
  }

  private rowAt(index: number, { numbers, places }: RowBatch): LedgerRow {
    const number = index * numbersOfRow;
    const word = index * wordsOfRow;
    const seq = numbers[number + 1] ?? 0;
    // The fields in the order of the ledger: a row that is written again has the same text.
    return {
      trial: numbers[number] ?? 0,
      seq,
      dueUs: numbers[number + 2] ?? 0,
      sentUs: orNull(numbers[number + 3]),
      connectedUs: orNull(numbers[number + 4]),
      firstByteUs: orNull(numbers[number + 5]),
      doneUs: numbers[number + 6] ?? 0,
      method: this.textAt(places[word]) as LedgerRow['method'],
      path: this.textAt(places[word + 1]),
      requestId: `${this.textAt(places[word + 2])}${seq}`,
      connection: this.textAt(places[word + 3]) as LedgerRow['connection'],
      outcome: this.textAt(places[word + 4]) as LedgerRow['outcome'],
      status: orNull(numbers[number + 7]),
      bytes: numbers[number + 8] ?? 0,
      bodyCrc32: orNull(numbers[number + 9]),
      instance: this.wordAt(places[word + 5]),
      version: this.wordAt(places[word + 6]),
      error: this.wordAt(places[word + 7]),
    };
  }

  private textAt(place: number | undefined): string {
    return this.wordAt(place) ?? '';
  }

  private wordAt(place = 0): string | null {
    return this.words[place] ?? null;
  }
}

function orNull(number = Number.NaN): number | null {
  return Number.isNaN(number) ? null : number;
}
