import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { runRecord, verdictOfTest } from '../verdict/testing.ts';
import { drawSideBySide, onScale } from './charts/side-by-side-chart.ts';
import { sideBySideBars, sideBySideMarkdown, type SideBySideEntry } from './side-by-side.ts';

const paths = { chartPath: 'side-by-side.svg', glossaryPath: '../docs/glossary.md' };

const run = { reportPath: 'reference/E1/report.md', asWritten: true, citable: true };
const dropping: SideBySideEntry = {
  id: 'E1',
  title: 'No drain',
  question: 'How many?',
  run: {
    ...run,
    record: runRecord(e1),
    verdict: verdictOfTest({
      experiment: 'E1',
      badRestarts: 8,
      badRestartsInterval95: [0.688, 1],
      dropped: 1_200,
      due: 4_000,
      predicted: { dropped: 1_180, range: [1_180, 1_180], formula: '', differencePercent: 2 },
      citation: 'E1@r1: the line',
    }),
  },
};
const other = runRecord(e5, { fingerprint: { ...runRecord(e5).fingerprint, kernel: '7' } });
const uncited = verdictOfTest({ badRestartsInterval95: [0, 0.312], controls: null, longestWaitMs: 850 });
const clean: SideBySideEntry = {
  id: 'E5',
  title: 'Socket activation',
  question: 'Any?',
  run: { record: other, verdict: uncited, reportPath: 'reference/E5/report.md', asWritten: false, citable: false },
};
const absent: SideBySideEntry = { id: 'E8', title: 'Tomorrow', question: 'What?', run: null };
const text = sideBySideMarkdown([dropping, clean, absent], paths);

describe('the index', () => {
  it('has a row for each experiment, those without a run too, and links each report', () => {
    expect(text).toMatch(
      /\| \[E1 No drain\]\(reference\/E1\/report\.md\) +\| pass +\| 8 of 8 \(68\.8 % to 100\.0 %, exact 95 %\) +\| 150\.0 +\| 147\.5 +\| 1200 of 4000 /u,
    );
    expect(text).toMatch(/\| \[E5 Socket activation\]\(reference\/E5\/report\.md\) .* 0 of 8 \(≤ 31\.2 %, one-sided/u);
    expect(text).toMatch(/\| E8 Tomorrow +\| no run/u);
    expect(text).toContain('- Not run: E8; `npm run experiment E8`.');
  });

  it('says which rows are not what one takes them for, and where the labs differ', () => {
    expect(text).toContain('- E5 is not for citing: it was made without controls.');
    expect(text).toContain('- E5 ran with other settings than its file has');
    expect(text).not.toContain('- E1 is');
    expect(text).toContain('**They differ in kernel**');
    expect(text).toContain('E1@r1: the line');
  });

  it('is the same bytes when made again, chart and all', () => {
    expect(sideBySideMarkdown([dropping, clean, absent], paths)).toBe(text);
    const bars = sideBySideBars([dropping, clean, absent]);
    expect(drawSideBySide(bars).svg.equals(drawSideBySide(bars).svg)).toBe(true);
  });
});

describe('its chart', () => {
  it('has a bar for each experiment with a run, drops a restart', () => {
    expect(sideBySideBars([dropping, clean, absent])).toEqual([
      { label: 'E1 No drain', dropped: 150, predicted: 147.5, longestWaitMs: 10 },
      { label: 'E5 Socket activation', dropped: 0, predicted: 0, longestWaitMs: 850 },
    ]);
  });

  it('counts drops in all, where nothing was restarted', () => {
    const still = { ...clean, run: { ...clean.run, verdict: verdictOfTest({ restarts: 0, dropped: 3 }) } };
    expect(sideBySideBars([still as SideBySideEntry])[0]).toMatchObject({ dropped: 3 });
  });

  it('puts 0 at 0 and each decade a step further', () => {
    expect(onScale(0)).toBe(0);
    expect(onScale(9)).toBe(1);
    expect(onScale(999)).toBe(3);
  });
});
