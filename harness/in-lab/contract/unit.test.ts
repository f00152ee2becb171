import { describe, expect, it } from 'vitest';
import { spanMs } from './unit.ts';

describe('a span of systemd’s', () => {
  it.each([
    ['15s', 15_000],
    ['1min 30s', 90_000],
    ['1.5s', 1_500],
    ['100ms', 100],
    ['2h', 7_200_000],
    ['infinity', null],
    ['', null],
  ])('%s', (text, ms) => {
    expect(spanMs(text)).toBe(ms);
  });
});
