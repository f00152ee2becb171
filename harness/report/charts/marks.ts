/** What charts show behind and above the counts: phases as shading, events as lines whose labels do not overlap. */
import type { EventKind, TimelineEvent } from '../../run/timeline.ts';
import type { PhaseSpan } from '../../verdict/phases.ts';
import type { Annotations } from './chart.ts';

const phaseColours: Record<PhaseSpan['name'], string> = {
  draining: 'rgba(240, 228, 66, 0.20)',
  down: 'rgba(213, 94, 0, 0.13)',
  warming: 'rgba(230, 159, 0, 0.16)',
};

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

/**
 * Shading of the phases.
 * @param labelRow the row below the events' labels in which the phases are named; without it they are not
 */
export function phaseAnnotations(phases: readonly PhaseSpan[], axis: Axis, labelRow?: number): Annotations {
  return Object.fromEntries(
    phases.map(({ name, fromUs, toUs }, index) => {
      const [xMin, xMax] = [axis.secondsOf(fromUs), Math.min(axis.secondsOf(toUs), axis.maxS)];
      const hasRoom = pixels(xMax - xMin, axis) > name.length * labelCharacterPx;
      const label = {
        display: labelRow !== undefined && hasRoom,
        content: name,
        position: { x: 'center', y: 'start' },
        yAdjust: (labelRow ?? 0) * rowPx,
        color: '#6b5b1f',
        font: labelFont,
        padding: 2,
      };
      const box = { type: 'box', backgroundColor: phaseColours[name], borderWidth: 0, drawTime: 'beforeDatasetsDraw' };
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
        backgroundColor: 'rgba(255, 255, 255, 0.85)',
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
