import { describe, expect, it } from 'vitest';
import { messageIds, parseJournal } from '../files/journal.ts';
import { isServiceJournalLine, serviceJournalEvents } from './service-journal.ts';

const originUs = 48_600_000_000;

/** Lines as journalctl gave them of a small unit (systemd 252): stamps since the origin, in ms. */
function lineOf(atMs: number, MESSAGE: string, id?: keyof typeof messageIds, UNIT = 'shop.service'): string {
  const entry = { __MONOTONIC_TIMESTAMP: String(originUs + atMs * 1000), MESSAGE, UNIT };
  return JSON.stringify(id === undefined ? entry : { ...entry, MESSAGE_ID: messageIds[id] });
}

const eventsOf = (lines: readonly string[], { names = ['shop.service'], tellsReady = false } = {}) =>
  serviceJournalEvents(parseJournal(lines.join('\n'), 'journal'), {
    originUs,
    units: names.map((name) => ({ name, tellsReady })),
    begins: [1_000_000],
  });
const kindsOf = (...of: Parameters<typeof eventsOf>) => eventsOf(...of).map(({ atUs, kind }) => [atUs / 1000, kind]);

describe('of a service’s unit the journal tells', () => {
  it('a restart of a process that ends of SIGTERM: its start is the one line of a simple unit', () => {
    const lines = [
      lineOf(1154, 'Stopping shop.service - The shop...', 'unitStopping'),
      lineOf(1162, 'shop.service: Deactivated successfully.', 'unitSucceeded'),
      lineOf(1163, 'Stopped shop.service - The shop.', 'unitStopped'),
      lineOf(1165, 'Started shop.service - The shop.', 'unitStarted'),
    ];
    expect(kindsOf(lines)).toEqual([
      [1154, 'sigterm'],
      [1162, 'main-exited'],
      [1163, 'unit-stopped'],
      [1165, 'start'],
      [1165, 'unit-started'],
    ]);
    expect(eventsOf(lines)[1]).toEqual({
      atUs: 1_162_000,
      kind: 'main-exited',
      source: 'journal',
      restart: 1,
      detail: 'shop.service: Deactivated successfully.',
    });
    expect(eventsOf(lines)[0]?.detail).toBe('shop.service: Stopping shop.service - The shop...');
  });

  it('a process that does not end in time, and when the next one was ready', () => {
    const lines = [
      lineOf(1078, 'Stopping shop.service - The shop...', 'unitStopping'),
      lineOf(2305, 'shop.service: Killing process 227 (shop.sh) with signal SIGKILL.'),
      lineOf(2305, 'shop.service: Main process exited, code=killed, status=9/KILL', 'processExited'),
      lineOf(2306, 'Stopped shop.service - The shop.', 'unitStopped'),
      lineOf(2317, 'Starting shop.service - The shop...', 'unitStarting'),
      lineOf(2645, 'Started shop.service - The shop.', 'unitStarted'),
    ];
    const kinds = [
      [1078, 'sigterm'],
      [2305, 'killing'],
      [2305, 'main-exited'],
      [2306, 'unit-stopped'],
      [2317, 'start'],
      [2645, 'unit-started'],
    ];
    expect(kindsOf(lines)).toEqual(kinds);
    expect(kindsOf(lines, { tellsReady: true })).toEqual([...kinds, [2645, 'ready']]);
  });

  it('a crash before the deploy, and that systemd started it again', () => {
    const lines = [
      lineOf(134, 'shop.service: Main process exited, code=killed, status=9/KILL', 'processExited'),
      lineOf(135, "shop.service: Failed with result 'signal'.", 'unitFailed'),
      lineOf(396, 'shop.service: Scheduled restart job, restart counter is at 1.', 'restartScheduled'),
    ];
    expect(kindsOf(lines)).toEqual([
      [134, 'main-exited'],
      [396, 'restart-scheduled'],
    ]);
    expect(eventsOf(lines).map(({ restart }) => restart)).toEqual([0, 0]);
  });

  it('of a socket when it was closed and opened, and of a second unit under its name', () => {
    const lines = [
      lineOf(1100, 'Closed shop.socket.', 'unitStopped', 'shop.socket'),
      lineOf(1200, 'Listening on shop.socket.', 'unitStarted', 'shop.socket'),
    ];
    expect(eventsOf(lines, { names: ['shop.service', 'shop.socket'] })).toMatchObject([
      { kind: 'socket-stopped', site: 'shop.socket' },
      { kind: 'socket-started', site: 'shop.socket' },
    ]);
  });

  it('nothing of another unit, and keeps no line that may quote a setting', () => {
    expect(eventsOf([lineOf(1, 'Started x', 'unitStarted', 'x.service')])).toEqual([]);
    const [line] = parseJournal(lineOf(1, 'Invalid environment assignment, ignoring: PASSWORD'), 'journal');
    expect(line !== undefined && isServiceJournalLine(line)).toBe(false);
  });
});
