import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import picocolors from 'picocolors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import { wantsColour } from '../context.ts';
import { leftInWords, startTimer } from '../../conduct/time-left.ts';
import { progressLine, startProgress, timeLeftMs, type Standing } from './progress.ts';

const counts: LoadCounts = {
  due: 1_200,
  sent: 1_199,
  settled: 1_190,
  ok: 1_180,
  dropped: 10,
  unsent: 1,
  local: 0,
  lateDueUs: [],
};
const standing: Standing = {
  elapsedMs: 12_340,
  title: 'trial 2 of 3, E5',
  phase: 'load',
  note: 'restart 3 of 8',
  leftMs: 8_100,
  counts,
  total: 4_000,
};
const [plain, coloured] = [picocolors.createColors(false), picocolors.createColors(true)];

describe('the line', () => {
  it('has what matters most first', () => {
    expect(progressLine(standing, Infinity, plain)).toBe(
      ' 12.3 s, 9 s left  trial 2 of 3, E5: load, restart 3 of 8: 1200 of 4000 due, sent 1199, ok 1180, dropped 10, unsent 1',
    );
    const early = { ...standing, title: '', note: '', leftMs: null, counts: null, total: null };
    expect(progressLine(early, Infinity, plain)).toBe(' 12.3 s  load');
    const longer = { ...early, counts: { ...counts, due: 4_001, unsent: 0 }, total: 4_000 };
    expect(progressLine(longer, Infinity, plain)).toBe(' 12.3 s  load: 4001 due, sent 1199, ok 1180, dropped 10');
  });

  it('is never wider than the terminal, and colour takes no room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 140 }), (columns) => {
        const shown = stripVTControlCharacters(progressLine(standing, columns, coloured));
        expect(shown).toBe(progressLine(standing, columns, plain));
        expect(shown.length).toBeLessThanOrEqual(columns);
        // Short where the whole does not fit, cut where the short does not, and only there.
        const whole = progressLine(standing, Infinity, plain);
        const short = ' 12.3 s, 9 s left  trial 2 of 3, E5: load, restart 3 of 8: dropped 10, 1200 of 4000 due';
        if (whole.length <= columns) expect(shown).toBe(whole);
        else expect(shown).toBe(short.length <= columns ? short : `${short.slice(0, columns - 1)}…`);
      }),
    );
    expect(progressLine(standing, Infinity, coloured)).toContain('\u001b[31mdropped 10');
  });
});

describe('the time left', () => {
  const steps = [
    { text: 'a', expectedMs: 1_000 },
    { text: 'b', expectedMs: 10_000 },
    { text: 'c', expectedMs: 2_000 },
  ];

  it('is what is left of this step and all of those after it', () => {
    expect(timeLeftMs(steps, 0, 400, null)).toBe(600 + 10_000 + 2_000);
    // Counts know better than the clock.
    expect(timeLeftMs(steps, 1, 9_999, 0.25)).toBe(7_500 + 2_000);
    // A step that takes longer than expected does not make the others shorter.
    expect(timeLeftMs(steps, 1, 60_000, null)).toBe(2_000);
    expect(timeLeftMs(steps, 2, 60_000, null)).toBe(0);
  });

  it('reads well', () => {
    expect([0, 1, 59_000, 60_000, 125_000, 3_600_000, 5_400_000].map(leftInWords)).toEqual([
      'nearly done',
      '1 s left',
      '59 s left',
      '1 min 00 s left',
      '2 min 05 s left',
      '1 h 00 min left',
      '1 h 30 min left',
    ]);
  });

  it('of a series is that of the runs to come, if they are like those that were', () => {
    let nowMs = 0;
    const left = startTimer(4, () => nowMs);
    expect(left(0)).toBe('');
    nowMs = 30_000;
    expect(left(1)).toBe(', about 1 min 30 s left');
    nowMs = 80_000;
    expect(left(2)).toBe(', about 1 min 20 s left');
  });
});

describe('where lines go', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const start = (isTerminal: boolean, columns = 60) => {
    const written: { atMs: number; text: string }[] = [];
    const progress = startProgress(
      {
        stderr: (text) => written.push({ atMs: performance.now(), text }),
        isTerminal,
        columns: () => columns,
        colours: { stdout: plain, stderr: plain },
      },
      { title: 'E5', steps: [{ text: 'load', expectedMs: 20_000 }] },
    );
    return { progress, written };
  };

  it('elsewhere than on a terminal: at most every 2 s, the newest, with no control characters', async () => {
    const { progress, written } = start(false);
    progress.phase('boot');
    progress.phase('load');
    for (let due = 0; due <= 4_000; due += 20) {
      progress.counts({ ...counts, due }, 4_000);
      if (due === 1_000) progress.note('restart 1 of 1');
      await vi.advanceTimersByTimeAsync(50);
    }
    progress.end();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(written.map(({ text }) => text.slice(0, 20))).toHaveLength(6);
    for (const [index, { atMs, text }] of written.entries()) {
      expect(text).toMatch(/^[ \d]+\.\d s[^\u001b\r\n]+\n$/u);
      const before = written[index - 1];
      if (before !== undefined) expect(atMs - before.atMs).toBeGreaterThanOrEqual(1_999);
    }
    expect(written[0]?.text).toContain('E5: boot');
    expect(written[1]?.text).toContain('E5: load');
    expect(written[2]?.text).toContain('restart 1 of 1');
  });

  it('on a terminal: over the line before, narrower than the terminal, and away at the end', async () => {
    const { progress, written } = start(true, 30);
    progress.phase('load');
    progress.counts(counts, 4_000);
    await vi.advanceTimersByTimeAsync(1_300);
    progress.end();
    const texts = written.map(({ text }) => text);
    // Two, and one since time goes on while nothing happens.
    expect(texts).toHaveLength(4);
    for (const text of texts) {
      expect(text.startsWith('\r\u001b[K')).toBe(true);
      expect(stripVTControlCharacters(text).replace('\r', '').length).toBeLessThan(30);
    }
    expect(texts.at(-1)).toBe('\r\u001b[K');
  });
});

describe('colour', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', TERM: 'dumb' }, false, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  ])('with %j on a terminal (%s): %s', (env, isTerminal, wanted) => {
    expect(wantsColour(env, isTerminal)).toBe(wanted);
  });
});
