/** What systemd's journal tells of the units of a service that the user runs, as events of the timeline. Pure. */
import { killingWords, messageIds, type JournalLine } from '../files/journal.ts';
import { eventKinds, type EventKind, type TimelineEvent } from '../files/timeline.ts';

/** A unit of `--journal`. */
export interface JournalUnit {
  readonly name: string;
  /** systemd says "Started" of it when the process itself has said that it is ready (Type=notify and the like). */
  readonly tellsReady: boolean;
}

/** Message ids that become events; lines of any other are not kept. */
const kinds: ReadonlyMap<string | undefined, Partial<Record<'service' | 'socket', EventKind>>> = new Map([
  // SIGTERM follows at once, unless the unit has an ExecStop=.
  [messageIds.unitStopping, { service: 'sigterm' }],
  [messageIds.processExited, { service: 'main-exited' }],
  // A process that ended well has no line of its own exit.
  [messageIds.unitSucceeded, { service: 'main-exited' }],
  [messageIds.unitFailed, { socket: 'socket-stopped' }],
  [messageIds.unitStopped, { service: 'unit-stopped', socket: 'socket-stopped' }],
  [messageIds.restartScheduled, { service: 'restart-scheduled' }],
  [messageIds.unitStarting, { service: 'start' }],
  [messageIds.unitStarted, { service: 'unit-started', socket: 'socket-started' }],
]);

/** Is it a line that becomes an event? All others stay out of the run: some quote settings. */
export function isServiceJournalLine({ messageId, message }: JournalLine): boolean {
  return kinds.has(messageId) || killingWords.test(message);
}

/**
 * The events, in order of time.
 * @param begins when each restart began, in microseconds since the origin, in their order
 */
export function serviceJournalEvents(
  lines: readonly JournalLine[],
  { originUs, units, begins }: { originUs: number; units: readonly JournalUnit[]; begins: readonly number[] },
): TimelineEvent[] {
  const rank = new Map(eventKinds.map((kind, index) => [kind, index]));
  return units
    .flatMap((unit, index) => {
      const own = lines.filter((line) => line.unit === unit.name);
      // The first unit is the service whose restarts have phases; of others only the events are told.
      return eventsOf(own, unit).map(({ kind, line }): TimelineEvent => {
        const atUs = Math.round(line.atMonotonicUs - originUs);
        return {
          atUs,
          kind,
          source: 'journal',
          restart: begins.filter((beginUs) => beginUs <= atUs).length,
          ...(index > 0 && { site: unit.name }),
          detail: line.message.startsWith(unit.name) ? line.message : `${unit.name}: ${line.message}`,
        };
      });
    })
    .sort((a, b) => a.atUs - b.atUs || (rank.get(a.kind) ?? 0) - (rank.get(b.kind) ?? 0));
}

/** Of a unit whose start is one line only, that line is the process's beginning; of another it is its end, and maybe READY. */
function eventsOf(lines: readonly JournalLine[], unit: JournalUnit): { kind: EventKind; line: JournalLine }[] {
  const part = unit.name.endsWith('.socket') ? 'socket' : 'service';
  let isStarting = false;
  return lines.flatMap((line) => {
    const kind = killingWords.test(line.message) ? 'killing' : kinds.get(line.messageId)?.[part];
    if (kind === undefined) return [];
    const before: EventKind[] = kind === 'unit-started' && !isStarting ? ['start'] : [];
    const after: EventKind[] = kind === 'unit-started' && unit.tellsReady ? ['ready'] : [];
    isStarting = kind === 'start';
    return [...before, kind, ...after].map((one) => ({ kind: one, line }));
  });
}
