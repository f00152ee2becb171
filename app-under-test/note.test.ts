import { expect, test } from 'vitest';
import { parseNote } from './note.ts';

test('a note keeps its id and text, and nothing else', () => {
  expect(parseNote('{"id":"a","text":"","more":1}')).toEqual({ id: 'a', text: '' });
});

test.each([
  ['{', 'not JSON'],
  ['null', 'not a JSON object'],
  ['[]', 'not a JSON object'],
  ['{"text":"x"}', '"id" must be'],
  ['{"id":"","text":"x"}', '"id" must be'],
  [`{"id":"${'x'.repeat(201)}","text":"x"}`, '"id" must be'],
  ['{"id":"a","text":1}', '"text" must be'],
  ['{"id":"a\\u0000b","text":"x"}', 'without NUL'],
  ['{"id":"\\ud800","text":"x"}', 'well-formed'],
])('%s is refused: %s', (json, why) => {
  expect(parseNote(json)).toContain(why);
});
