/** The line that tells how far a run is: its words, its width, its colours. */
import type { Colors } from 'picocolors/types.js';
import type { Step } from '../../conduct/audience.ts';
import { leftInWords } from '../../conduct/time-left.ts';
import type { LoadCounts } from '../../in-lab/load/plan.ts';

/** How far a run is. */
export interface Standing {
  readonly elapsedMs: number;
  /** What is run, and which of several: `trial 2 of 5, E5`; may be empty. */
  readonly title: string;
  readonly phase: string;
  /** What happened last: `restart 3 of 8`; may be empty. */
  readonly note: string;
  /** Milliseconds until the run's end; null where nobody can know. */
  readonly leftMs: number | null;
  readonly counts: Pick<LoadCounts, 'due' | 'sent' | 'ok' | 'dropped' | 'unsent'> | null;
  /** Requests that will be due in all; null where it is not known yet. */
  readonly total: number | null;
}

/**
 * Milliseconds until the last step's end.
 * @param inStepMs how long the step of this index has gone on
 * @param fraction how much of it is done; null where only time tells. A step that takes longer than expected leaves 0.
 */
export function timeLeftMs(steps: readonly Step[], index: number, inStepMs: number, fraction: number | null): number {
  const expectedMs = steps[index]?.expectedMs ?? 0;
  const ownMs = fraction === null ? expectedMs - inStepMs : expectedMs * (1 - fraction);
  return steps.slice(index + 1).reduce((sum, step) => sum + step.expectedMs, Math.max(0, ownMs));
}

/**
 * The line, without its end. What matters most stands first, since a narrow terminal cuts the rest off.
 * @param columns the most characters
 */
export function progressLine(standing: Standing, columns: number, colours: Colors): string {
  const { elapsedMs, title, phase, note, leftMs, counts, total } = standing;
  const plain = (text: string): string => text;
  const left = leftMs === null ? '' : `, ${leftInWords(leftMs)}`;
  const what = `${title === '' ? phase : `${title}: ${phase}`}${note === '' ? '' : `, ${note}`}`;
  const head: Part[] = [
    [`${(elapsedMs / 1000).toFixed(1).padStart(5)} s${left}  `, colours.dim],
    [what, plain],
  ];
  if (counts === null) return cut(head, columns);
  const { due, sent, ok, dropped, unsent } = counts;
  // A load may go on longer than was planned, until the last restart is over.
  const known = total === null || due > total ? null : total;
  const droppedPart: Part = [`dropped ${dropped}`, dropped > 0 ? colours.red : plain];
  const full: Part[] = [
    ...head,
    [`: ${due}${known === null ? '' : ` of ${known}`} due, sent ${sent}, ok ${ok}, `, plain],
    droppedPart,
    [unsent > 0 ? `, unsent ${unsent}` : '', colours.yellow],
  ];
  if (lengthOf(full) <= columns) return cut(full, columns);
  return cut(
    [...head, [': ', plain], droppedPart, [`, ${due}${known === null ? '' : ` of ${known}`} due`, plain]],
    columns,
  );
}

/** Text, and how it is painted. */
type Part = readonly [string, (text: string) => string];

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, [text]) => sum + text.length, 0);
}

/** Colours take no room, so what is cut is the text within them. */
function cut(parts: readonly Part[], columns: number): string {
  const length = lengthOf(parts);
  let room = length <= columns ? length : Math.max(0, columns - 1);
  let line = '';
  for (const [text, paint] of parts) {
    const shown = text.slice(0, room);
    room -= shown.length;
    if (shown !== '') line += paint(shown);
  }
  return length <= columns ? line : `${line}…`;
}
