/** What charts show behind and above the counts: phases as shading, events as lines whose labels do not overlap. */
import type { EventKind, TimelineEvent } from '../../run/timeline.ts';
import type { PhaseSpan } from '../../verdict/phases.ts';
import type { Annotations } from './chart.ts';

/** Colour and meaning of each phase's shading. */
const phases: Record<PhaseSpan['name'], { readonly colour: string; readonly meaning: string }> = {
  draining: { colour: 'rgba(240, 228, 66, 0.20)', meaning: 'draining: until the old process ends' },
  down: { colour: 'rgba(213, 94, 0, 0.13)', meaning: 'down: no process' },
  warming: { colour: 'rgba(230, 159, 0, 0.16)', meaning: 'warming: until the new process accepts' },
};
const phaseInk = '#6b5b1f';

/** What a reader sees of each kind of event. */
const eventLabels: Partial<Record<EventKind, string>> = {
  sigterm: 'SIGTERM',
  'accept-stopped': 'accept stopped',
  exit: 'exit',
  start: 'start',
  accepting: 'accepting',
};

/** How the x axis of a chart is laid out. */
export interface Axis {
  readonly minS: number;
  readonly maxS: number;
  /** Seconds on the axis of a moment of the run. */
  readonly secondsOf: (us: number) => number;
}

/** Width of the plotted area in pixels, roughly: labels keep this apart. */
export const plotPx = 920;
const labelCharacterPx = 6.2;
const labelPaddingPx = 10;
const rowPx = 15;
const labelFont = { size: 11, weight: 'normal' };

function pixels(seconds: number, { minS, maxS }: Axis): number {
  return (seconds * plotPx) / (maxS - minS);
}

/** Rows in which labels at these places do not overlap: each in the lowest row that is free there. */
export function labelRows(labels: readonly { readonly atPx: number; readonly text: string }[]): number[] {
  const ends: number[] = [];
  return labels.map(({ atPx, text }) => {
    const halfPx = (text.length * labelCharacterPx) / 2 + labelPaddingPx / 2;
    let row = ends.findIndex((end) => end <= atPx - halfPx);
    if (row < 0) row = ends.length;
    ends[row] = atPx + halfPx;
    return row;
  });
}

/** Sets without data: the legend says what each shading means. */
export function phaseLegend(spans: readonly PhaseSpan[]) {
  return Object.entries(phases)
    .filter(([name]) => spans.some((span) => span.name === name))
    .map(([, { colour, meaning }]) => ({
      label: meaning,
      data: [],
      backgroundColor: colour,
      borderColor: phaseInk,
      borderWidth: 0.5,
      pointStyle: 'rect' as const,
    }));
}

/**
 * Shading of the phases.
 * @param labelRow the row below the events' labels in which the phases are named; without it they are not
 */
export function phaseAnnotations(spans: readonly PhaseSpan[], axis: Axis, labelRow?: number): Annotations {
  return Object.fromEntries(
    spans.map(({ name, fromUs, toUs }, index) => {
      const [xMin, xMax] = [axis.secondsOf(fromUs), Math.min(axis.secondsOf(toUs), axis.maxS)];
      const hasRoom = pixels(xMax - xMin, axis) > name.length * labelCharacterPx;
      const label = {
        display: labelRow !== undefined && hasRoom,
        content: name,
        position: { x: 'center', y: 'start' },
        yAdjust: (labelRow ?? 0) * rowPx,
        color: phaseInk,
        font: labelFont,
        padding: 2,
      };
      const box = { type: 'box', backgroundColor: phases[name].colour, borderWidth: 0, drawTime: 'beforeDatasetsDraw' };
      return [`phase${index}`, { ...box, xMin, xMax, label }];
    }),
  );
}

/** Lines and labels of one restart's events. */
export function eventAnnotations(
  events: readonly TimelineEvent[],
  axis: Axis,
): { annotations: Annotations; rows: number } {
  const shown = events.flatMap(({ kind, atUs }) => {
    const text = eventLabels[kind];
    return text === undefined ? [] : [{ text, atS: axis.secondsOf(atUs) }];
  });
  const rows = labelRows(shown.map(({ text, atS }) => ({ text, atPx: pixels(atS - axis.minS, axis) })));
  const annotations = Object.fromEntries(
    shown.map(({ text, atS }, index) => {
      const label = {
        display: true,
        content: text,
        position: 'start',
        yAdjust: (rows[index] ?? 0) * rowPx,
        // Above the lines of other events.
        backgroundColor: 'white',
        drawTime: 'afterDraw',
        color: '#222222',
        font: labelFont,
        padding: 2,
      };
      const line = { type: 'line', scaleID: 'x', borderColor: '#444444', borderWidth: 1, borderDash: [3, 3] };
      return [`event${index}`, { ...line, value: atS, label }];
    }),
  );
  return { annotations, rows: Math.max(0, ...rows) + 1 };
}
