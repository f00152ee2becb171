/** The figures of a verdict that a budget may limit. */
import type { Verdict } from '../verdict/verdict.ts';

/** Their names, as a budgets file has them. */
export const figureNames = [
  'badRestarts',
  'dropped',
  'lost',
  'early',
  'altered',
  'duplicated',
  'misattributed',
  'stale',
  'longestWaitMs',
  'directLongestWaitMs',
  'gapMs',
  'listenOverflows',
] as const;

/** A figure's name. */
export type FigureName = (typeof figureNames)[number];

/** One figure. */
export interface Figure {
  /** What it counts, in words. */
  readonly what: string;
  /** `ms`, or nothing for a count. */
  readonly unit: '' | ' ms';
  /** Its value; null where the run does not have it. */
  readonly of: (verdict: Verdict) => number | null;
  /** Does `measure` know it of a service that the user runs? */
  readonly ofServices: boolean;
  /** Counted by the kernel, whatever the load did: it stands of a run whose load cannot be trusted, too. */
  readonly byKernel?: true;
}

/** Every figure. */
export const figures: Readonly<Record<FigureName, Figure>> = {
  badRestarts: {
    what: 'restarts that dropped something',
    unit: '',
    of: ({ badRestarts }) => badRestarts,
    ofServices: true,
  },
  dropped: { what: 'dropped requests', unit: '', of: ({ dropped }) => dropped, ofServices: true },
  lost: { what: 'writes lost', unit: '', of: ({ writes }) => writes?.lost ?? null, ofServices: false },
  early: {
    what: 'writes acknowledged before they were written',
    unit: '',
    of: ({ writes }) => writes?.early ?? null,
    ofServices: false,
  },
  altered: {
    what: 'writes stored with another text',
    unit: '',
    of: ({ writes }) => writes?.altered ?? null,
    ofServices: false,
  },
  duplicated: {
    what: 'writes applied twice',
    unit: '',
    of: ({ writes }) => writes?.duplicated ?? null,
    ofServices: false,
  },
  misattributed: {
    what: 'writes refused, yet applied',
    unit: '',
    of: ({ writes }) => writes?.misattributed ?? null,
    ofServices: false,
  },
  stale: { what: 'stale answers', unit: '', of: ({ stale }) => stale, ofServices: false },
  longestWaitMs: {
    what: 'longest wait',
    unit: ' ms',
    of: ({ longestWaitMs }) => longestWaitMs,
    ofServices: true,
  },
  directLongestWaitMs: {
    what: 'longest wait at the site’s own port',
    unit: ' ms',
    of: ({ direct }) => direct?.longestWaitMs ?? null,
    ofServices: false,
  },
  gapMs: { what: 'longest time without an answer', unit: ' ms', of: ({ gapMs }) => gapMs, ofServices: true },
  listenOverflows: {
    what: 'connections that found a listen queue full',
    unit: '',
    of: ({ witnesses }) => witnesses.kernel['TcpExt.ListenOverflows'] ?? null,
    ofServices: false,
    byKernel: true,
  },
};

/** A value as a sentence has it. */
export function valueText(name: FigureName, value: number): string {
  const { unit } = figures[name];
  return `${unit === '' ? String(value) : value.toFixed(0)}${unit}`;
}
