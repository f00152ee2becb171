import { describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import type { JournalLine } from '../run/journal.ts';
import { journalDoubts } from './journal-doubts.ts';
import type { InstanceSpan } from './site-columns.ts';
import { runRecord } from './testing.ts';

const fingerprint = { node: 'v24.1.0', sqlite: '3.50.0', 'sqlite.pragmas': 'journal_mode:wal,synchronous:1' };
const run = runRecord(resolveExperiment(e5, { variant: undefined, changes: [] }), { fingerprint });
const originUs = 1_000_000_000;

/** An event of the site as journald received it, 300 µs later unless a test says otherwise. */
function line(event: string, atUs: number, more: Record<string, unknown> = {}, afterUs = 300): JournalLine {
  const said = { event, atMonotonicUs: originUs + atUs, version: 'v1', instance: '48-1', ...more };
  const common = { messageId: undefined, unit: 'site@demo.service' };
  return { ...common, atMonotonicUs: originUs + atUs + afterUs, message: JSON.stringify(said) };
}

const systemd: JournalLine = { atMonotonicUs: 5, message: 'Starting', messageId: 'x', unit: 'site@demo.service' };
const start = { node: '24.1.0', sqlite: '3.50.0', pragmas: { journal_mode: 'wal', synchronous: 1 } };
const whole = [systemd, line('start', 1_000, start), line('accepting', 2_000), line('exit', 9_000)];

/** What one process read first and last, with the numbers of the lines. */
function span(firstUs: number, lastUs: number, instance = '48-1'): InstanceSpan {
  return {
    instance,
    first: { receivedUs: originUs + firstUs, line: 7 },
    last: { receivedUs: originUs + lastUs, line: 8 },
  };
}

const doubts = (journal: JournalLine[], served: InstanceSpan[] = [span(2_000, 9_000)]): string[] =>
  journalDoubts(run, journal, served);

describe('the journal', () => {
  it('agrees with fingerprint and site', () => {
    expect(doubts(whole)).toEqual([]);
  });

  it('is received no sooner than it is said, but for the time in which journald was awake', () => {
    expect(doubts([...whole, line('ready', 2_100, {}, -50_000)])).toEqual([]);
    expect(doubts([...whole, line('ready', 2_100, {}, -50_001), line('ready', 2_200, {}, -50_001)])).toEqual([
      'witnesses/journal.ndjson:5 was received before the site said it: one of its two stamps was changed after the run.',
    ]);
  });

  it('says when each process accepts: it reads nothing before', () => {
    expect(doubts(whole, [span(1_999, 8_000)])).toEqual([
      "The site's log has a request read at 1.999 ms (line 7), before that process said that it accepts " +
        '(witnesses/journal.ndjson:3): one of them was changed after the run.',
    ]);
    expect(doubts(whole, [span(2_000, 8_000), span(1_500, 8_000)])).toHaveLength(1);
  });

  it('says when each process ends: it reads nothing after', () => {
    expect(doubts(whole, [span(2_000, 9_001)])).toEqual([
      "The site's log has a request read at 9.001 ms (line 8), after that process said that it ends " +
        '(witnesses/journal.ndjson:4): one of them was changed after the run.',
    ]);
  });

  it('of one process says nothing of another, and one that was killed did not say that it ends', () => {
    const other = line('start', 1, { ...start, instance: '49-1' });
    expect(doubts([...whole, other], [span(0, 99_000, '49-1')])).toEqual([]);
    expect(doubts(whole.slice(0, 3), [span(2_000, 99_000)])).toEqual([]);
  });

  it('knows each process that read requests', () => {
    expect(doubts(whole, [span(2_000, 9_000), span(2_000, 9_000, '49-1'), span(2_000, 9_000, '50-1')])).toEqual([
      "witnesses/journal.ndjson has no word of the process 49-1, which read requests (line 7 of the site's log): it is of " +
        'another run, or was changed.',
    ]);
  });

  it.each([
    ['node', { node: '22.0.0' }, 'node v24.1.0', 'v22.0.0'],
    ['sqlite', { sqlite: '3.49.0' }, 'sqlite 3.50.0', '3.49.0'],
    [
      'pragmas',
      { pragmas: { journal_mode: 'delete', synchronous: 1 } },
      'sqlite.pragmas journal_mode:wal,synchronous:1',
      'journal_mode:delete,synchronous:1',
    ],
  ])('names the %s of the fingerprint, at every start', (_, other, wanted, said) => {
    const journal = [...whole, line('start', 10_000, { ...start, ...other })];
    expect(doubts(journal)).toEqual([
      `The fingerprint has ${wanted}, and the site's process said ${said} (witnesses/journal.ndjson:5): one of them was ` +
        'changed after the run.',
    ]);
    // Only a start says so.
    expect(doubts([...whole, line('ready', 10_000, { ...start, ...other })])).toEqual([]);
  });

  it('may leave out at one start what it is made of, and not at all of them', () => {
    const bare = [line('start', 1_000), line('start', 1_000, { node: 24, sqlite: null, pragmas: null })];
    expect(doubts([...whole, ...bare])).toEqual([]);
    expect(doubts(bare, [])).toEqual(
      ['node v24.1.0', 'sqlite 3.50.0', 'sqlite.pragmas journal_mode:wal,synchronous:1'].map(
        (what) =>
          `The fingerprint has ${what}, and no process of the site says so (witnesses/journal.ndjson): one of them was ` +
          'changed after the run.',
      ),
    );
    expect(journalDoubts({ ...run, fingerprint: {} }, bare, [])).toEqual([]);
    expect(journalDoubts({ ...run, fingerprint: {} }, whole, [])).toHaveLength(3);
    expect(journalDoubts({ ...run, fingerprint: {} }, whole, [])[0]).toContain('has node none, and the site');
  });
});
