/** What a user sees while a run goes on: one line that is written over on a terminal, plain lines elsewhere. */
import type { LoadCounts } from '../load/plan.ts';
import type { Context } from './context.ts';

/** Elsewhere than on a terminal, a line at most this often. */
const plainEveryMs = 2_000;

/** A run's progress. */
export interface Progress {
  /** A new phase of the run, such as `booting the lab`. */
  phase(text: string): void;
  /** Counts so far; a total of null is not known yet. */
  counts(counts: LoadCounts, total: number | null): void;
  /** Something that happened: a restart began. */
  note(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** Progress on stderr, so that stdout holds results only. */
export function startProgress({ stderr, isTerminal }: Pick<Context, 'stderr' | 'isTerminal'>): Progress {
  const startedMs = performance.now();
  let phaseText = '';
  let noteText = '';
  let lastPlainMs = -Infinity;
  const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
  const write = (text: string): void =>
    stderr(isTerminal ? `\r\u001b[K${seconds()}  ${text}` : `${seconds()}  ${text}\n`);
  return {
    phase: (text) => {
      phaseText = text;
      noteText = '';
      write(text);
    },
    counts: ({ due, ok, dropped, sent, unsent }, total) => {
      const nowMs = performance.now();
      if (!isTerminal && nowMs - lastPlainMs < plainEveryMs && (total === null || due < total)) return;
      lastPlainMs = nowMs;
      const own = unsent > 0 ? `, unsent ${unsent}` : '';
      const note = noteText === '' ? '' : `  ${noteText}`;
      write(
        `${phaseText}: ${due}${total === null ? '' : ` of ${total}`} due, sent ${sent}, ok ${ok}, dropped ${dropped}${own}${note}`,
      );
    },
    note: (text) => {
      noteText = text;
      if (!isTerminal) write(text);
    },
    end: () => {
      if (isTerminal) stderr('\r\u001b[K');
    },
  };
}
