import { expect, it } from 'vitest';
import { counted } from './counted.ts';

it('has the singular of one alone', () => {
  expect([0, 1, 2].map((count) => counted(count, 'failure'))).toEqual(['0 failures', '1 failure', '2 failures']);
  expect([1, 2].map((count) => counted(count, 'failed try', 'failed tries'))).toEqual([
    '1 failed try',
    '2 failed tries',
  ]);
});
