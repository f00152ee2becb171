/** Latency of every request over its due time, coloured by outcome. */
import type { ChartConfiguration, ChartDataset } from 'chart.js';
import { phasesOf } from '../../verdict/phases.ts';
import type { RestartWindow } from '../../verdict/restart-windows.ts';
import { drawChart, frame, type Picture } from './chart.ts';
import { marksOf, plotPx, type Axis } from './marks.ts';
import { classes, classNames, type ClassName } from './palette.ts';
import { shading } from './shading.ts';

/** Above this many plain answers some are left out, evenly. */
const mostPlainPoints = 4_000;
/** Above this many requests, failures and waits that would lie on one pixel are drawn as one. */
const mostSinglePoints = 20_000;
/** Pixels of a decade of the logarithmic height, roughly. */
const rowsPerDecade = 80;
const leastMs = 0.1;

/** A request as the chart needs it. */
export interface LatencyPoint {
  readonly dueUs: number;
  readonly latencyMs: number;
  readonly name: ClassName;
}

/**
 * Keeps what the chart can show: every nth plain answer, and all others. In a long run it keeps the slowest of those of one
 * class that would lie on one pixel, so that none is missed and no peak is cut.
 */
export class LatencyPoints {
  readonly points: LatencyPoint[] = [];
  /** One in this many plain answers is kept. */
  readonly every: number;
  /** Are others that lie on one pixel drawn as one? */
  readonly isMerged: boolean;
  readonly durationMs: number;
  private readonly columnUs: number;
  /** Where in `points` the one of each pixel is. */
  private readonly places = new Map<string, number>();
  private plain = 0;

  /** @param expected how many requests there will be, roughly */
  constructor(expected: number, durationMs: number) {
    this.every = Math.max(1, Math.ceil(expected / mostPlainPoints));
    this.isMerged = expected > mostSinglePoints;
    this.durationMs = durationMs;
    this.columnUs = (durationMs * 1000) / plotPx;
  }

  add(point: LatencyPoint): void {
    if (point.name === 'ok') {
      if (this.plain++ % this.every === 0) this.points.push(point);
    } else if (this.isMerged) {
      this.merge(point);
    } else {
      this.points.push(point);
    }
  }

  private merge(point: LatencyPoint): void {
    const column = Math.floor(point.dueUs / this.columnUs);
    const row = Math.floor(Math.log10(Math.max(point.latencyMs, leastMs)) * rowsPerDecade);
    const pixel = `${point.name} ${column} ${row}`;
    const place = this.places.get(pixel);
    if (place === undefined) {
      this.places.set(pixel, this.points.length);
      this.points.push(point);
    } else if (point.latencyMs > (this.points[place]?.latencyMs ?? 0)) {
      this.points[place] = point;
    }
  }
}

/** Draws the scatter, the restarts shaded. */
export function drawLatency(title: string, kept: LatencyPoints, windows: readonly RestartWindow[]): Picture {
  const axis: Axis = { minS: 0, maxS: kept.durationMs / 1000, zeroUs: 0 };
  const { annotations, shades, legend } = marksOf(axis, windows.flatMap(phasesOf));
  const merged = kept.isMerged ? '; of others those that lie on one pixel are one' : '';
  const thinned = kept.every === 1 ? '' : ` (of plain answers one in ${kept.every} is drawn${merged})`;
  const configuration = (): ChartConfiguration => ({
    type: 'scatter',
    plugins: [shading(shades)],
    data: {
      datasets: [
        ...classNames.map((name) => setOf(name, kept.points)).filter(({ data }) => data.length > 0),
        ...legend,
      ],
    },
    options: {
      scales: {
        x: {
          type: 'linear',
          min: 0,
          max: axis.maxS,
          title: { display: true, text: 'seconds since the load began, by due time' },
          grid: { display: false },
        },
        y: {
          type: 'logarithmic',
          title: { display: true, text: 'latency from the due time, ms' },
          ticks: { autoSkip: false, callback: (value) => (isNamed(Number(value)) ? String(value) : '') },
        },
      },
      ...frame({
        title: `${title}${thinned}`,
        annotations,
        usePointStyle: true,
      }),
    },
  });
  return drawChart(configuration, { width: 1_000, height: 420 });
}

function setOf(name: ClassName, points: readonly LatencyPoint[]): ChartDataset<'scatter', { x: number; y: number }[]> {
  return {
    label: classes[name].name,
    data: points
      .filter((point) => point.name === name)
      .map(({ dueUs, latencyMs }) => ({ x: dueUs / 1e6, y: Math.max(latencyMs, leastMs) })),
    backgroundColor: name === 'ok' ? '#8fb3cf' : classes[name].colour,
    // Squares: a circle takes two thousand characters in an SVG.
    pointStyle: 'rect',
    pointRadius: 1.8,
    borderWidth: 0,
  };
}

/** 1, 2 and 5 of each decade of a logarithmic axis get a number. */
function isNamed(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((named) => Math.abs(mantissa - named) < 1e-6);
}
