import { describe, expect, it } from 'vitest';
import {
  deadlineWords,
  limitWords,
  noConnectionFree,
  outcomeOfDeadline,
  outcomeOfEnd,
  outcomeOfError,
  outcomeOfWords,
  serverHeldAll,
  stepOfWords,
  type Step,
} from './failure-words.ts';

const steps: readonly Step[] = ['connect', 'wait', 'body'];
const codes = ['EADDRNOTAVAIL', 'EMFILE', 'EHOSTUNREACH', 'ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'a, b'];

describe('the words of an error', () => {
  it.each(steps)('tell the outcome and the step that they were written with: %s', (step) => {
    for (const code of codes) {
      expect(outcomeOfWords(`${code}, ${step}`)).toBe(outcomeOfError(code, step));
      expect(stepOfWords(`${code}, ${step}`)).toBe(step);
    }
    expect(outcomeOfWords(deadlineWords(step))).toBe(outcomeOfDeadline(step));
    expect(outcomeOfWords(`FIN, ${step}`)).toBe(outcomeOfEnd(step));
  });

  it('tell what has no step', () => {
    expect(outcomeOfWords(noConnectionFree)).toBe('unsent');
    expect(outcomeOfWords(serverHeldAll)).toBe('unsent');
    expect(outcomeOfWords(limitWords('the answer is above 5 bytes, body'))).toBe('local');
    expect(outcomeOfWords('not a status: 7')).toBe('parse');
    expect(outcomeOfWords('ECONNRESET, waiting')).toBe('parse');
    expect(stepOfWords('not a status: 7')).toBeNull();
  });
});
