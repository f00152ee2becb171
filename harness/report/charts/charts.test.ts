import { createHash } from 'node:crypto';
import type { ChartConfiguration } from 'chart.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainOutcomes, type Outcome } from '../../run/files/ledger.ts';
import { phasesOf } from '../../verdict/phases.ts';
import { window } from '../../verdict/testing.ts';
import { Bins } from './bins.ts';
import { drawChart, frame, type Annotations, type Picture } from './chart.ts';
import { labelRows, marksOf } from './marks.ts';
import { drawOverview, drawRestart } from './outcome-charts.ts';
import { classifyRow, classNames } from './palette.ts';
import { shading } from './shading.ts';

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

it('labels of events stand in rows in which none overlaps another', () => {
  const texts = { SIGTERM: 100, 'accept stopped': 110, exit: 120, start: 400 };
  expect(labelRows(Object.entries(texts).map(([text, atPx]) => ({ text, atPx })))).toEqual([0, 1, 2, 0]);
});

describe('marks of a restart', () => {
  const axis = { minS: 0, maxS: 3, zeroUs: 0 };
  const spans = phasesOf(window);

  it('shade the phases where the verdict has them, and the legend tells those that are there', () => {
    const seconds = spans.map(({ fromUs, toUs }) => [fromUs / 1e6, toUs / 1e6]);
    expect(marksOf(axis, spans).shades.map(({ fromS, toS }) => [fromS, toS])).toEqual(seconds);
    const boxes = Object.values(marksOf(axis, spans, timeline).annotations).filter(({ type }) => type === 'box');
    expect(boxes.map(({ xMin, xMax }) => [xMin, xMax])).toEqual(seconds);
    const told = (of: typeof spans): unknown[] => marksOf(axis, of).legend.map(({ label }) => label.split(':')[0]);
    expect(told(spans)).toEqual(['draining', 'down', 'warming']);
    expect(told(spans.filter(({ name }) => name === 'draining'))).toEqual(['draining']);
  });

  it('keep lines from crossing labels: these are opaque, and drawn last', () => {
    const lines = Object.values(marksOf(axis, spans, timeline).annotations).filter(({ type }) => type === 'line');
    expect(lines).toHaveLength(timeline.length);
    for (const { label } of lines) expect(label).toMatchObject({ backgroundColor: 'white', drawTime: 'afterDraw' });
  });
});

describe('charts', () => {
  const bins = new Bins(500_000, 2_800_000, 100_000);
  for (let seq = 50; seq < 280; seq++) bins.add(seq * 10_000, seq > 105 && seq < 175 ? 'bad502' : 'ok');
  const draw = (): ReturnType<typeof drawRestart> => drawRestart('E1 · restart 1', bins, window, timeline);

  it('are the same bytes for the same run, as PNG and as SVG', () => {
    const [first, second] = [draw(), draw()];
    expect(first.png.subarray(1, 4).toString()).toBe('PNG');
    expect(createHash('sha256').update(first.png).digest('hex')).toBe(
      createHash('sha256').update(second.png).digest('hex'),
    );
    expect(first.svg.equals(second.svg)).toBe(true);
  });

  it('shade many phases with the bytes that a box for each would have', () => {
    const shades = [0.2, 0.5, 0.6].map((fromS) => ({ fromS, toS: fromS + 0.15, colour: 'rgba(213, 94, 0, 0.13)' }));
    const boxes = shades.map(({ fromS, toS, colour }, index) => {
      const look = { backgroundColor: colour, borderWidth: 0, drawTime: 'beforeDatasetsDraw' };
      return [`box${index}`, { ...look, type: 'box', xMin: fromS, xMax: toS }] as const;
    });
    const drawn = (plugins: ChartConfiguration['plugins'] & object, annotations: Annotations): Picture =>
      drawChart(
        () => ({
          type: 'scatter',
          plugins,
          data: { datasets: [{ label: 'ok', data: [{ x: 0.3, y: 1 }] }] },
          options: { scales: { x: { min: 0, max: 1 } }, ...frame({ title: '', annotations }) },
        }),
        { width: 400, height: 200 },
      );
    const [shaded, boxed, bare] = [
      drawn([shading(shades)], {}),
      drawn([], Object.fromEntries(boxes)),
      drawn([], {}),
    ].map(({ png, svg }) => Buffer.concat([png, svg]).toString('base64'));
    expect(shaded === boxed).toBe(true);
    expect(shaded === bare).toBe(false);
  });

  it('hold text as paths, so that no font is needed to read them', () => {
    const svg = draw().svg.toString();
    const bare = drawOverview('', bins, []).svg.toString();
    expect(svg).not.toContain('<text');
    // The title and the names of events and phases are some hundred glyphs: without a font they would be missing.
    expect(svg.length).toBeGreaterThan(bare.length + 20_000);
    expect(svg.toUpperCase()).toContain('#D55E00');
  });
});
