/** Latency of every request over its due time, coloured by outcome. */
import type { ChartConfiguration } from 'chart.js';
import type { TimelineEvent } from '../timeline/event.ts';
import type { RestartWindow } from '../verdict/restart-windows.ts';
import { drawChart, type Picture } from './chart.ts';
import { phaseAnnotations, phasesOf, type Axis } from './marks.ts';
import { classNames, classOf, type ClassName } from './palette.ts';

const size = { width: 1_000, height: 420 };
/** Above this many plain answers some are left out, evenly; failures and waits never are. */
const mostPlainPoints = 4_000;

/** A request as the chart needs it. */
export interface LatencyPoint {
  readonly dueUs: number;
  readonly latencyMs: number;
  readonly name: ClassName;
}

/** Keeps what the chart can show: everything that is not a plain answer, and of those every nth. */
export class LatencyPoints {
  readonly points: LatencyPoint[] = [];
  /** Of how many plain answers one is kept. */
  readonly every: number;
  private plain = 0;

  /** @param expected how many requests there will be, roughly */
  constructor(expected: number) {
    this.every = Math.max(1, Math.ceil(expected / mostPlainPoints));
  }

  add(point: LatencyPoint): void {
    if (point.name === 'ok' && this.plain++ % this.every !== 0) return;
    this.points.push(point);
  }
}

/** Draws the scatter, the restarts shaded. */
export function drawLatency(options: {
  title: string;
  kept: LatencyPoints;
  durationMs: number;
  windows: readonly RestartWindow[];
  timeline: readonly TimelineEvent[];
}): Picture {
  const { kept, timeline } = options;
  const axis: Axis = { minS: 0, maxS: options.durationMs / 1000, widthPx: 920, secondsOf: (us) => us / 1e6 };
  const phases = options.windows.flatMap((window) => phasesOf(window, timeline));
  const thinned = kept.every === 1 ? '' : ` (of plain answers one in ${kept.every} is drawn)`;
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
              .map(({ dueUs, latencyMs }) => ({ x: dueUs / 1e6, y: Math.max(latencyMs, 0.1) })),
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
