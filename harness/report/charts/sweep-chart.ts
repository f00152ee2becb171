/** The chart of a sweep: dropped a restart against the knob, with its interval and the prediction, and the longest wait. */
import type { ChartConfiguration, ChartDataset } from 'chart.js';
import { drawChart, frame, type Annotations, type Picture } from './chart.ts';

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
export function drawSweep(title: string, knob: string, points: readonly SweepPoint[]): Picture {
  const values = [...new Set(points.map(({ value }) => value))];
  const lines = [...new Set(points.map(({ series }) => series))].map((series, index, all) => {
    const colour = lineColours[index % lineColours.length] ?? '#000000';
    return {
      series,
      colour,
      waitColour: all.length === 1 ? waitColour : colour,
      points: values.map((value) => points.find((point) => point.value === value && point.series === series)),
    };
  });
  const configuration = (): ChartConfiguration => ({
    type: 'line',
    data: { labels: values, datasets: lines.flatMap(setsOf) },
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
      ...frame({
        title,
        annotations: Object.assign({}, ...lines.map(intervalsOf)) as Annotations,
        usePointStyle: true,
      }),
    },
  });
  return drawChart(configuration, { width: 1_000, height: 420 });
}

interface Line {
  readonly series: string | null;
  readonly colour: string;
  readonly waitColour: string;
  readonly points: readonly (SweepPoint | undefined)[];
}

function setsOf({ series, colour, waitColour: ofWaits, points }: Line): ChartDataset<'line'>[] {
  const set = (
    what: string,
    valueOf: (point: SweepPoint) => number | null | undefined,
    look: Partial<ChartDataset<'line'>>,
  ): ChartDataset<'line'> => ({
    label: series === null ? what : `${what}, ${series}`,
    data: points.map((point) => (point === undefined ? null : (valueOf(point) ?? null))),
    ...look,
  });
  const drops = { borderColor: colour, yAxisID: 'y' };
  const waits = { borderColor: ofWaits, borderWidth: 1, yAxisID: 'wait' };
  return [
    set('dropped a restart', ({ droppedPerRestart }) => droppedPerRestart?.mean, {
      ...drops,
      backgroundColor: colour,
      borderWidth: 2,
    }),
    set('predicted', ({ predictedPerRestart }) => predictedPerRestart, {
      ...drops,
      backgroundColor: 'white',
      borderWidth: 1.5,
      borderDash: [6, 4],
      pointStyle: 'rectRot',
    }),
    set('longest wait', ({ longestWaitMs }) => longestWaitMs, {
      ...waits,
      backgroundColor: ofWaits,
      borderDash: [2, 3],
      pointStyle: 'triangle',
    }),
    set('longest wait at the site’s own port', ({ longestDirectMs }) => longestDirectMs, {
      ...waits,
      backgroundColor: 'white',
      borderDash: [1, 4],
      pointStyle: 'star',
    }),
  ];
}

/** The 95 % interval of each point, as an upright line. */
function intervalsOf({ colour, points }: Line, line: number): Annotations {
  return Object.fromEntries(
    points.flatMap((point, position) => {
      const interval = point?.droppedPerRestart;
      if (interval == null || interval.high <= interval.low) return [];
      const look = { type: 'line', yScaleID: 'y', borderColor: colour, borderWidth: 2 };
      const [yMin, yMax] = [interval.low, interval.high];
      return [[`interval-${line}-${position}`, { ...look, xMin: position, xMax: position, yMin, yMax }]];
    }),
  );
}
