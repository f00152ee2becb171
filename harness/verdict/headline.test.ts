import { describe, expect, it } from 'vitest';
import { headlineOf, type Headlined } from './headline.ts';
import { verdictOfTest } from './testing.ts';
import type { Verdict } from './record/verdict.ts';

const headline = ({
  over,
  ...beside
}: Partial<Pick<Headlined, 'doubts' | 'hasChanged'>> & { over?: Partial<Verdict> }) =>
  headlineOf({ ...verdictOfTest(over ?? {}), doubts: [], hasChanged: null, unchangedRestarts: [], ...beside });
const missed = (what: string, inShort?: string) => ({
  what,
  expected: 'at most 0',
  measured: '7',
  met: false,
  because: 'why',
  ...(inShort !== undefined && { inShort }),
});

describe('what a reader takes away first', () => {
  it('of a run that passes: nothing dropped, or drops as predicted', () => {
    expect(headline({})).toBe('nothing dropped');
    const predicted = { ...verdictOfTest({}).predicted, dropped: 70 };
    expect(headline({ over: { dropped: 71, predicted } })).toBe('drops, as predicted');
    const unpredicted = { ...predicted, dropped: null };
    expect(headline({ over: { dropped: 71, predicted: unpredicted } })).toBe('71 dropped, as allowed');
  });

  it('never hides a silence of seconds in a pass', () => {
    expect(headline({ over: { gapMs: 999 } })).toBe('nothing dropped');
    expect(headline({ over: { gapMs: 3_140 } })).toBe('nothing dropped, though nobody was answered for 3.1 s');
    const predicted = { ...verdictOfTest({}).predicted, dropped: null };
    expect(headline({ over: { dropped: 500, gapMs: 3_140, predicted } })).toBe(
      '500 dropped, as allowed, though nobody was answered for 3.1 s',
    );
    // At one request a second a silence of a second is no silence.
    const schedule = { ...verdictOfTest({}).schedule, ratePerSecond: 1 };
    expect(headline({ over: { gapMs: 2_000, schedule } })).toBe('nothing dropped');
  });

  it('says of a pass that nothing was seen to change', () => {
    expect(headline({ hasChanged: false })).toBe('nothing dropped, but nothing of the service was seen to change');
    expect(headline({ hasChanged: true })).toBe('nothing dropped');
  });

  it('of a run that fails: the worst in its own words, else the drops, else the figure', () => {
    const of = (expectations: Verdict['expectations'], dropped: number): string =>
      headline({ over: { verdict: 'fail', dropped, expectations } });
    expect(of([missed('dropped requests'), missed('…', 'not back')], 7)).toBe('not back');
    expect(of([missed('dropped requests')], 7)).toBe('7 of 300 requests dropped');
    expect(of([missed('dropped requests')], 0)).toBe('nothing dropped, though drops were expected');
    expect(of([missed('writes lost')], 0)).toBe('writes lost: 7');
  });

  it('of a run that is not to be trusted: what its first doubt is about', () => {
    const of = (kind: Headlined['doubts'][number]['kind']): string =>
      headline({ over: { verdict: 'inconclusive' }, doubts: [{ kind }] });
    expect(of('ill-before')).toBe('ill before the deploy');
    expect(of('machine')).toBe('the load was not on time');
  });

  it('of a run that was cut short says so', () => {
    expect(headline({ over: { verdict: 'aborted' } })).toBe('cut short');
  });
});
