/** All experiments in one chart: what a restart drops, and how long an answer waits, on one scale from 0 to many thousands. */
import type { ChartConfiguration } from 'chart.js';
import { drawChart, frame, type Annotations, type Picture } from './chart.ts';

const rowPx = 58;
const framePx = 150;
const barPx = 10;

/** An experiment as the chart shows it. */
export interface SideBySideBar {
  readonly label: string;
  /** Drops a restart; in all, where nothing was restarted. */
  readonly dropped: number;
  readonly predicted: number | null;
  readonly longestWaitMs: number | null;
}

/** Where a value lies on the scale: 0 at 0, and from there on logarithmic, so that 0 and 1000 are both readable. */
export function onScale(value: number): number {
  return Math.log10(1 + value);
}

/** Draws two bars for each experiment, numbers at their ends, and a diamond where drops were predicted. */
export function drawSideBySide(bars: readonly SideBySideBar[]): Picture {
  const highest = Math.max(10, ...bars.flatMap(({ dropped, longestWaitMs }) => [dropped, longestWaitMs ?? 0]));
  const decades = Math.ceil(Math.log10(highest + 1));
  const ticks = [0, ...Array.from({ length: decades + 1 }, (_, power) => onScale(10 ** power))];
  const set = (label: string, backgroundColor: string, valueOf: (bar: SideBySideBar) => number) => {
    const data = bars.map((bar) => onScale(valueOf(bar)));
    return { label, data, backgroundColor, barPercentage: 0.9, categoryPercentage: 0.7 };
  };
  const configuration = (): ChartConfiguration => ({
    type: 'bar',
    data: {
      labels: bars.map(({ label }) => label),
      datasets: [
        set('dropped a restart, requests', '#d55e00', ({ dropped }) => dropped),
        set('longest wait, ms', '#56b4e9', ({ longestWaitMs }) => longestWaitMs ?? 0),
      ],
    },
    options: {
      indexAxis: 'y',
      scales: {
        x: {
          type: 'linear',
          min: 0,
          // Room for the number at the end of the longest bar.
          max: decades + 0.35,
          afterBuildTicks: (axis) => {
            axis.ticks = ticks.map((value) => ({ value }));
          },
          ticks: { callback: (value) => String(Math.round(10 ** Number(value) - 1)) },
          title: { display: true, text: 'requests, or milliseconds (logarithmic above 1)' },
        },
        y: { grid: { display: false }, ticks: { color: '#222222', font: { size: 13 } } },
      },
      ...frame({
        title: 'What a restart drops, and how long an answer waits (diamond: drops predicted)',
        annotations: Object.assign({}, ...bars.map(marksOf)) as Annotations,
        // A diamond at 0 lies on the edge.
        clip: false,
      }),
    },
  });
  return drawChart(configuration, { width: 1_000, height: framePx + rowPx * bars.length });
}

/** The numbers at the ends of a row's bars, and its diamond. */
function marksOf({ dropped, predicted, longestWaitMs }: SideBySideBar, row: number): Annotations {
  const numberAt = (value: number, content: string, yAdjust: number): Annotations[string] => ({
    type: 'label',
    xValue: onScale(value),
    yValue: row,
    xAdjust: 10,
    yAdjust,
    position: { x: 'start', y: 'center' },
    content,
    color: '#222222',
    font: { size: 12 },
    padding: 0,
  });
  return {
    [`dropped${row}`]: numberAt(Math.max(dropped, predicted ?? 0), `${rounded(dropped)} dropped`, -barPx),
    ...(longestWaitMs !== null && { [`wait${row}`]: numberAt(longestWaitMs, `${rounded(longestWaitMs)} ms`, barPx) }),
    ...(predicted !== null && {
      [`predicted${row}`]: {
        type: 'point',
        xValue: onScale(predicted),
        yValue: row,
        yAdjust: -barPx,
        radius: 5,
        pointStyle: 'rectRot',
        backgroundColor: '#ffffff',
        borderColor: '#222222',
        borderWidth: 1.5,
      },
    }),
  };
}

function rounded(value: number): string {
  return value.toFixed(value > 0 && value < 10 ? 1 : 0);
}
