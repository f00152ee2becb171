/** The figures of a verdict that a budget may limit. */
import type { Verdict } from '../verdict/record/verdict.ts';

/** One figure. */
interface Figure {
  /** What it counts, in words. */
  readonly what: string;
  /** Its value; null where the run does not have it. */
  readonly of: (verdict: Verdict) => number | null;
  /** Does `measure` know it of a service that the user runs? */
  readonly ofServices?: true;
  /** Counted by the kernel, whatever the load did: it stands even where the load cannot be trusted. */
  readonly byKernel?: true;
}

/** Every figure, by its name in a budgets file; the names of times end in Ms. */
const all = {
  badRestarts: {
    what: 'restarts that dropped something',
    of: ({ badRestarts }) => badRestarts,
    ofServices: true,
  },
  dropped: { what: 'dropped requests', of: ({ dropped }) => dropped, ofServices: true },
  lost: { what: 'writes lost', of: ({ writes }) => writes?.lost ?? null },
  early: { what: 'writes acknowledged before they were written', of: ({ writes }) => writes?.early ?? null },
  altered: { what: 'writes stored with another text', of: ({ writes }) => writes?.altered ?? null },
  duplicated: { what: 'writes applied twice', of: ({ writes }) => writes?.duplicated ?? null },
  misattributed: { what: 'writes refused, yet applied', of: ({ writes }) => writes?.misattributed ?? null },
  stale: { what: 'stale answers', of: ({ stale }) => stale },
  longestWaitMs: { what: 'longest wait', of: ({ longestWaitMs }) => longestWaitMs, ofServices: true },
  directLongestWaitMs: {
    what: 'longest wait at the site’s own port',
    of: ({ direct }) => direct?.longestWaitMs ?? null,
  },
  gapMs: { what: 'longest time without an answer', of: ({ gapMs }) => gapMs, ofServices: true },
  cut: {
    what: 'held connections cut in the middle of a message',
    of: ({ holds }) => holds?.cut ?? null,
    ofServices: true,
  },
  listenOverflows: {
    what: 'connections that found a listen queue full',
    of: ({ witnesses }) => witnesses.kernel['TcpExt.ListenOverflows'] ?? null,
    byKernel: true,
  },
} satisfies Record<string, Figure>;

/** A figure's name. */
export type FigureName = keyof typeof all;
/** Their names, in the order of a budgets file. */
export const figureNames = Object.keys(all) as FigureName[];
/** Every figure. */
export const figures: Readonly<Record<FigureName, Figure>> = all;

/** A value as a sentence has it. */
export function valueText(name: FigureName, value: number): string {
  return name.endsWith('Ms') ? `${value.toFixed(0)} ms` : String(value);
}
