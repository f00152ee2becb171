/**
 * What happened to the site, on one time axis.
 * All times are microseconds of CLOCK_MONOTONIC in the engine's kernel, counted from the run's origin (the first due time).
 */

/** Who may see an event. */
export const eventSources = ['deployer', 'app', 'journal', 'proxy', 'engine'] as const;

/** Who saw an event. */
type EventSource = (typeof eventSources)[number];

/** The kinds of events, in the order in which one restart goes through them. */
export const eventKinds = [
  'load-begin',
  'deploy-begin',
  'proxy-file',
  'retire',
  'sigterm',
  'not-ready',
  'accept-stopped',
  'killing',
  'exit',
  'main-exited',
  'container-ended',
  'check-down',
  'unit-stopped',
  'socket-stopped',
  'roll-back',
  'socket-started',
  'start',
  'internal-listening',
  'unit-started',
  'accepting',
  'ready',
  'check-up',
  'deploy-end',
  'steady',
  'not-steady',
  'proxy-first-error',
  'proxy-last-error',
  'proxy-first-answer',
  'load-end',
] as const;

export type EventKind = (typeof eventKinds)[number];

/** One line of timeline.ndjson. */
export interface TimelineEvent {
  /** Microseconds since the run's origin; negative before the load begins. */
  readonly atUs: number;
  readonly kind: EventKind;
  readonly source: EventSource;
  /** Which restart it belongs to, from 1; 0 for what lies before the first. */
  readonly restart: number;
  /** The version of the process it is about, where there is one. */
  readonly version?: string;
  /** The process's own name for itself (`pid-starttime`), where there is one. */
  readonly instance?: string;
  /** Of `sigterm` and `accept-stopped`: connections that were open, and requests under way on them. */
  readonly connections?: { readonly open: number; readonly inFlight: number };
  /** Anything a reader may want to know; never parsed. */
  readonly detail?: string;
}
