/** A column of words that repeat, a million rows long. */

/** What a column holds, as one thread hands it to another. */
export interface WordColumnData {
  readonly numbers: Uint16Array | Uint32Array;
  readonly words: string[];
}

/** Each word is kept once, and its number in two bytes a row as long as there are few. */
export class WordColumn {
  private numbers: Uint16Array | Uint32Array;
  /** Number 0 stands for none. */
  private words: string[] = [''];
  private readonly numberOf = new Map<string, number>([['', 0]]);
  /** The one set last: a log repeats itself, and a lookup in the map takes longer. */
  private lastWord = '';
  private lastNumber = 0;

  constructor(rows: number) {
    this.numbers = new Uint16Array(rows);
  }

  /** A column to be asked, not to be set any further. */
  static of({ numbers, words }: WordColumnData): WordColumn {
    const column = new WordColumn(0);
    column.numbers = numbers;
    column.words = words;
    return column;
  }

  data(): WordColumnData {
    return { numbers: this.numbers, words: this.words };
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
