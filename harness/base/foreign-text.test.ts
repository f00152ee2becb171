import fc from 'fast-check';
import { Marked, type Token } from 'marked';
import { describe, expect, it } from 'vitest';
import * as words from './foreign-text.ts';

const { commandData, commandProperty, fencedText, jsonText, markdownText } = words;
const { markupText, shownLine, shownLines, terminalText, wordedBy } = words;
const escape = '\u{1b}';
/** What Markdown, a terminal or a CI system gives a meaning to. */
const harmful = [
  ...'` ``` ~~~ * _ [a](javascript:b) ![x](y) <b> &lt; | :: ##[ ::error::x ##vso[task.complete] \\ %0A ='.split(' '),
  ...'--- https://a.b www.a.b a@b.c \n \r \t \0 \u{9b}2J \u{202e} \u{d800} \u{2028} \u{e0041} \u{ffff}'.split(' '),
  ...[escape, '# ', '- ', '1. ', '> ', '    '],
];
/** Anything that a server, a file or a person could write, and often what would do harm. */
const foreign = fc
  .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...harmful)), { maxLength: 12 })
  .map((parts) => parts.join(''));

const unseen = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe('text of others', () => {
  it('is shown, not sent', () => {
    expect(shownLine(`a${escape}[31mb\u{202e}c\0\u{7f}\u{d800}\u{e0041}`)).toBe(
      String.raw`a\x1b[31mb\u202ec\x00\u007f` + '\u{fffd}' + String.raw`\udb40\udc41`,
    );
    expect(shownLines('a\r\nb\rc\td')).toBe('a\nb\nc d');
    expect(shownLine(' a\n\n b ')).toBe('a b');
    expect(shownLine('a'.repeat(20_000))).toHaveLength(10_001);
  });

  it('has no character that would be obeyed, in whatever output', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        for (const made of [shownLine, shownLines, markdownText, fencedText, markupText, commandData, terminalText]) {
          expect(made(text).replaceAll('\t', '')).not.toMatch(unseen);
        }
        for (const made of [shownLine, markdownText, markupText, commandData, commandProperty]) {
          expect(made(text)).not.toContain('\n');
        }
      }),
    );
  });

  it('is no command of a CI system on a terminal', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        for (const line of [terminalText, shownLines, fencedText].flatMap((made) => made(text).split('\n'))) {
          expect(line.trimStart().startsWith('::')).toBe(false);
          expect(line).not.toMatch(/##\[|##vso\[/u);
        }
        expect(commandData(text)).not.toMatch(/[\r\n]|##\[/u);
        expect(commandProperty(text)).not.toMatch(/[:,]/u);
      }),
    );
  });

  it('leaves our own colours, and the line that is written over', () => {
    expect(terminalText(`${escape}[32mpass${escape}[39m`)).toBe(`${escape}[32mpass${escape}[39m`);
    expect(terminalText(`\r${escape}[Kline`)).toBe(`\r${escape}[Kline`);
    expect(terminalText(`line\r${escape}[K${escape}[8m`)).toBe(String.raw`line\x0d\x1b[K\x1b[8m`);
  });

  it('reads in Markdown as it is, and is nothing but text and plain code', () => {
    const marked = new Marked({ gfm: true });
    const kinds = (tokens: readonly Token[]): string[] =>
      tokens.flatMap((token) => [token.type, ...('tokens' in token ? kinds(token.tokens ?? []) : [])]);
    const frame = (text: string): string =>
      `- **Name**: ${text}.\n\n| a | b |\n| - | - |\n| ${text} | c |\n\n${text} end\n`;
    const expected = new Set(kinds(marked.lexer(frame('x'))).concat('escape', 'codespan', 'table'));
    fc.assert(
      fc.property(foreign, (text) => {
        const tokens = marked.lexer(frame(markdownText(text)));
        expect(kinds(tokens).filter((kind) => !expected.has(kind))).toEqual([]);
        // The list, the table and the paragraph are still there, and the table has its two columns.
        expect(tokens.map(({ type }) => type).filter((type) => type !== 'space')).toEqual([
          'list',
          'table',
          'paragraph',
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('cannot end a fenced block', () => {
    const marked = new Marked({ gfm: true });
    fc.assert(
      fc.property(foreign, (text) => {
        const tokens = marked.lexer(`\`\`\`\n${fencedText(text)}\n\`\`\`\n`);
        expect(tokens.map(({ type }) => type)).toEqual(['code']);
      }),
    );
  });

  it('ends no attribute and no element', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        expect(markupText(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39|#10);)/u);
      }),
    );
  });

  it('is the same value in JSON, without a character that would be obeyed', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        const json = jsonText({ text });
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(unseen);
        // The last door has nothing left to do.
        expect(terminalText(json)).toBe(json);
      }),
    );
  });
});

it('every text of a value is worded, keys too', () => {
  const value = { a: ['b', 1, null, { c: 'd' }], e: true };
  expect(wordedBy(value, (text) => `<${text}>`)).toEqual({ '<a>': ['<b>', 1, null, { '<c>': '<d>' }], '<e>': true });
});
