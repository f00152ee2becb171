/** What a user sees while a run goes on: one line that is written over on a terminal, plain lines elsewhere. */
import type { Colors } from 'picocolors/types.js';
import { shownLine } from '../../base/foreign-text.ts';
import type { Audience, Progress, Step } from '../../conduct/audience.ts';
import { leftInWords } from '../../conduct/time-left.ts';
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import type { Context } from '../context.ts';

/** Elsewhere than on a terminal, a line at most this often. */
const plainEveryMs = 2_000;
/** Where nothing happens, a terminal's line is written again this often: its time goes on. */
const redrawMs = 1_000;
/** Elsewhere, a sign of life this often. */
const signOfLifeMs = 30_000;

/**
 * Progress on stderr, so that stdout holds results only.
 * @param title what is run, and which of several; stands before every phase
 * @param steps the phases that will come, by their texts, so that it can be told what time is left
 */
export function startProgress(
  { stderr, isTerminal, columns, colours }: Pick<Context, 'stderr' | 'isTerminal' | 'columns' | 'colours'>,
  { title = '', steps = [] }: { title?: string; steps?: readonly Step[] } = {},
): Progress {
  const startedMs = performance.now();
  let phase = { text: '', beganMs: startedMs, step: -1 };
  let note = '';
  let last: { counts: LoadCounts; total: number | null } | null = null;
  let drawnMs = -Infinity;
  let waiting: NodeJS.Timeout | undefined;

  const draw = (): void => {
    const nowMs = performance.now();
    drawnMs = nowMs;
    clearTimeout(waiting);
    waiting = undefined;
    const fraction = last?.total == null || last.total === 0 ? null : last.counts.due / last.total;
    const standing = {
      elapsedMs: nowMs - startedMs,
      title: shownLine(title),
      phase: shownLine(phase.text),
      note: shownLine(note),
      leftMs: phase.step < 0 ? null : timeLeftMs(steps, phase.step, nowMs - phase.beganMs, fraction),
      counts: last?.counts ?? null,
      total: last?.total ?? null,
    };
    // A line as wide as the terminal makes some of them wrap.
    const line = progressLine(standing, isTerminal ? columns() - 1 : Infinity, colours.stderr);
    stderr(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
  };
  /** On a terminal at once; elsewhere when its time has come, with what is the case by then. */
  const show = (): void => {
    const waitMs = isTerminal ? 0 : plainEveryMs - (performance.now() - drawnMs);
    if (waitMs <= 0) draw();
    else waiting ??= setTimeout(draw, waitMs);
  };
  const again = setInterval(
    () => {
      if (phase.text !== '' && performance.now() - drawnMs >= (isTerminal ? redrawMs : signOfLifeMs) * 0.9) draw();
    },
    isTerminal ? redrawMs : signOfLifeMs,
  );
  again.unref();

  return {
    phase: (text) => {
      phase = { text, beganMs: performance.now(), step: steps.findIndex((step) => step.text === text) };
      note = '';
      last = null;
      show();
    },
    counts: (counts, total) => {
      last = { counts, total };
      show();
    },
    note: (text) => {
      note = text;
      show();
    },
    end: () => {
      clearInterval(again);
      clearTimeout(waiting);
      waiting = undefined;
      if (isTerminal && drawnMs > -Infinity) stderr('\r\u001b[K');
      drawnMs = -Infinity;
    },
  };
}

/** The user of this command, as conducting sees them. */
export function audienceOf(context: Context): Audience {
  return {
    signal: context.signal,
    say: (text) => context.stderr(text),
    follow: (options) => startProgress(context, options),
  };
}

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
