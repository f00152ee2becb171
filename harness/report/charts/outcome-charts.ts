/** Bar charts of outcomes: over the whole run, and around one restart. */
import type { ChartConfiguration } from 'chart.js';
import type { TimelineEvent } from '../../run/timeline.ts';
import { phasesOf, type PhaseSpan } from '../../verdict/phases.ts';
import type { RestartWindow } from '../../verdict/restart-windows.ts';
import type { Bins } from './bins.ts';
import { drawChart, frame, type Annotations, type Picture } from './chart.ts';
import { eventAnnotations, phaseAnnotations, phaseLegend, type Axis } from './marks.ts';
import { classes } from './palette.ts';

/** Seconds before SIGTERM, and after the new process accepts, that a restart's chart shows. */
const restartMarginUs = { before: 500_000, after: 1_000_000 };

/** What the bars of a restart's chart span. */
export function restartSpan(window: RestartWindow): { zeroUs: number; fromUs: number; toUs: number } {
  const zeroUs = window.sigtermUs ?? window.deployBeginUs;
  const endUs = Math.max(window.acceptingUs ?? zeroUs, window.readyUs ?? zeroUs);
  return { zeroUs, fromUs: zeroUs - restartMarginUs.before, toUs: endUs + restartMarginUs.after };
}

/** Outcomes per bin around one restart, zero being SIGTERM, with its phases and events. */
export function drawRestart({
  title,
  bins,
  window,
  timeline,
}: {
  title: string;
  bins: Bins;
  window: RestartWindow;
  timeline: readonly TimelineEvent[];
}): Picture {
  const axis = axisOf(bins, restartSpan(window).zeroUs);
  const events = timeline.filter(({ restart, source }) => restart === window.restart && source === 'app');
  const { annotations, rows } = eventAnnotations(events, axis);
  const phases = phasesOf(window);
  return drawBars(bins, axis, {
    title,
    xTitle: `seconds since ${window.sigtermUs === null ? 'the deploy began' : 'SIGTERM'}, by due time`,
    labelRows: rows + 1,
    phases,
    annotations: { ...phaseAnnotations(phases, axis, rows), ...annotations },
  });
}

/** Outcomes per bin over the whole run, the restarts shaded. */
export function drawOverview({
  title,
  bins,
  windows,
}: {
  title: string;
  bins: Bins;
  windows: readonly RestartWindow[];
}): Picture {
  const axis = axisOf(bins, 0);
  const phases = windows.flatMap(phasesOf);
  return drawBars(bins, axis, {
    title,
    xTitle: 'seconds since the load began, by due time',
    labelRows: 0,
    phases,
    annotations: phaseAnnotations(phases, axis),
  });
}

function axisOf(bins: Bins, zeroUs: number): Axis {
  const secondsOf = (us: number): number => (us - zeroUs) / 1e6;
  return {
    minS: secondsOf(bins.fromUs),
    maxS: secondsOf(bins.fromUs + bins.count * bins.widthUs),
    secondsOf,
  };
}

/** What a chart of bars has beside them. */
interface BarFrame {
  readonly title: string;
  readonly xTitle: string;
  /** Rows of labels above the bars. */
  readonly labelRows: number;
  readonly phases: readonly PhaseSpan[];
  readonly annotations: Annotations;
}

function drawBars(bins: Bins, { minS, maxS, secondsOf }: Axis, beside: BarFrame): Picture {
  const { title, xTitle, labelRows, phases, annotations } = beside;
  const middleS = (bin: number): number => secondsOf(bins.fromUs + (bin + 0.5) * bins.widthUs);
  const configuration = (): ChartConfiguration => ({
    type: 'bar',
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
        ...phaseLegend(phases),
      ],
    },
    options: {
      scales: {
        x: {
          type: 'linear',
          stacked: true,
          min: minS,
          max: maxS,
          offset: false,
          title: { display: true, text: xTitle },
          grid: { display: false },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          // Room for the labels above the bars.
          max: Math.ceil(Math.max(1, bins.highest()) * (1.1 + 0.09 * labelRows)),
          ticks: { precision: 0 },
          title: { display: true, text: `requests per ${bins.widthUs / 1000} ms` },
        },
      },
      ...frame({ title, annotations }),
    },
  });
  return drawChart(configuration, { width: 1_000, height: 340 });
}
