import { describe, expect, it } from 'vitest';
import type { AccessLine } from '../run/access-log.ts';
import type { FailureKind } from '../run/proxy-log.ts';
import { FailedTries } from './failed-tries.ts';

function tries(...of: [atWallUs: number, failure: FailureKind][]): FailedTries {
  const failed = new FailedTries();
  for (const [index, [atWallUs, failure]] of of.entries()) {
    failed.addLogLine({ line: index + 1, atWallUs, kind: 'failed-try', status: 502, failure, error: '' });
  }
  return failed;
}

describe('what stands behind an answer of the proxy’s own', () => {
  it.each([
    // The error comes just before the answer, and is stamped up to 50 ms later.
    [994_999, false],
    [995_000, true],
    [1_050_000, true],
    [1_050_001, false],
  ])('is an error near its end: %i µs', (atWallUs, isNear) => {
    expect(tries([atWallUs, 'refused']).behind(1_000_000)).toEqual(isNear ? { failure: 'refused', line: 1 } : null);
  });

  it('is the nearest of several, in whatever order they came', () => {
    const failed = tries([1_020_000, 'reset'], [1_001_000, 'refused'], [996_000, 'timeout'], [500_000, 'other']);
    expect(failed.behind(1_000_000)).toEqual({ failure: 'refused', line: 2 });
    expect(failed.behind(1_019_000)).toEqual({ failure: 'reset', line: 1 });
    expect(failed.behind(500_000)).toEqual({ failure: 'other', line: 4 });
    // Of two as near it is the earlier one.
    expect(tries([1_004_000, 'reset'], [996_000, 'refused']).behind(1_000_000)).toEqual({
      failure: 'refused',
      line: 2,
    });
  });

  it('is not told where another kind of error lies within 2 ms of the nearest', () => {
    expect(tries([1_000_000, 'refused'], [1_002_000, 'reset']).behind(1_000_000)).toEqual({
      failure: 'refused or reset',
      line: 1,
    });
    expect(tries([1_000_000, 'refused'], [998_000, 'reset']).behind(1_000_000)?.failure).toBe('refused or reset');
    expect(tries([1_000_000, 'refused'], [1_002_001, 'reset']).behind(1_000_000)?.failure).toBe('refused');
    expect(tries([1_000_000, 'refused'], [1_002_000, 'refused']).behind(1_000_000)?.failure).toBe('refused');
  });

  it('is found among a great many', () => {
    const many = tries(
      ...Array.from({ length: 1_001 }, (_, index): [number, FailureKind] => [(1_000 - index) * 1e6, 'reset']),
    );
    for (const second of [0, 1, 499, 500, 999, 1_000]) {
      expect(many.behind(second * 1e6)).toEqual({ failure: 'reset', line: 1_001 - second });
      expect(many.behind(second * 1e6 + 500_000)).toBeNull();
    }
  });

  it.each(['refused', 'reset', 'timeout', 'cancelled', 'other'] as const)('is told as what it is: %s', (failure) => {
    expect(tries([1_000_000, failure]).behind(1_000_000)).toEqual({ failure, line: 1 });
  });

  it('may be asked, then told of more', () => {
    const failed = tries([2_000_000, 'reset']);
    expect(failed.behind(1_000_000)).toBeNull();
    failed.addLogLine({ line: 8, atWallUs: 1_000_000, kind: 'failed-try', status: 502, failure: 'refused', error: '' });
    expect(failed.behind(1_000_000)).toEqual({ failure: 'refused', line: 8 });
  });

  it('is nothing where the log is empty', () => {
    expect(new FailedTries().behind(0)).toBeNull();
  });
});

describe('the balance of the two logs', () => {
  const answer = (over: Partial<AccessLine>): AccessLine => ({
    requestId: '',
    method: 'GET',
    path: '/',
    status: 502,
    bytes: 0,
    startWallUs: 0,
    durationUs: 0,
    backend: '127.0.0.1:18080',
    version: undefined,
    ...over,
  });

  it('counts answers after a backend had failed: with a backend, without a version, from 400 on', () => {
    const failed = new FailedTries();
    failed.addAnswer(answer({}));
    failed.addAnswer(answer({ status: 400 }));
    for (const no of [{ status: 399 }, { backend: undefined }, { version: 'v0' }]) failed.addAnswer(answer(no));
    expect(failed.balance()).toEqual({ answers: 2, retries: 0, failedTries: 0 });
  });

  it('counts failed tries and further tries, and no other line', () => {
    const failed = tries([1, 'refused'], [2, 'reset']);
    failed.addLogLine({ line: 3, atWallUs: 3, kind: 'another-try' });
    failed.addLogLine({ line: 4, atWallUs: 4, kind: 'check-failed', service: 'demo', error: '' });
    failed.addLogLine({ line: 5, atWallUs: 5, kind: 'check', service: 'demo', server: 'http://a', up: false });
    expect(failed.balance()).toEqual({ answers: 0, retries: 1, failedTries: 2 });
  });
});
