import { describe, expect, it } from 'vitest';
import { spanMs, tellingLines } from './unit.ts';

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

describe('the lines that tell why it ended', () => {
  const end = ['}', 'Node.js v24.21.0'];
  const trace = ['    at a', '    at b', '    at c', '  code: 1', ...end];
  const python = ['Traceback:', '  File "a"', 'OSError: in use'];

  it.each([
    ['a trace', ["Error: no '/x.js'", ...trace], ["Error: no '/x.js'", ...end]],
    ['the last of two', ['TypeError: a', ...trace, 'TypeError: b', ...trace], ['TypeError: b', ...end]],
    ['a panic', ['panic: no port', '', 'goroutine 1', 'exit 2'], ['panic: no port', 'goroutine 1', 'exit 2']],
    ['an error at the end', [...python], [...python]],
    ['no error', ['starts', 'ends'], ['starts', 'ends']],
  ])('%s', (_, lines, told) => {
    expect(tellingLines(lines.filter((line) => line !== ''))).toEqual(told);
  });
});
