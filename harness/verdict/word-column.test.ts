import { describe, expect, it } from 'vitest';
import { WordColumn } from './word-column.ts';

describe('a column of words', () => {
  it('gives each row its word, and none where none was set', () => {
    const column = new WordColumn(5);
    for (const [row, word] of ['a', 'b', 'a', ''].entries()) column.set(row, word);
    column.set(1, 'c');
    expect([0, 1, 2, 3, 4, 5].map((row) => column.of(row))).toEqual(['a', 'c', 'a', '', '', '']);
  });

  it('has room for more words than two bytes count', () => {
    const rows = 0x10000 + 5;
    const column = new WordColumn(rows);
    for (let row = 0; row < rows; row++) column.set(row, `word ${row}`);
    const there = WordColumn.of(column.data());
    for (const row of [0, 1, 0xfffd, 0xfffe, 0xffff, 0x10000, rows - 1]) {
      expect(column.of(row)).toBe(`word ${row}`);
      expect(there.of(row)).toBe(`word ${row}`);
    }
  });
});
