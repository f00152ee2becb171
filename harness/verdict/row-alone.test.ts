import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { AloneCheck, wrongAlone, type RowRules } from './row-alone.ts';
import { row } from './testing.ts';

const rules: RowRules = { idPrefix: 'run-1-', ratePerSecond: 100, expectedStatus: null, deadlineMs: 30_000 };

/** What is wrong with row 7: due at 70 ms, sent 100 µs later, answered from 71.5 ms on, done at 72 ms. */
const alone = (over: Partial<LedgerRow>, by = rules): string => wrongAlone(row(7, over), by).join('; ');

describe('a row by itself', () => {
  it.each<Partial<LedgerRow>>([
    {},
    { sentUs: 70_000, connectedUs: 70_000, firstByteUs: 70_000, doneUs: 70_000 },
    { status: 299 },
    { connection: 'new', connectedUs: 70_200 },
    { outcome: 'status-503', status: 503 },
    { outcome: 'timeout', status: null, firstByteUs: null },
    { outcome: 'refused', sentUs: null, status: null, firstByteUs: null },
    { outcome: 'connect-timeout', sentUs: null, status: null, firstByteUs: null },
    { outcome: 'refused', connection: 'new', sentUs: null, status: null, firstByteUs: null },
    { outcome: 'unsent', sentUs: null, status: null, firstByteUs: null },
    { outcome: 'local', sentUs: null, status: null, firstByteUs: null },
    // Of ten digits.
    row(1_000_000_007),
    // Timers may fire a millisecond early.
    { path: '/slow?ms=300', doneUs: 70_000 + 298_000 },
    { path: '/slow?ms=300', doneUs: 75_000, outcome: 'status-502', status: 502 },
  ])('is right: %j', (over) => {
    expect(alone(over)).toBe('');
  });

  it.each<[Partial<LedgerRow>, string]>([
    [{ dueUs: 69_999 }, 'it was not due at 69999 µs'],
    [{ requestId: 'run-2-7' }, 'its id is run-2-7'],
    [{ trial: 2 }, 'it is of trial 2'],
    [{ sentUs: 69_999 }, 'its times are not in order'],
    [{ connectedUs: 70_099 }, 'its times are not in order'],
    [{ connectedUs: 71_501 }, 'its times are not in order'],
    [{ firstByteUs: 72_001 }, 'its times are not in order'],
    [{ firstByteUs: null, doneUs: 70_099 }, 'its times are not in order; ok without a first byte'],
    [
      { outcome: 'unsent', sentUs: null, firstByteUs: null, status: null, doneUs: 69_999 },
      'its times are not in order',
    ],
    [{ outcome: 'status-502', status: 503 }, 'status-502 with status 503'],
    [{ outcome: 'status-502', status: null }, 'status-502 with status none'],
    [{ status: null }, 'ok with status none'],
    [{ connection: 'new' }, 'answered, and never connected'],
    [{ status: 199 }, 'ok with status 199'],
    [{ status: 300 }, 'ok with status 300'],
    [{ outcome: 'status-502', status: 502, sentUs: null }, 'status-502 of a request that was never sent'],
    [{ outcome: 'timeout', status: null, sentUs: null }, 'timeout of a request that was never sent'],
    [{ path: '/slow?ms=300', doneUs: 70_000 + 297_999 }, 'answered sooner than the time it asked the site to take'],
  ])('is wrong: %j', (over, sentence) => {
    expect(alone(over)).toBe(sentence);
  });

  it.each(['refused', 'connect-timeout', 'reset', 'closed', 'unreachable', 'unsent'] as const)(
    'that is %s has no answer',
    (outcome) => {
      expect(alone({ outcome, status: 200, firstByteUs: null })).toBe(`${outcome} of a request that was answered 200`);
      expect(alone({ outcome, status: null, firstByteUs: 71_500 })).toBe(`${outcome} of a request that was answered`);
      expect(alone({ outcome, status: null, firstByteUs: null })).toBe('');
    },
  );

  it.each(['truncated', 'timeout', 'wrong', 'parse', 'local'] as const)('that is %s may have one', (outcome) => {
    expect(alone({ outcome })).toBe('');
  });

  it.each<[Partial<LedgerRow>, string]>([
    [{ outcome: 'status-502', status: 502, firstByteUs: null }, 'status-502 without a first byte'],
    [{ bodyCrc32: null }, 'ok without the check sum of its body'],
    [{ error: 'FIN, body' }, 'ok with an error (FIN, body)'],
    [{ outcome: 'wrong', status: 500 }, 'wrong with status 500'],
    [{ outcome: 'reset', error: null }, 'reset without an error'],
    [{ outcome: 'reset', error: 'FIN, wait' }, 'reset of the error “FIN, wait”'],
    [{ outcome: 'local', error: 'ECONNRESET, wait' }, 'local of the error “ECONNRESET, wait”'],
    [{ outcome: 'local', version: 'v0' }, 'local with what only a whole answer has'],
    [{ outcome: 'closed', instance: 'i' }, 'closed with what only a whole answer has'],
    [{ outcome: 'closed', bodyCrc32: 7 }, 'closed with what only a whole answer has'],
    [{ outcome: 'refused', connectedUs: 70_200 }, 'its error came at the step “connect”, which was over'],
    [{ outcome: 'timeout', firstByteUs: 71_500 }, 'its error came at the step “wait”, which was over'],
    [
      { outcome: 'truncated', firstByteUs: null, status: null },
      'its error came with the answer, of which there is nothing',
    ],
    [{ outcome: 'parse', firstByteUs: null, status: 200 }, 'status 200 without a first byte'],
    [{ outcome: 'timeout', error: 'deadline, wait' }, 'given up before its 30 s were over'],
    [
      { outcome: 'connect-timeout', error: 'deadline, connect', doneUs: 30_069_999 },
      'given up before its 30 s were over',
    ],
    [{ outcome: 'status-502', status: 502, connection: 'new' }, 'answered, and never connected'],
  ])('is not as rows are made: %j', (over, sentence) => {
    expect(alone(over)).toBe(sentence);
  });

  it('is given up when its time is over', () => {
    expect(alone({ outcome: 'timeout', error: 'deadline, wait', doneUs: 30_070_000 })).toBe('');
  });

  it('is ok with the status that was asked for', () => {
    const asked = (expectedStatus: number | null, over: Partial<LedgerRow>): string =>
      alone(over, { ...rules, expectedStatus });
    expect(asked(404, { status: 404 })).toBe('');
    expect(asked(404, { status: 200 })).toBe('ok with status 200');
    expect(asked(404, { outcome: 'status-404', status: 404 })).toBe('status-404 with status 404');
    expect(asked(404, { outcome: 'status-200', status: 200 })).toBe('');
    expect(asked(null, { outcome: 'status-201', status: 201 })).toBe('');
  });

  it('may be wrong in several ways', () => {
    expect(alone({ dueUs: 70_001, requestId: 'x', status: 500 })).toBe(
      'it was not due at 70001 µs; its id is x; ok with status 500',
    );
  });
});

