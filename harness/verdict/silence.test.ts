import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { Silence } from './silence.ts';
import { row } from './testing.ts';

/** 100 a second: a slot is 10 ms. */
const slots = 300;

/** The silence, in milliseconds, of 300 slots of which `over` says what became of some; the others are ok after 2 ms. */
function silenceMs(over: (seq: number) => Partial<LedgerRow> | null, count = slots): number | null {
  const silence = new Silence(count, 100);
  for (let seq = 0; seq < count; seq++) silence.add(row(seq, over(seq) ?? {}));
  const us = silence.longestUs();
  return us === null ? null : us / 1000;
}

const refused = { outcome: 'refused', sentUs: null } as const;
const between = (from: number, to: number) => (seq: number) => (seq >= from && seq < to ? refused : null);

describe('the silence of a load', () => {
  it('is nothing where every request is answered', () => {
    expect(silenceMs(() => null)).toBe(0);
  });

  it('is as long as the outage in which requests fail', () => {
    expect(silenceMs(between(100, 150))).toBe(500);
  });

  it('lasts to the last due request where the service dies for good', () => {
    // Slots 100 to 299: due from 1000 ms to 2990 ms.
    expect(silenceMs(between(100, slots))).toBe(1_990);
  });

  it('begins with the first due request where the service is absent at first', () => {
    expect(silenceMs(between(0, 120))).toBe(1_200);
  });

  it('is the whole schedule where all fail', () => {
    expect(silenceMs(() => refused)).toBe(2_990);
  });

  it('is the longest of several', () => {
    expect(silenceMs((seq) => between(20, 30)(seq) ?? between(60, 130)(seq) ?? between(200, 220)(seq))).toBe(700);
  });

  it('is that of the longest run of failures where the service flaps', () => {
    // Answered in every eighth slot only: seven failures in a row.
    expect(silenceMs((seq) => (seq % 8 === 0 ? null : refused))).toBe(70);
  });

  it('is not ended by answers to requests that were due before it', () => {
    // Slots 90 to 99 are answered 300 ms late, in the midst of an outage from slot 100 (1000 ms) to slot 149.
    const inFlight = (seq: number) => (seq >= 90 && seq < 100 ? { doneUs: seq * 10_000 + 302_000 } : null);
    expect(silenceMs((seq) => inFlight(seq) ?? between(100, 150)(seq))).toBe(500);
    expect(silenceMs((seq) => (seq === 99 ? { doneUs: 1_292_000 } : between(100, 150)(seq)))).toBe(500);
  });

  it('is as long as requests wait that are all answered in the end', () => {
    // Slots 100 to 149 wait in the queue until 1500 ms.
    expect(silenceMs((seq) => (seq >= 100 && seq < 150 ? { doneUs: 1_502_000 } : null))).toBe(500);
  });

  it('does not go beyond the last due request', () => {
    expect(silenceMs((seq) => (seq === slots - 1 ? { doneUs: 9_000_000 } : null))).toBe(0);
    expect(silenceMs((seq) => (seq >= 280 ? { doneUs: 9_000_000 } : null))).toBe(190);
  });

  it('is not how long every answer takes', () => {
    expect(silenceMs((seq) => ({ doneUs: seq * 10_000 + 400_000 }))).toBe(0);
    expect(silenceMs((seq) => between(100, 150)(seq) ?? { doneUs: seq * 10_000 + 400_000 })).toBe(500);
  });

  it('does not count what the generator itself could not send', () => {
    expect(silenceMs((seq) => (seq >= 100 && seq < 150 ? { outcome: 'unsent', sentUs: null } : null))).toBe(0);
  });

  it('of a single request is nothing, answered or not', () => {
    expect(silenceMs(() => null, 1)).toBe(0);
    expect(silenceMs(() => refused, 1)).toBe(0);
  });

  it('is not known where nothing was sent', () => {
    expect(silenceMs(() => null, 0)).toBeNull();
    expect(silenceMs(() => ({ outcome: 'unsent', sentUs: null }))).toBeNull();
  });
});

describe('a service', () => {
  /** Is it gone after 10 slots, of which the last came to these outcomes? */
  const isGone = (...outcomes: readonly LedgerRow['outcome'][]): boolean => {
    const silence = new Silence(10, 100);
    for (let seq = 0; seq < 10; seq++) {
      const outcome = outcomes[seq - (10 - outcomes.length)] ?? 'ok';
      silence.add(row(seq, { outcome, ...(outcome === 'refused' && { sentUs: null }) }));
    }
    return silence.isGoneAtEnd();
  };

  it('is gone at the end of a load where the last request was refused, or the last two failed', () => {
    expect([isGone('refused'), isGone('reset', 'status-502'), isGone('refused', 'timeout')]).toEqual([
      true,
      true,
      true,
    ]);
    // One may fail by chance; what the generator could not send says nothing.
    expect([isGone('ok'), isGone('reset'), isGone('refused', 'ok'), isGone('unsent')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(isGone('refused', 'unsent')).toBe(true);
  });
});
