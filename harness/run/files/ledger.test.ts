import { describe, expect, it } from 'vitest';
import { isDropped, isOwnFault, plainOutcomes, type Outcome } from './ledger.ts';

const ownFaults: readonly Outcome[] = ['local', 'unsent'];
const all: readonly Outcome[] = [
  ...plainOutcomes,
  'status-404',
  'status-500',
  'status-502',
  'status-503',
  'status-304',
];

describe('what counts as dropped', () => {
  it('is every outcome but ok and the generator’s own two', () => {
    expect(all.filter((outcome) => !isDropped(outcome))).toEqual(['ok', 'local', 'unsent']);
    // Named once more, so that an outcome taken off the list does not go unseen.
    expect(all.filter(isDropped)).toEqual([
      'refused',
      'connect-timeout',
      'reset',
      'closed',
      'refused-stream',
      'truncated',
      'timeout',
      'wrong',
      'parse',
      'tls',
      'unreachable',
      'status-404',
      'status-500',
      'status-502',
      'status-503',
      'status-304',
    ]);
  });

  it.each(ownFaults)('is never the generator’s own fault: %s', (outcome) => {
    expect([isOwnFault(outcome), isDropped(outcome)]).toEqual([true, false]);
  });

  it('holds nothing else for the generator’s own fault', () => {
    expect(all.filter(isOwnFault)).toEqual(ownFaults);
  });
});
