import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { plainOutcomes, type Outcome } from '../load/row.ts';
import { LedgerSummarizer } from '../verdict/ledger-summary.ts';
import { verdictOf } from '../verdict/judge.ts';
import { badRow, direct, evidence, row, runRecord, window } from '../verdict/testing.ts';
import { Bins } from './bins.ts';
import { reportMarkdown } from './markdown.ts';
import { labelRows } from './marks.ts';
import { drawOverview, drawRestart } from './outcome-charts.ts';
import { classifyRow, classNames } from './palette.ts';

const timeline = (
  [
    ['sigterm', 1_000_000],
    ['accept-stopped', 1_050_000],
    ['exit', 1_200_000],
    ['start', 1_400_000],
    ['accepting', 1_750_000],
  ] as const
).map(([kind, atUs]) => ({ kind, atUs, source: 'app' as const, restart: 1 }));

describe('bins', () => {
  it('count every request within their span exactly once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -500, max: 4_000 })), fc.integer({ min: 1, max: 700 }), (times, width) => {
        const bins = new Bins(0, 3_000, width);
        for (const time of times) bins.add(time, 'ok');
        const counted = bins.of('ok').reduce((sum, count) => sum + count, 0);
        expect(counted).toBe(times.filter((time) => time >= 0 && time < bins.count * width).length);
      }),
    );
  });
});

describe('classes of outcomes', () => {
  it('draw no failure as ok', () => {
    const outcomes: Outcome[] = [
      ...plainOutcomes,
      'status-404',
      'status-500',
      'status-502',
      'status-503',
      'status-504',
    ];
    for (const outcome of outcomes) {
      expect(['ok', 'waited'].includes(classifyRow(outcome, 5)), outcome).toBe(outcome === 'ok');
    }
    expect(classifyRow('ok', 99)).toBe('ok');
    expect(classifyRow('ok', 100)).toBe('waited');
    expect(classNames).toContain(classifyRow('status-418', 0));
  });
});

describe('labels of events', () => {
  it('stand in rows in which none overlaps another', () => {
    const rows = labelRows([
      { atPx: 100, text: 'SIGTERM' },
      { atPx: 110, text: 'accept stopped' },
      { atPx: 120, text: 'exit' },
      { atPx: 400, text: 'start' },
    ]);
    expect(rows).toEqual([0, 1, 2, 0]);
  });
});

describe('charts', () => {
  const bins = new Bins(500_000, 2_800_000, 100_000);
  for (let seq = 50; seq < 280; seq++) bins.add(seq * 10_000, seq > 105 && seq < 175 ? 'bad502' : 'ok');
  const draw = (): ReturnType<typeof drawRestart> => drawRestart({ title: 'E1 · restart 1', bins, window, timeline });

  it('are the same bytes for the same run, as PNG and as SVG', () => {
    const [first, second] = [draw(), draw()];
    expect(first.png.subarray(1, 4).toString()).toBe('PNG');
    expect(createHash('sha256').update(first.png).digest('hex')).toBe(
      createHash('sha256').update(second.png).digest('hex'),
    );
    expect(first.svg.equals(second.svg)).toBe(true);
  });

  it('hold text as paths, so that no font is needed to read them', () => {
    const svg = draw().svg.toString();
    const bare = drawOverview({ title: '', bins, windows: [], timeline: [] }).svg.toString();
    expect(svg).not.toContain('<text');
    // The title and the names of events and phases are some hundred glyphs: without a font they would be missing.
    expect(svg.length).toBeGreaterThan(bare.length + 20_000);
    expect(svg.toUpperCase()).toContain('#D55E00');
  });
});

describe('report.md', () => {
  const summarizer = new LedgerSummarizer(300, [window], [{ fromUs: 990_000, toUs: 1_760_000 }]);
  for (let seq = 0; seq < 300; seq++) summarizer.add(seq === 110 ? badRow(seq) : row(seq));
  const run = runRecord(e5);
  const verdict = verdictOf({
    run,
    windows: [window],
    ledger: summarizer.result(),
    ...evidence,
    direct,
    proxy: { arrived: 300, ledgerSent: 300, missing: 0, extra: 0, repeated: 0, disagreeing: 0 },
    kernel: { 'TcpExt.ListenOverflows': 2 },
  });
  const charts = { overview: 'outcomes', latency: 'latency', restarts: ['restart-001'], restartsNotDrawn: 0 };
  const text = reportMarkdown(run, verdict, charts);

  it('begins with the verdict, the bound and the line to cite', () => {
    expect(text).toMatch(/^# E5 Socket activation: fail\n/u);
    expect(text).toContain('1 of 1 restarts dropped something (5.0 % to 100.0 %, exact 95 %)');
    expect(text).toContain(verdict.citation);
  });

  it('says what was missed, what was measured, and what each word means', () => {
    expect(text).toContain('Expected of dropped requests: at most 0; measured: 1.');
    expect(text).toMatch(/\| all +\| 300 +\| 300 +\| 299 +\| 1 +\| 1 +\|/u);
    expect(text).toContain('**status-502**: the proxy got no answer from the site');
    expect(text).toContain('TcpExt.ListenOverflows 2');
    expect(text).toContain('npm run experiment E1 -- --seed 1');
  });

  it('puts doubt before the count when the run cannot be trusted', () => {
    const doubted = reportMarkdown(
      run,
      { ...verdict, verdict: 'inconclusive', reasons: ['Requests left late.'] },
      charts,
    );
    expect(doubted).toContain('This run cannot be trusted. It counted:');
    expect(doubted).toContain('- Requests left late.');
    expect(reportMarkdown(run, { ...verdict, verdict: 'aborted' }, charts)).toContain('nothing can be claimed');
  });
});
