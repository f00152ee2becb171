/** What a user sees while a run goes on: one line that is written over on a terminal, plain lines elsewhere. */
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import { shownLine } from '../../base/foreign-text.ts';
import type { Context } from '../context.ts';
import type { Audience, Progress, Step } from '../../conduct/audience.ts';
import { progressLine, timeLeftMs } from './progress-line.ts';

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
