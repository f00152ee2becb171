/** What a chart shows of restarts: phases as shading, events as lines whose labels do not overlap. */
import type { EventKind, TimelineEvent } from '../../run/files/timeline.ts';
import type { PhaseSpan } from '../../verdict/phases.ts';
import type { Annotations } from './chart.ts';
import type { Shade } from './shading.ts';

const phaseLooks: Record<PhaseSpan['name'], { readonly colour: string; readonly meaning: string }> = {
  draining: { colour: 'rgba(240, 228, 66, 0.20)', meaning: 'draining: until the old process ends' },
  down: { colour: 'rgba(213, 94, 0, 0.13)', meaning: 'down: no process' },
  warming: { colour: 'rgba(230, 159, 0, 0.16)', meaning: 'warming: until the new process accepts' },
};
const phaseInk = '#6b5b1f';

const eventLabels: Partial<Record<EventKind, string>> = {
  sigterm: 'SIGTERM',
  'accept-stopped': 'accept stopped',
  exit: 'exit',
  'main-exited': 'exit',
  start: 'start',
  accepting: 'accepting',
};

/** How the x axis of a chart is laid out. */
export interface Axis {
  readonly minS: number;
  readonly maxS: number;
  /** Where on the axis 0 is, as a moment of the run. */
  readonly zeroUs: number;
}

/** Width of the plotted area in pixels, roughly: labels keep this apart. */
export const plotPx = 920;
const labelCharacterPx = 6.2;
const labelPaddingPx = 10;
const rowPx = 15;
const labelLook = { font: { size: 11, weight: 'normal' }, padding: 2 };

/** Seconds on the axis of a moment of the run. */
export function secondsOn({ zeroUs }: Axis, us: number): number {
  return (us - zeroUs) / 1e6;
}

function pixels(seconds: number, { minS, maxS }: Axis): number {
  return (seconds * plotPx) / (maxS - minS);
}

/** Marks of a chart: what is drawn, what its legend says, and how many rows of labels stand above the data. */
export interface Marks {
  readonly annotations: Annotations;
  /** Phases without a name: a long run has thousands. */
  readonly shades: readonly Shade[];
  readonly legend: ReturnType<typeof phaseLegend>;
  readonly labelRows: number;
}

interface PhaseShade extends Shade {
  readonly name: PhaseSpan['name'];
}

/** Marks of phases and, around one restart, of its events; phases are named only there. */
export function marksOf(axis: Axis, phases: readonly PhaseSpan[], events?: readonly TimelineEvent[]): Marks {
  const legend = phaseLegend(phases);
  const shades = phases.map(({ name, fromUs, toUs }) => {
    const [fromS, toS] = [secondsOn(axis, fromUs), Math.min(secondsOn(axis, toUs), axis.maxS)];
    return { name, fromS, toS, colour: phaseLooks[name].colour };
  });
  if (events === undefined) return { annotations: {}, shades, legend, labelRows: 0 };
  const shown = events.flatMap(({ kind, atUs }) => {
    const text = eventLabels[kind];
    return text === undefined ? [] : [{ text, atS: secondsOn(axis, atUs) }];
  });
  const rows = labelRows(shown.map(({ text, atS }) => ({ text, atPx: pixels(atS - axis.minS, axis) })));
  const lines = shown.map(({ text, atS }, index) => [`event${index}`, eventLine(text, atS, rows[index] ?? 0)]);
  const eventRows = Math.max(0, ...rows) + 1;
  const boxes = shades.map((shade, index) => [`phase${index}`, phaseBox(shade, axis, eventRows)]);
  const annotations = Object.fromEntries([...boxes, ...lines]) as Annotations;
  return { annotations, shades: [], legend, labelRows: eventRows + 1 };
}

/** Sets without data: the legend says what each shading means. */
function phaseLegend(phases: readonly PhaseSpan[]) {
  return Object.entries(phaseLooks)
    .filter(([name]) => phases.some((phase) => phase.name === name))
    .map(([, { colour, meaning }]) => ({
      label: meaning,
      data: [],
      backgroundColor: colour,
      borderColor: phaseInk,
      borderWidth: 0.5,
      pointStyle: 'rect' as const,
    }));
}

/** @param labelRow the row below the events' labels in which the phases are named */
function phaseBox({ name, fromS, toS, colour }: PhaseShade, axis: Axis, labelRow: number): Annotations[string] {
  const label = {
    ...labelLook,
    display: pixels(toS - fromS, axis) > name.length * labelCharacterPx,
    content: name,
    position: { x: 'center', y: 'start' },
    yAdjust: labelRow * rowPx,
    color: phaseInk,
  };
  const look = { backgroundColor: colour, borderWidth: 0, drawTime: 'beforeDatasetsDraw' };
  return { ...look, type: 'box', xMin: fromS, xMax: toS, label };
}

function eventLine(text: string, atS: number, row: number): Annotations[string] {
  const label = {
    ...labelLook,
    display: true,
    content: text,
    position: 'start',
    yAdjust: row * rowPx,
    color: '#222222',
    // Above the lines of other events.
    backgroundColor: 'white',
    drawTime: 'afterDraw',
  };
  return { type: 'line', scaleID: 'x', value: atS, borderColor: '#444444', borderWidth: 1, borderDash: [3, 3], label };
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
