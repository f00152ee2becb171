import { describe, expect, it } from 'vitest';
import { writes } from '../verdict/testing.ts';
import { decide, objectionTo, ranked, type Second, type Tried } from './choose.ts';
import { late, lossy, measured, notTried } from './testing.ts';

const e1 = lossy('E1', [{ method: 'GET', cause: 'refused: nobody listened', count: 800 }]);
const seconds = (...all: Second[]): Map<string, Second> => new Map(all.map((one) => [one.way.id, one]));
const idsOf = (tried: readonly Tried[]): string[] => ranked(tried).map(({ measured: { way } }) => way.id);
const missed = (what: string) => ({ what, expected: 'x', measured: 'y', met: false, because: 'z' });

describe('what speaks against a way', () => {
  it.each([
    ['nothing', {}, null],
    [
      'a wait that is longer than its window is no loss',
      { expectations: [missed('longest wait')], verdict: 'fail' },
      null,
    ],
    ['a dropped request', { dropped: 1, verdict: 'pass' }, 'lossy'],
    ['a lost write', { expectations: [missed('writes lost')], verdict: 'fail' }, 'lossy'],
    ['a run that is not trusted', { verdict: 'inconclusive' }, 'untrusted'],
    ['a run that was cut short', { verdict: 'aborted', dropped: 9 }, 'untrusted'],
    ['no restart that counts', { restarts: 0 }, 'untrusted'],
  ] as const)('%s', (_, { ...over }, kind) => {
    const { verdict } = measured('E5', { ...over, expectations: 'expectations' in over ? [...over.expectations] : [] });
    expect(objectionTo(verdict)?.kind ?? null).toBe(kind);
  });
});

describe('the order of ways that lost nothing', () => {
  it.each([
    ['the shortest longest wait first', { E5: 900, E6: 12 }, ['E6', 'E5']],
    ['of two that differ by less than noise the simpler', { E7: 12, E6: 90, E5: 900 }, ['E6', 'E7', 'E5']],
    ['long waits may differ by a quarter', { E6: 1_000, E5: 1_240 }, ['E5', 'E6']],
    ['and by no more', { E6: 1_000, E5: 1_260 }, ['E6', 'E5']],
    // E5 ties with E6, and E6 with E7, but E5 not with E7, which is the shortest.
    ['what is equal is equal to the shortest', { E7: 10, E6: 100, E5: 190 }, ['E6', 'E7', 'E5']],
  ])('%s', (_, waits, order) => {
    const tried = Object.entries(waits).map(([id, longestWaitMs]) => measured(id, { longestWaitMs }));
    expect(idsOf([e1, ...tried, notTried('E8', 'no')])).toEqual(order);
  });
});

describe('the decision', () => {
  const [e5, e6] = [measured('E5', { longestWaitMs: 900 }), measured('E6', { longestWaitMs: 12 })];
  const again = (id: string, restarts = 20) => measured(id, { restarts, badRestartsInterval95: [0, 0.139] });
  const bad = lossy('E6', [{ method: 'POST', cause: 'reset: ended', count: 2 }], { restarts: 20, badRestarts: 2 });

  it('asks for a second run before it recommends', () => {
    expect(decide([e1, e5, e6], seconds())).toEqual({ kind: 'confirm', next: e6 });
  });

  it('recommends by the figures of the second run, with the next as runner-up', () => {
    const second = again('E6');
    expect(decide([e1, e5, e6], seconds(second))).toMatchObject({
      kind: 'recommended',
      bearing: second,
      runnerUp: e5,
      refuted: [],
    });
  });

  it('tries the next where the second run drops something, and says so', () => {
    expect(decide([e1, e5, e6], seconds(bad))).toEqual({ kind: 'confirm', next: e5 });
    const second = again('E5');
    expect(decide([e1, e5, e6], seconds(bad, second))).toMatchObject({
      kind: 'recommended',
      bearing: second,
      runnerUp: null,
      refuted: [{ first: e6, second: bad }],
    });
  });

  it('does not count a refuted way as a runner-up, nor as a tie', () => {
    const e7 = measured('E7', { longestWaitMs: 13 });
    const decision = decide([e6, e7], seconds(bad, again('E7')));
    expect(decision).toMatchObject({ kind: 'recommended', first: e7, ties: [], runnerUp: null });
  });

  it('recommends by the first run where there is no time for a second', () => {
    expect(decide([e1, e6], seconds(notTried('E6', 'no time')))).toMatchObject({ kind: 'recommended', bearing: e6 });
  });

  it('recommends by the first run where the second dropped nothing and cannot be trusted', () => {
    expect(decide([e1, e6], seconds(late('E6')))).toMatchObject({ kind: 'recommended', bearing: e6 });
  });

  it('does not where a second run dropped something and cannot be trusted', () => {
    const doubtful = late('E6', { dropped: 3, provenDropped: 0 });
    expect(decide([e1, e6], seconds(doubtful))).toMatchObject({ kind: 'unknown', refuted: [{ second: doubtful }] });
  });

  it('recommends nothing where each lost something, and names the one that lost least', () => {
    const e3 = lossy('E3', [{ method: 'POST', cause: 'reset: ended', count: 9 }]);
    expect(decide([e1, e3, notTried('E5', 'no')], seconds())).toMatchObject({ kind: 'all-lossy', least: e3 });
    // Two in twenty restarts are less than nine in eight.
    expect(decide([e1, e3, e6], seconds(bad))).toMatchObject({ kind: 'all-lossy', least: bad });
  });

  it('knows nothing where what dropped nothing cannot be trusted', () => {
    expect(decide([e1, late('E5')], seconds())).toMatchObject({ kind: 'unknown' });
    expect(decide([late('E1', { dropped: 800, provenDropped: 700 })], seconds())).toMatchObject({ kind: 'unknown' });
    expect(decide([notTried('E1', 'interrupted.')], seconds())).toEqual({ kind: 'unknown', refuted: [] });
  });

  it('knows enough where what cannot be trusted has drops that no lateness explains', () => {
    const doubtful = late('E5', { dropped: 40, provenDropped: 30 });
    expect(decide([e1, doubtful], seconds())).toMatchObject({ kind: 'all-lossy', least: e1 });
  });

  it('takes a write that was lost for a loss, though no request was dropped', () => {
    const loses = measured('E5', {
      verdict: 'fail',
      writes: { ...writes, lost: 1 },
      expectations: [missed('writes lost')],
    });
    expect(decide([loses], seconds())).toMatchObject({ kind: 'all-lossy', least: loses });
  });
});
