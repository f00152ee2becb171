/** Bar charts of outcomes: over the whole run, and around one restart. */
import type { ChartConfiguration } from 'chart.js';
import type { TimelineEvent } from '../../run/timeline.ts';
import { phasesOf } from '../../verdict/phases.ts';
import type { RestartWindow } from '../../verdict/restart-windows.ts';
import type { Bins } from './bins.ts';
import { drawChart, type Picture } from './chart.ts';
import { eventAnnotations, phaseAnnotations, type Axis } from './marks.ts';
import { classOf } from './palette.ts';

const size = { width: 1_000, height: 340 };
const plotWidthPx = 920;

/** Seconds before SIGTERM, and after the new process accepts, that a restart's chart shows. */
const restartMarginUs = { before: 500_000, after: 1_000_000 };

/** What the bars of a restart's chart span. */
export function restartSpan(window: RestartWindow): { zeroUs: number; fromUs: number; toUs: number } {
  const zeroUs = window.sigtermUs ?? window.deployBeginUs;
  const endUs = Math.max(window.acceptingUs ?? zeroUs, window.readyUs ?? zeroUs);
  return { zeroUs, fromUs: zeroUs - restartMarginUs.before, toUs: endUs + restartMarginUs.after };
}

/** Outcomes per bin around one restart, zero being SIGTERM, with its phases and events. */
export function drawRestart(options: {
  title: string;
  bins: Bins;
  window: RestartWindow;
  timeline: readonly TimelineEvent[];
}): Picture {
  const { bins, window, timeline } = options;
  const { zeroUs } = restartSpan(window);
  const axis = axisOf(bins, zeroUs);
  const events = timeline.filter(({ restart, source }) => restart === window.restart && source === 'app');
  const { annotations, rows } = eventAnnotations(events, axis);
  return drawChart(
    () =>
      barChart({
        title: options.title,
        bins,
        axis,
        xTitle: `seconds since ${window.sigtermUs === null ? 'the deploy began' : 'SIGTERM'}, by due time`,
        headroom: rows + 1,
        annotations: { ...phaseAnnotations(phasesOf(window), axis, rows), ...annotations },
      }),
    size,
  );
}

/** Outcomes per bin over the whole run, the restarts shaded. */
export function drawOverview(options: { title: string; bins: Bins; windows: readonly RestartWindow[] }): Picture {
  const axis = axisOf(options.bins, 0);
  const phases = options.windows.flatMap(phasesOf);
  return drawChart(
    () =>
      barChart({
        title: options.title,
        bins: options.bins,
        axis,
        xTitle: 'seconds since the load began, by due time',
        headroom: 0,
        annotations: phaseAnnotations(phases, axis),
      }),
    size,
  );
}

function axisOf(bins: Bins, zeroUs: number): Axis {
  const secondsOf = (us: number): number => (us - zeroUs) / 1e6;
  return {
    minS: secondsOf(bins.fromUs),
    maxS: secondsOf(bins.fromUs + bins.count * bins.widthUs),
    widthPx: plotWidthPx,
    secondsOf,
  };
}

function barChart(options: {
  title: string;
  bins: Bins;
  axis: Axis;
  xTitle: string;
  headroom: number;
  annotations: ReturnType<typeof phaseAnnotations>;
}): ChartConfiguration {
  const { bins, axis } = options;
  const middleS = (bin: number): number => axis.secondsOf(bins.fromUs + (bin + 0.5) * bins.widthUs);
  const highest = Math.max(1, bins.highest());
  return {
    type: 'bar',
    data: {
      datasets: bins.present().map((name) => ({
        label: classOf(name).name,
        data: bins.of(name).map((y, bin) => ({ x: middleS(bin), y })),
        backgroundColor: classOf(name).colour,
        barPercentage: 1,
        categoryPercentage: 0.92,
        // Without a pixel width chart.js takes it from the closest two bars, which is what is wanted here.
        grouped: false,
      })),
    },
    options: {
      layout: { padding: { left: 8, right: 16, top: 4, bottom: 4 } },
      scales: {
        x: {
          type: 'linear',
          stacked: true,
          min: axis.minS,
          max: axis.maxS,
          offset: false,
          title: { display: true, text: options.xTitle },
          grid: { display: false },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          // Room for the labels of the events above the bars.
          max: Math.ceil(highest * (1.1 + 0.09 * options.headroom)),
          ticks: { precision: 0 },
          title: { display: true, text: `requests per ${bins.widthUs / 1000} ms` },
        },
      },
      plugins: {
        title: { display: true, text: options.title, font: { size: 14, weight: 600 }, color: '#111111' },
        legend: { position: 'bottom', labels: { boxWidth: 12, boxHeight: 12 } },
        annotation: { annotations: options.annotations },
      },
    },
  };
}
