import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pathText } from './path.ts';

const here = process.cwd();

it.each([
  ['from here where it lies below', join(here, 'reports/E5'), [], 'reports/E5'],
  ['as a dot where it is here', here, [], '.'],
  ['absolute where it lies elsewhere', '/tmp/out/E5', [], '/tmp/out/E5'],
  ['absolute where its folder was named so', join(here, 'out/E5'), ['--out', join(here, 'out')], join(here, 'out/E5')],
  ['absolute with --out=/…, too', join(here, 'out/E5'), [`--out=${join(here, 'out')}/`], join(here, 'out/E5')],
  ['from here where another folder was named', join(here, 'outer/E5'), [join(here, 'out')], 'outer/E5'],
])('a path is printed %s', (_, path, words, text) => {
  expect(pathText(path, words)).toBe(text);
});
