/** What charts show behind and above the counts: phases as shading, events as lines whose labels do not overlap. */
import type { PhaseSpan } from '../../verdict/phases.ts';
import type { EventKind, TimelineEvent } from '../../run/timeline.ts';

/** An annotation as chartjs-plugin-annotation takes it; its own types do not resolve under NodeNext. */
export type AnnotationOptions = Readonly<Record<string, unknown>>;

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
  /** Width of the plotted area in pixels, roughly: labels keep this apart. */
  readonly widthPx: number;
  /** Seconds on the axis of a moment of the run. */
  readonly secondsOf: (us: number) => number;
}

const labelCharacterPx = 6.2;
const labelPaddingPx = 10;
const rowPx = 15;

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
 * @param labelRow the row below the events' labels in which the phases are named; none names them
 */
export function phaseAnnotations(
  phases: readonly PhaseSpan[],
  axis: Axis,
  labelRow?: number,
): Record<string, AnnotationOptions> {
  const isRoomFor = ({ name, fromUs, toUs }: PhaseSpan): boolean =>
    ((Math.min(axis.secondsOf(toUs), axis.maxS) - axis.secondsOf(fromUs)) * axis.widthPx) / (axis.maxS - axis.minS) >
    name.length * labelCharacterPx;
  return Object.fromEntries(
    phases.map((phase, index): [string, AnnotationOptions] => [
      `phase${index}`,
      {
        type: 'box',
        xMin: axis.secondsOf(phase.fromUs),
        xMax: Math.min(axis.secondsOf(phase.toUs), axis.maxS),
        backgroundColor: phaseColours[phase.name],
        borderWidth: 0,
        drawTime: 'beforeDatasetsDraw',
        label: {
          display: labelRow !== undefined && isRoomFor(phase),
          content: phase.name,
          position: { x: 'center', y: 'start' },
          yAdjust: (labelRow ?? 0) * rowPx,
          color: '#6b5b1f',
          font: { size: 11, weight: 'normal' },
          padding: 2,
        },
      },
    ]),
  );
}

/** Lines and labels of one restart's events. */
export function eventAnnotations(
  events: readonly TimelineEvent[],
  axis: Axis,
): { annotations: Record<string, AnnotationOptions>; rows: number } {
  const shown = events
    .filter(({ kind }) => eventLabels[kind] !== undefined)
    .map(({ kind, atUs }) => ({ text: eventLabels[kind] ?? kind, atS: axis.secondsOf(atUs) }));
  const rows = labelRows(
    shown.map(({ text, atS }) => ({ text, atPx: ((atS - axis.minS) / (axis.maxS - axis.minS)) * axis.widthPx })),
  );
  const annotations = Object.fromEntries(
    shown.map(({ text, atS }, index): [string, AnnotationOptions] => [
      `event${index}`,
      {
        type: 'line',
        scaleID: 'x',
        value: atS,
        borderColor: '#444444',
        borderWidth: 1,
        borderDash: [3, 3],
        label: {
          display: true,
          content: text,
          position: 'start',
          yAdjust: (rows[index] ?? 0) * rowPx,
          backgroundColor: 'rgba(255, 255, 255, 0.85)',
          color: '#222222',
          font: { size: 11, weight: 'normal' },
          padding: 2,
        },
      },
    ]),
  );
  return { annotations, rows: Math.max(0, ...rows) + 1 };
}
