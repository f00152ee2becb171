/** Bar charts of outcomes: over the whole run, and around one restart. */
import type { ChartConfiguration } from 'chart.js';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import { phasesOf } from '../../verdict/phases.ts';
import type { RestartWindow } from '../../verdict/restart-windows.ts';
import type { Bins } from './bins.ts';
import { drawChart, frame, type Picture } from './chart.ts';
import { marksOf, secondsOn, type Axis, type Marks } from './marks.ts';
import { classes } from './palette.ts';
import { shading } from './shading.ts';

/** Before SIGTERM, and after the new process accepts. */
const restartMarginUs = { before: 500_000, after: 1_000_000 };

/** What the bars of a restart's chart span. */
export function restartSpan(window: RestartWindow): { zeroUs: number; fromUs: number; toUs: number } {
  const zeroUs = window.sigtermUs ?? window.deployBeginUs;
  const endUs = Math.max(window.acceptingUs ?? window.firstAnswerUs ?? zeroUs, window.readyUs ?? zeroUs);
  return { zeroUs, fromUs: zeroUs - restartMarginUs.before, toUs: endUs + restartMarginUs.after };
}

/** Outcomes per bin around one restart, zero being SIGTERM, with its phases and events. */
export function drawRestart(
  title: string,
  bins: Bins,
  window: RestartWindow,
  timeline: readonly TimelineEvent[],
): Picture {
  const axis = axisOf(bins, restartSpan(window).zeroUs);
  // A service of the user's says nothing of itself; systemd may.
  const teller = timeline.some(({ source }) => source === 'app') ? 'app' : 'journal';
  const events = timeline.filter(({ restart, source }) => restart === window.restart && source === teller);
  const since = window.sigtermUs === null ? 'the deploy began' : 'SIGTERM';
  return drawBars(bins, axis, { title, since, ...marksOf(axis, phasesOf(window), events) });
}

/** Outcomes per bin over the whole run, the restarts shaded. */
export function drawOverview(title: string, bins: Bins, windows: readonly RestartWindow[]): Picture {
  const axis = axisOf(bins, 0);
  return drawBars(bins, axis, { title, since: 'the load began', ...marksOf(axis, windows.flatMap(phasesOf)) });
}

function axisOf(bins: Bins, zeroUs: number): Axis {
  const secondsOf = (us: number): number => (us - zeroUs) / 1e6;
  return { minS: secondsOf(bins.fromUs), maxS: secondsOf(bins.fromUs + bins.count * bins.widthUs), zeroUs };
}

function drawBars(bins: Bins, axis: Axis, beside: Marks & { title: string; since: string }): Picture {
  const middleS = (bin: number): number => secondsOn(axis, bins.fromUs + (bin + 0.5) * bins.widthUs);
  const configuration = (): ChartConfiguration => ({
    type: 'bar',
    plugins: [shading(beside.shades)],
    data: {
      datasets: [
        ...bins.present().map((name) => ({
          label: classes[name].name,
          data: bins.of(name).map((y, bin) => ({ x: middleS(bin), y })),
          backgroundColor: classes[name].colour,
          barPercentage: 1,
          categoryPercentage: 0.92,
          // Without a pixel width chart.js takes it from the closest two bars, which is what is wanted here.
          grouped: false,
        })),
        ...beside.legend,
      ],
    },
    options: {
      scales: {
        x: {
          type: 'linear',
          stacked: true,
          min: axis.minS,
          max: axis.maxS,
          offset: false,
          title: { display: true, text: `seconds since ${beside.since}, by due time` },
          grid: { display: false },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          // Room for the labels above the bars.
          max: Math.ceil(Math.max(1, bins.highest()) * (1.1 + 0.09 * beside.labelRows)),
          ticks: { precision: 0 },
          title: { display: true, text: `requests per ${bins.widthUs / 1000} ms` },
        },
      },
      ...frame(beside),
    },
  });
  return drawChart(configuration, { width: 1_000, height: 340 });
}
