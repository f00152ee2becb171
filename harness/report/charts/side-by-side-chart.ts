/** All experiments in one chart: what a restart drops, and how long an answer waits, on one scale from 0 to many thousands. */
import type { ChartConfiguration } from 'chart.js';
import { drawChart, type Picture } from './chart.ts';
import type { AnnotationOptions } from './marks.ts';

const rowPx = 58;
const framePx = 150;
const dropsColour = '#d55e00';
const waitColour = '#56b4e9';
/** Offset of a bar's middle from its row's middle. */
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
  const annotations: Record<string, AnnotationOptions> = {};
  for (const [index, { dropped, predicted, longestWaitMs }] of bars.entries()) {
    annotations[`dropped${index}`] = numberAt(
      Math.max(dropped, predicted ?? 0),
      `${rounded(dropped)} dropped`,
      index,
      -barPx,
    );
    if (longestWaitMs !== null) {
      annotations[`wait${index}`] = numberAt(longestWaitMs, `${rounded(longestWaitMs)} ms`, index, barPx);
    }
    if (predicted !== null) {
      annotations[`predicted${index}`] = {
        type: 'point',
        xValue: onScale(predicted),
        yValue: index,
        yAdjust: -barPx,
        radius: 5,
        pointStyle: 'rectRot',
        backgroundColor: '#ffffff',
        borderColor: '#222222',
        borderWidth: 1.5,
      };
    }
  }
  const configuration = (): ChartConfiguration => ({
    type: 'bar',
    data: {
      labels: bars.map(({ label }) => label),
      datasets: [
        set(
          'dropped a restart, requests',
          dropsColour,
          bars.map(({ dropped }) => onScale(dropped)),
        ),
        set(
          'longest wait, ms',
          waitColour,
          bars.map(({ longestWaitMs }) => onScale(longestWaitMs ?? 0)),
        ),
      ],
    },
    options: {
      indexAxis: 'y',
      layout: { padding: { left: 8, right: 16, top: 4, bottom: 4 } },
      scales: {
        x: {
          type: 'linear',
          min: 0,
          // Room for the number at the end of the longest bar.
          max: decades + 0.35,
          afterBuildTicks: (axis) => {
            axis.ticks = [0, ...Array.from({ length: decades + 1 }, (_, power) => onScale(10 ** power))].map(
              (value) => ({ value }),
            );
          },
          ticks: { callback: (value) => String(Math.round(10 ** Number(value) - 1)) },
          title: { display: true, text: 'requests, or milliseconds (logarithmic above 1)' },
        },
        y: { grid: { display: false }, ticks: { color: '#222222', font: { size: 13 } } },
      },
      plugins: {
        title: {
          display: true,
          text: 'What a restart drops, and how long an answer waits (diamond: drops predicted)',
          font: { size: 14, weight: 600 },
          color: '#111111',
        },
        legend: { position: 'bottom', labels: { boxWidth: 12, boxHeight: 12 } },
        // A diamond at 0 lies on the edge.
        annotation: { clip: false, annotations },
      },
    },
  });
  return drawChart(configuration, { width: 1_000, height: framePx + rowPx * bars.length });
}

function set(label: string, colour: string, data: number[]) {
  return { label, data, backgroundColor: colour, barPercentage: 0.9, categoryPercentage: 0.7 };
}

function numberAt(value: number, content: string, row: number, yAdjust: number): AnnotationOptions {
  return {
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
  };
}

function rounded(value: number): string {
  return value.toFixed(value > 0 && value < 10 ? 1 : 0);
}
