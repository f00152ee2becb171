import { expect, it } from 'vitest';
import { answerClaim, powerOf } from './claim.ts';

const claim = (cleanPercent: number) => ({ cleanPercent, because: 'asked for' });

it('is borne by as many clean restarts in a row as its bound takes, and by no fewer', () => {
  // 0.99^299 < 5 % ≤ 0.99^298.
  expect(answerClaim(claim(99), 0, 299)).toEqual({ kind: 'borne' });
  expect(answerClaim(claim(99), 0, 298)).toMatchObject({
    kind: 'too-few',
    why: expect.stringContaining('299') as string,
  });
  expect(answerClaim(claim(99.9), 0, 2_994)).toMatchObject({ kind: 'too-few' });
  expect(answerClaim(claim(99.9), 0, 2_995)).toEqual({ kind: 'borne' });
});

it('is refuted where even the lower end of the interval is above what it allows', () => {
  // 8 of 8: at least 68.8 % are bad.
  expect(answerClaim(claim(99), 8, 8)).toEqual({ kind: 'refuted' });
  // 1 of 8: 0.3 % to 52.7 %, both sides of 1 %.
  expect(answerClaim(claim(99), 1, 8)).toMatchObject({ kind: 'too-few' });
});

it('without a restart says nothing', () => {
  expect(answerClaim(claim(99), 0, 0)).toMatchObject({ kind: 'too-few' });
});

it('is borne, and not refuted, where a bound is just what it allows', () => {
  // 0 of 1: at most 95 % are bad. 1 of 1: at least 5 % are.
  expect(answerClaim(claim(5), 0, 1)).toEqual({ kind: 'borne' });
  expect(answerClaim(claim(95), 1, 1)).toMatchObject({ kind: 'too-few' });
});

it('says how much it takes', () => {
  expect(answerClaim(claim(99), 0, 8)).toEqual({
    kind: 'too-few',
    why:
      'Too few restarts for the claim that 99 % of them are clean: 0 of 8 dropped something, which bounds the bad ones ' +
      'to 31.2 %; it takes 299 clean ones in a row (--restarts 299).',
  });
  expect(answerClaim(claim(99), 0, 0)).toMatchObject({ why: expect.stringContaining('bad ones to 100.0 %') as string });
});

it('tells which window a run would have met, and what a claim takes', () => {
  // 3 / (200 a second × 150 restarts) = 0.1 ms, HAProxy's window.
  expect(powerOf(150, 200).smallestWindowMs).toBeCloseTo(0.1, 3);
  expect(powerOf(0, 200).smallestWindowMs).toBeNull();
  // 0.99^299 < 5 % ≤ 0.99^298.
  expect(powerOf(8, 200)).toMatchObject({ restartsFor99Percent: 299, restartsFor999Permille: 2_995 });
});
