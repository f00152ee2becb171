/** What systemd's journal says of the restarts of a service of the user's: the events, and how long each phase took. */
import type { TimelineEvent } from '../../run/files/timeline.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import { originWallUsOf } from '../../run/tables.ts';
import { phasesOf } from '../phases.ts';
import type { Verdict } from '../record/verdict.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { clockTime } from './service-windows.ts';

/** Events that verdict.json has; timeline.ndjson has all. */
const mostEvents = 200;

/** Is the journal there that was asked for? Where it could not be read, a note of the run says so. */
export function journalDoubts({ aborted, notes, service }: ServiceRun, isThere: boolean): string[] {
  const isTold = notes.some((note) => note.startsWith('What the journal has to say is missing'));
  if (service.journal === undefined || isThere || aborted !== null || isTold) return [];
  return [
    `${runFiles.journal} is missing: what became of ${service.journal.join(', ')} cannot be looked up; run again.`,
  ];
}

/** The journal's part of the verdict; nothing where no journal was asked for. */
export function journalOf(
  run: ServiceRun,
  windows: readonly RestartWindow[],
  timeline: readonly TimelineEvent[],
): Verdict['journal'] {
  if (run.service.journal === undefined) return undefined;
  const told = timeline
    .map((event, index) => ({ ...event, line: index + 1 }))
    .filter(({ source }) => source === 'journal');
  return {
    units: run.service.journal,
    lines: told.length,
    restartsByItself: told.filter(({ kind }) => kind === 'restart-scheduled').length,
    phases: windows.map((window) => ({ restart: window.restart, ...phaseTimes(window) })),
    events: told.slice(0, mostEvents).map(({ atUs, kind, restart, detail = '', line }) => ({
      ...{ atUs, at: clockTime(originWallUsOf(run) + atUs), kind, restart, said: detail, line },
    })),
  };
}

/** null: not known. A phase that is not there, between events that are, took no time. */
function phaseTimes(window: RestartWindow) {
  const spans = phasesOf(window);
  const ms = (name: string, isKnown: boolean): number | null => {
    if (!isKnown) return null;
    const span = spans.find((one) => one.name === name);
    if (span === undefined) return 0;
    return Number.isFinite(span.toUs) ? Math.round(span.toUs - span.fromUs) / 1000 : null;
  };
  const { sigtermUs, exitUs, startUs, steadyUs, readyUs, firstAnswerUs } = window;
  return {
    drainingMs: ms('draining', sigtermUs !== null && exitUs !== null),
    downMs: ms('down', exitUs !== null && startUs !== null),
    warmingMs: ms('warming', startUs !== null && (readyUs ?? firstAnswerUs ?? steadyUs) !== null),
  };
}
