import { expect, it } from 'vitest';
import { answerClaim, powerOf } from './claim.ts';

const answer = (cleanPercent: number, bad: number, restarts: number) =>
  answerClaim({ cleanPercent, because: 'asked for' }, bad, restarts);

it.each([
  // 0.99^299 < 5 % ≤ 0.99^298.
  [99, 0, 299, 'borne'],
  [99, 0, 298, 'too-few'],
  [99.9, 0, 2_995, 'borne'],
  [99.9, 0, 2_994, 'too-few'],
  // 8 of 8: at least 68.8 % are bad. 1 of 8: 0.3 % to 52.7 %, both sides of 1 %.
  [99, 8, 8, 'refuted'],
  [99, 1, 8, 'too-few'],
  // 0 of 1: at most 95 % are bad. 1 of 1: at least 5 % are.
  [5, 0, 1, 'borne'],
  [95, 1, 1, 'too-few'],
] as const)('that %s %% are clean is, with %i of %i bad, %s', (cleanPercent, bad, restarts, kind) => {
  expect(answer(cleanPercent, bad, restarts)).toMatchObject({ kind });
});

it('says how much it takes', () => {
  expect(answer(99, 0, 8)).toEqual({
    kind: 'too-few',
    why:
      'Too few restarts for the claim that 99 % of them are clean: 0 of 8 dropped something, which bounds the bad ones ' +
      'to 31.2 %; it takes 299 clean ones in a row (--restarts 299).',
  });
  const why = expect.stringContaining('bad ones to 100.0 %') as string;
  expect(answer(99, 0, 0)).toMatchObject({ kind: 'too-few', why });
});

it('tells which window a run would have met, and what a claim takes', () => {
  // 3 / (200 a second × 150 restarts) = 0.1 ms, HAProxy's window.
  expect(powerOf(150, 200).smallestWindowMs).toBeCloseTo(0.1, 3);
  expect(powerOf(0, 200).smallestWindowMs).toBeNull();
  // 0.99^299 < 5 % ≤ 0.99^298.
  expect(powerOf(8, 200)).toMatchObject({ restartsFor99Percent: 299, restartsFor999Permille: 2_995 });
});
