/** The restarts of any run; and what the units of a service of the user's went through, as spans that explain drops. */
import type { EventKind, TimelineEvent } from '../../run/files/timeline.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { siteNamesOf } from '../../run/tables.ts';
import type { Verdict } from '../record/verdict.ts';
import { restartWindows, type RestartWindow } from '../restart-windows.ts';

/**
 * The restarts of a run, in order.
 * @param judged what a verdict knows of a user's service beside: when it answered after its start
 */
export function windowsOf(
  run: RunRecord,
  timeline: readonly TimelineEvent[],
  judged?: Pick<Verdict, 'journal'>,
): RestartWindow[] {
  if (run.kind === 'experiment') return restartWindows(timeline, siteNamesOf(run));
  const own = timeline.filter(({ site }) => site === undefined);
  return restartWindows(own, siteNamesOf(run)).map((window) => {
    const { restart, deployBeginUs, exitUs } = window;
    const warmingMs = judged?.journal?.phases.find((phases) => phases.restart === restart)?.warmingMs;
    const seen = own.filter((event) => event.restart === restart && event.atUs >= deployBeginUs);
    const firstFrom = (kind: EventKind, fromUs: number): number | null =>
      seen.find((event) => event.kind === kind && event.atUs >= fromUs)?.atUs ?? null;
    // A process that dies later, and is started again, is not what the deploy brought.
    const startUs = firstFrom('start', exitUs ?? -Infinity) ?? window.startUs;
    return {
      ...window,
      // The end of a unit's process closes no port that another process, or its socket, holds.
      acceptStoppedUs: null,
      startUs,
      readyUs: firstFrom('ready', startUs ?? -Infinity),
      firstAnswerUs: startUs === null || typeof warmingMs !== 'number' ? null : startUs + warmingMs * 1000,
    };
  });
}

/** What a unit of the user's service was doing. */
export interface UnitSpan {
  readonly unit: string;
  /** stopping: from SIGTERM to the exit. gone: no process. starting: there is one, and nobody was answered yet. */
  readonly state: 'stopping' | 'gone' | 'starting';
  readonly fromUs: number;
  readonly toUs: number;
  /** Of the event in timeline.ndjson that began it, from 1. */
  readonly line: number;
  /** That event, as it is cited. */
  readonly said: string;
}

const states: Partial<Record<EventKind, UnitSpan['state']>> = {
  sigterm: 'stopping',
  killing: 'stopping',
  'main-exited': 'gone',
  'unit-stopped': 'gone',
  'socket-stopped': 'gone',
  start: 'starting',
  'socket-started': 'starting',
};

/**
 * The spans of every unit of the journal, each to the unit's next event of another state, or to the first ok answer that
 * was sent after it: then somebody listens again.
 * @param first the unit whose events name none
 */
export function unitSpans(
  timeline: readonly TimelineEvent[],
  { first, originWallUs }: { readonly first: string; readonly originWallUs: number },
): UnitSpan[] {
  const open = new Map<string, { state: UnitSpan['state']; span: UnitSpan }>();
  const spans: UnitSpan[] = [];
  for (const [index, { kind, source, atUs, detail = '', site: unit = first }] of timeline.entries()) {
    const state = source === 'journal' ? states[kind] : undefined;
    if (state === undefined) continue;
    const before = open.get(unit);
    if (before?.state === state) continue;
    if (before !== undefined) spans.push({ ...before.span, toUs: atUs });
    const said = `${kind === 'sigterm' ? 'SIGTERM' : kind} ${clockTime(originWallUs + atUs)}: ${detail}`;
    open.set(unit, { state, span: { unit, state, fromUs: atUs, toUs: Infinity, line: index + 1, said } });
  }
  return [...spans, ...[...open.values()].map(({ span }) => span)].sort((a, b) => a.fromUs - b.fromUs);
}

/** `12:03:01.120 UTC`. */
export function clockTime(wallUs: number): string {
  return `${new Date(Math.round(wallUs / 1000)).toISOString().slice(11, 23)} UTC`;
}
