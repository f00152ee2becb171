/**
 * Words text that others wrote (a server's headers, the strings of a run, file names, what a parser or a command said) for
 * each output. Control, escape and direction characters are shown as `\x1b`, not sent; nothing of it becomes markup, a
 * command of a CI system, or a second line.
 */

/** A longer text is cut: a report is read by people. */
const mostCharacters = 10_000;

/** Control and format characters (escape bytes, direction marks), line separators, and what is no character. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{fffe}\u{ffff}]/gu;

/** One character as it is shown, in a form that JSON reads back as the same. */
function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0xfffe || code === 0xffff) return '\u{fffd}';
  if (code < 0x20) return `\\x${code.toString(16).padStart(2, '0')}`;
  return unitsOf(character);
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Lines of text: only the line feed stays what it is, a tab becomes a space, and no line is a command of a CI system. */
export function shownLines(text: string): string {
  const lines = cut(text.toWellFormed())
    .replaceAll('\t', ' ')
    .replaceAll(/\r\n?/gu, '\n')
    .replaceAll(unseen, (character) => (character === '\n' ? character : escapeOf(character)));
  return withoutCommands(lines);
}

/** GitHub's runner takes a line that begins with `::` for a command, and it and others look for `##[` and `##vso[`. */
function withoutCommands(lines: string): string {
  return lines
    .replaceAll(/^([ \t]*):(?=:)/gmu, `$1${unitEscape(0x3a)}`)
    .replaceAll(/#(?=#(?:\[|\w{1,16}\[))/gu, unitEscape(0x23));
}

/** One line of text: line breaks become spaces. */
export function shownLine(text: string): string {
  return shownLines(
    cut(text)
      .replaceAll(/[\r\n]\s*/gu, ' ')
      .trim(),
  );
}

function cut(text: string): string {
  // Once only: the mark of a cut is one character more.
  return text.length <= mostCharacters + 1 ? text : `${text.slice(0, mostCharacters).toWellFormed()}…`;
}

/** Colours that picocolors writes. */
const colour = String.raw`\u{1b}\[(?:[012]|22|3[0-7]|39|9[0-7])m`;
/** Our own colours, the start of a line that is written over, and everything else that a terminal would obey. */
const obeyed = new RegExp(String.raw`(${colour}|^\r\u{1b}\[K)|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{fffe}\u{ffff}]`, 'gu');

/**
 * Text for a terminal or a log: the last door before the process's streams. Beside line feeds and tabs only our own colours
 * pass, and nothing that a CI system takes for a command (`::error`, `##[group]`, `##vso[…]`).
 */
export function terminalText(text: string): string {
  return withoutCommands(
    text
      .toWellFormed()
      .replaceAll(obeyed, (found: string, ours: string | undefined) =>
        ours !== undefined || found === '\n' || found === '\t' ? found : escapeOf(found),
      ),
  );
}

/** What Markdown gives a meaning to, wherever it stands. */
const marks = /[\\`*[\]<>|~]|&(?=#|\w)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=www)\.|:(?=\/\/)|(?<=\w)@(?=\w)/gu;
/** What it gives a meaning to at the start of a line. */
const firstMark = /^[#+=-](?=[\s#+=-]|$)/u;
const firstNumber = /^(\d{1,9})([.)])(?=\s|$)/u;
/** Simple words in backticks may stay what they are: they cannot become anything else. */
const simpleCode = /(`[\w ./:=+%,()'"{}-]{1,80}`)/u;

/** Text within a line of Markdown, or a cell of a table: it reads as it is, and never becomes markup. */
export function markdownText(text: string): string {
  const parts = shownLine(text).split(simpleCode);
  const made = parts.map((part, index) => (index % 2 === 1 ? part : part.replaceAll(marks, String.raw`\$&`))).join('');
  return made.replace(firstMark, String.raw`\$&`).replace(firstNumber, String.raw`$1\$2`);
}

/** Text within a fenced block, in as many lines as it has: it cannot end the block. */
export function fencedText(text: string): string {
  return shownLines(text).replaceAll(/`{3,}|~{3,}/gu, (run) => run.replaceAll(/.(?=.)/gu, '$& '));
}

/** Text within HTML or XML, in an attribute too, in as many lines as it has. */
export function markupText(text: string): string {
  return shownLines(text).replaceAll(/[&<>"'\n]/gu, (character) => entities[character] ?? '');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '&#10;',
};

/** Text as the message of a GitHub workflow command, which ends at a line break. */
export function commandData(text: string): string {
  return shownLines(text).replaceAll('%', '%25').replaceAll('\n', '%0A');
}

/** Text as a property of one (`title=…`), which ends at a comma or a colon too. */
export function commandProperty(text: string): string {
  return commandData(shownLine(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** JSON that prints as it is: the same value, with every character that a terminal could obey in JSON's own escapes. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replaceAll(unseen, (character) =>
    character === '\n' ? character : unitsOf(character),
  );
  return `${withoutCommands(text)}\n`;
}

function unitsOf(character: string): string {
  return Array.from({ length: character.length }, (_, at) => unitEscape(character.charCodeAt(at))).join('');
}

/** The value with each of its texts, keys too, worded by `word`. */
export function wordedBy<T>(value: T, word: (text: string) => string): T {
  return worded(value, word) as T;
}

function worded(value: unknown, word: (text: string) => string): unknown {
  if (typeof value === 'string') return word(value);
  if (Array.isArray(value)) return value.map((one) => worded(one, word));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [word(name), worded(one, word)]));
}
