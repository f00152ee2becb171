/** The phases of a restart: one definition for rows, tables, charts and texts. */
import type { RestartWindow } from './restart-windows.ts';

/** Where in a restart a request was due. */
export type Phase = 'before' | 'draining' | 'down' | 'warming' | 'after';

/** A stretch of a restart, in microseconds since the origin; its end may be infinite. */
export interface PhaseSpan {
  readonly name: Exclude<Phase, 'before' | 'after'>;
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * The phases of one restart, as far as the timeline tells them, each beginning where the one before ended:
 * - draining: from SIGTERM (or the deploy's word that the old version is out of rotation) to the end of the old process;
 * - down: until the new process starts, so that there is none;
 * - warming: until the new process accepts (of a service of the user's: is ready, else has answered).
 *
 * In a swap the new process accepts before the old one ends: there is only draining.
 */
export function phasesOf({
  retireUs,
  sigtermUs,
  exitUs,
  startUs,
  internalListeningUs,
  acceptingUs,
  readyUs,
  firstAnswerUs,
  steadyUs,
}: RestartWindow): PhaseSpan[] {
  const drainUs = sigtermUs ?? retireUs ?? exitUs;
  if (drainUs === null) return [];
  // When a service of the user's accepts nobody tells: it did when it was ready, or had answered.
  const openUs = acceptingUs ?? (steadyUs === null ? Infinity : (readyUs ?? firstAnswerUs ?? steadyUs));
  const goneUs = exitUs ?? openUs;
  const begunUs = Math.min(openUs, Math.max(goneUs, startUs ?? internalListeningUs ?? openUs));
  const spans: PhaseSpan[] = [
    { name: 'draining', fromUs: drainUs, toUs: goneUs },
    { name: 'down', fromUs: goneUs, toUs: begunUs },
    { name: 'warming', fromUs: begunUs, toUs: openUs },
  ];
  return spans.filter(({ fromUs, toUs }) => toUs > fromUs);
}

/** The phase at this time, and the restart it belongs to (0: before the first). */
export function phaseAt(atUs: number, window: RestartWindow | undefined): { restart: number; phase: Phase } {
  if (window === undefined) return { restart: 0, phase: 'before' };
  const { restart } = window;
  const spans = phasesOf(window);
  const span = spans.find(({ fromUs, toUs }) => atUs >= fromUs && atUs < toUs);
  const first = spans[0];
  return { restart, phase: span?.name ?? (first === undefined || atUs < first.fromUs ? 'before' : 'after') };
}
