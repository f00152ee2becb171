/** A set of ids, of which most are a prefix and a number: those take a few bytes each. */
import { Numbers } from './numbers.ts';
import { plainNumberAfter } from './request-id.ts';

/** Above this number an id is kept as text. */
const mostNumber = 2 ** 26;

const absent = 0;
const present = 1;
const removed = 2;

/** Ids, each added once; they are told in the order in which they were added. */
export class IdSet {
  private readonly prefix: string;
  private states = new Uint8Array(1_024);
  private readonly texts = new Map<string, number>();
  /** Numbers as they came; of a text, −1 less its place among the texts. */
  private readonly order = new Numbers();
  private count = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** How many there are that have not been taken. */
  get left(): number {
    return this.count;
  }

  /** @returns whether it was not there before */
  add(id: string): boolean {
    const number = this.numberOf(id);
    if (((number < 0 ? this.texts.get(id) : this.states[number]) ?? absent) !== absent) return false;
    if (number < 0) {
      this.order.push(-1 - this.texts.size);
      this.texts.set(id, present);
    } else {
      this.order.push(number);
      this.setState(number, present);
    }
    this.count++;
    return true;
  }

  /** Takes it off those that are left; returns whether it was ever added. */
  take(id: string): boolean {
    const number = this.numberOf(id);
    const state = (number < 0 ? this.texts.get(id) : this.states[number]) ?? absent;
    if (state === present) {
      if (number < 0) this.texts.set(id, removed);
      else this.states[number] = removed;
      this.count--;
    }
    return state !== absent;
  }

  /** The first of those that are left. */
  firstLeft(most: number): string[] {
    const found: string[] = [];
    if (this.count === 0) return found;
    const texts = [...this.texts];
    for (const number of this.order.all()) {
      if (found.length === most) break;
      if (number >= 0) {
        if (this.states[number] === present) found.push(`${this.prefix}${number}`);
      } else {
        const [text = '', state] = texts[-1 - number] ?? [];
        if (state === present) found.push(text);
      }
    }
    return found;
  }

  private numberOf(id: string): number {
    if (!id.startsWith(this.prefix)) return -1;
    const number = plainNumberAfter(id, this.prefix.length);
    return number < mostNumber ? number : -1;
  }

  private setState(number: number, state: number): void {
    if (number >= this.states.length) {
      const larger = new Uint8Array(Math.max(number + 1, 2 * this.states.length));
      larger.set(this.states);
      this.states = larger;
    }
    this.states[number] = state;
  }
}