describe('a row of an experiment', () => {
  const plan = {
    runId: 'run',
    seed: 7,
    load: { mix: [{ method: 'POST', path: '/notes', weight: 1 }], connections: 'kept' },
  } as const;
  const check = new AloneCheck({ ...rules, plan }, 10);
  const ofService = new AloneCheck({ ...rules, plan: null }, 10);
  const planned = { method: 'POST', path: '/notes', status: 201 } as const;

  it('is right as its slot has it, and its body is the one asked for', () => {
    expect(check.wrong(row(7, planned))).toEqual([]);
  });

  it('is held against its schedule beside the rules; one of a service is not', () => {
    const other = row(7, { error: 'FIN, body' });
    expect(check.wrong(other)).toEqual([
      'ok with an error (FIN, body)',
      'the schedule has POST /notes on a kept connection in its slot',
    ]);
    expect(ofService.wrong(other)).toEqual(['ok with an error (FIN, body)']);
  });

  it('has the body that was asked for where it is ok, and another where it is wrong', () => {
    const { bodyCrc32 } = row(7, planned);
    const said = (over: Partial<LedgerRow>, by = check): string => by.wrong(row(7, { ...planned, ...over })).join('; ');
    expect(said({ bodyCrc32: 7 })).toBe('ok with a body that is not the one asked for');
    expect(said({ outcome: 'wrong', bodyCrc32: 7 })).toBe('');
    expect(said({ outcome: 'wrong', bodyCrc32 })).toBe('wrong with a body that is the one asked for');
    expect(said({ outcome: 'status-503', status: 503, bodyCrc32: 7 })).toBe('');
    expect(said({ outcome: 'status-503', status: 503, bodyCrc32 })).toBe('');
    expect(said({ bodyCrc32: 7 }, ofService)).toBe('');
  });
});
