/** Latency of every request over its due time, coloured by outcome. */
import type { ChartConfiguration } from 'chart.js';
import type { RestartWindow } from '../../verdict/restart-windows.ts';
import { drawChart, type Picture } from './chart.ts';
import { phasesOf } from '../../verdict/phases.ts';
import { phaseAnnotations, type Axis } from './marks.ts';
import { classNames, classOf, type ClassName } from './palette.ts';

const size = { width: 1_000, height: 420 };
/** Above this many plain answers some are left out, evenly. */
const mostPlainPoints = 4_000;
/** Of more requests than this, failures and waits that would lie on one pixel are drawn as one. */
const mostSinglePoints = 20_000;
/** Pixels of the plotted area from left to right, and of a decade of its logarithmic height, roughly. */
const columns = 920;
const rowsPerDecade = 80;
/** The axis goes no lower. */
const leastMs = 0.1;

/** A request as the chart needs it. */
export interface LatencyPoint {
  readonly dueUs: number;
  readonly latencyMs: number;
  readonly name: ClassName;
}

/**
 * Keeps what the chart can show: of plain answers every nth; of all others each, or of a long run the slowest of those of
 * one class that would lie on one pixel, so that none is missed and no peak is cut.
 */
export class LatencyPoints {
  readonly points: LatencyPoint[] = [];
  /** Of how many plain answers one is kept. */
  readonly every: number;
  /** Are others that lie on one pixel drawn as one? */
  readonly isMerged: boolean;
  private readonly columnUs: number;
  /** Where in `points` the one of each pixel is. */
  private readonly places = new Map<string, number>();
  private plain = 0;

  /** @param expected how many requests there will be, roughly */
  constructor(expected: number, durationMs: number) {
    this.every = Math.max(1, Math.ceil(expected / mostPlainPoints));
    this.isMerged = expected > mostSinglePoints;
    this.columnUs = (durationMs * 1000) / columns;
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
export function drawLatency(options: {
  title: string;
  kept: LatencyPoints;
  durationMs: number;
  windows: readonly RestartWindow[];
}): Picture {
  const { kept } = options;
  const axis: Axis = { minS: 0, maxS: options.durationMs / 1000, widthPx: 920, secondsOf: (us) => us / 1e6 };
  const phases = options.windows.flatMap(phasesOf);
  const merged = kept.isMerged ? '; of others those that lie on one pixel are one' : '';
  const thinned = kept.every === 1 ? '' : ` (of plain answers one in ${kept.every} is drawn${merged})`;
  return drawChart(
    (): ChartConfiguration => ({
      type: 'scatter',
      data: {
        datasets: classNames
          .filter((name) => kept.points.some((point) => point.name === name))
          .map((name) => ({
            label: classOf(name).name,
            data: kept.points
              .filter((point) => point.name === name)
              .map(({ dueUs, latencyMs }) => ({ x: dueUs / 1e6, y: Math.max(latencyMs, leastMs) })),
            backgroundColor: name === 'ok' ? '#8fb3cf' : classOf(name).colour,
            // Squares: a circle takes two thousand characters in an SVG.
            pointStyle: 'rect' as const,
            pointRadius: 1.8,
            borderWidth: 0,
          })),
      },
      options: {
        layout: { padding: { left: 8, right: 16, top: 4, bottom: 4 } },
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
        plugins: {
          title: {
            display: true,
            text: `${options.title}${thinned}`,
            font: { size: 14, weight: 600 },
            color: '#111111',
          },
          legend: { position: 'bottom', labels: { boxWidth: 10, boxHeight: 10, usePointStyle: true } },
          annotation: { annotations: phaseAnnotations(phases, axis) },
        },
      },
    }),
    size,
  );
}

/** Of a logarithmic axis, 1, 2 and 5 of each decade get a number. */
function isNamed(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((named) => Math.abs(mantissa - named) < 1e-6);
}
