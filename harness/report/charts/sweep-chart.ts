/** The chart of a sweep: dropped a restart against the knob, with its interval and the prediction, and the longest wait. */
import type { ChartConfiguration } from 'chart.js';
import { drawChart, type Picture } from './chart.ts';
import type { AnnotationOptions } from './marks.ts';

const size = { width: 1_000, height: 420 };

/** Colours that stay apart for colour-blind readers (Okabe and Ito). */
const lineColours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'];
const waitColour = '#666666';

/** One cell of a sweep: a value of the first knob, and what was measured there. */
export interface SweepPoint {
  readonly value: string;
  /** The value of the second knob; null where there is one knob. */
  readonly series: string | null;
  readonly droppedPerRestart: { readonly mean: number; readonly low: number; readonly high: number } | null;
  readonly predictedPerRestart: number | null;
  readonly longestWaitMs: number | null;
  /** The same at the site's own port. */
  readonly longestDirectMs: number | null;
}

/** Draws a line for each value of the second knob, over the values of the first. */
export function drawSweep(options: { title: string; knob: string; points: readonly SweepPoint[] }): Picture {
  const { title, knob, points } = options;
  const values = [...new Set(points.map(({ value }) => value))];
  const names = [...new Set(points.map(({ series }) => series))];
  const at = (value: string, series: string | null): SweepPoint | undefined =>
    points.find((point) => point.value === value && point.series === series);
  const annotations: Record<string, AnnotationOptions> = {};
  for (const [index, series] of names.entries()) {
    for (const [position, value] of values.entries()) {
      const interval = at(value, series)?.droppedPerRestart;
      if (interval == null || interval.high <= interval.low) continue;
      annotations[`interval-${index}-${position}`] = {
        type: 'line',
        xMin: position,
        xMax: position,
        yMin: interval.low,
        yMax: interval.high,
        yScaleID: 'y',
        borderColor: lineColours[index % lineColours.length],
        borderWidth: 2,
      };
    }
  }
  const label = (series: string | null, what: string): string => (series === null ? what : `${what}, ${series}`);
  const configuration = (): ChartConfiguration => ({
    type: 'line',
    data: {
      labels: values,
      datasets: names.flatMap((series, index) => {
        const colour = lineColours[index % lineColours.length] ?? '#000000';
        return [
          {
            label: label(series, 'dropped a restart'),
            data: values.map((value) => at(value, series)?.droppedPerRestart?.mean ?? null),
            borderColor: colour,
            backgroundColor: colour,
            borderWidth: 2,
            yAxisID: 'y',
          },
          {
            label: label(series, 'predicted'),
            data: values.map((value) => at(value, series)?.predictedPerRestart ?? null),
            borderColor: colour,
            backgroundColor: 'white',
            borderDash: [6, 4],
            borderWidth: 1.5,
            pointStyle: 'rectRot',
            yAxisID: 'y',
          },
          {
            label: label(series, 'longest wait'),
            data: values.map((value) => at(value, series)?.longestWaitMs ?? null),
            borderColor: names.length === 1 ? waitColour : colour,
            backgroundColor: names.length === 1 ? waitColour : colour,
            borderDash: [2, 3],
            borderWidth: 1,
            pointStyle: 'triangle',
            yAxisID: 'wait',
          },
          {
            label: label(series, 'longest wait at the site’s own port'),
            data: values.map((value) => at(value, series)?.longestDirectMs ?? null),
            borderColor: names.length === 1 ? waitColour : colour,
            backgroundColor: 'white',
            borderDash: [1, 4],
            borderWidth: 1,
            pointStyle: 'star',
            yAxisID: 'wait',
          },
        ];
      }),
    },
    options: {
      scales: {
        x: { title: { display: true, text: knob } },
        y: { beginAtZero: true, title: { display: true, text: 'dropped a restart (95 % interval)' } },
        wait: {
          position: 'right',
          beginAtZero: true,
          grid: { drawOnChartArea: false },
          title: { display: true, text: 'longest wait, ms' },
        },
      },
      plugins: {
        title: { display: true, text: title },
        legend: { position: 'bottom', labels: { usePointStyle: true } },
        annotation: { annotations },
      },
    },
  });
  return drawChart(configuration, size);
}
