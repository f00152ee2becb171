import { describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import type { LedgerRow } from '../run/ledger.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { PlannedRequests } from './planned-requests.ts';
import { row, runRecord } from './testing.ts';
import { labPrimedNotes, primedNoteId } from '../run/site-requests.ts';
import { assignments } from '../experiment/load-schedule.ts';

const mix = [
  { method: 'GET', path: '/notes/:id', weight: 2 },
  { method: 'POST', path: '/notes', weight: 1 },
  { method: 'GET', path: '/slow?ms=300', weight: 1 },
] as const;
const slots = labPrimedNotes + 50;
const { experiment, ...run } = runRecord(resolveExperiment(e5, { variant: undefined, changes: [] }));
const load = { ...experiment.load, mix: [...mix], connections: 'mixed' as const };
const planned = new PlannedRequests({ ...run, load }, slots);
const assignmentOf = assignments(mix, 'mixed', run.seed);
/** Asked for in their order: the draw goes forward only. */
const drawing = Array.from({ length: slots }, (_, seq) => assignmentOf(seq));

function assignmentIn(seq: number): (typeof drawing)[number] {
  const assignment = drawing[seq];
  if (assignment === undefined) throw new Error(`no slot ${seq}`);
  return assignment;
}

/** The row of a slot as its seed draws it. */
function drawn(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  const { entry, connection } = assignmentIn(seq);
  const path = entry.path === '/notes/:id' ? `/notes/${primedNoteId(run.runId, seq % labPrimedNotes)}` : entry.path;
  return row(seq, { method: entry.method, path, connection, ...over });
}

/** The first slot of this path. */
function slotOf(path: string): number {
  return drawing.findIndex(({ entry }) => entry.path === path);
}

describe('what a slot asks for', () => {
  it('is what the seed draws, of every slot', () => {
    const seqs = Array.from({ length: slots }, (_, seq) => seq);
    expect(seqs.map((seq) => planned.otherThan(drawn(seq)))).toEqual(seqs.map(() => null));
    expect(new Set(drawing.map((assignment) => JSON.stringify(assignment))).size).toBe(6);
  });

  it('has its method, its path and its connection', () => {
    const seq = slotOf('/notes');
    const { connection } = assignmentIn(seq);
    const other = connection === 'new' ? 'kept' : 'new';
    const sentence = `POST /notes on a ${connection} connection`;
    expect(planned.otherThan(drawn(seq, { method: 'GET' }))).toBe(sentence);
    expect(planned.otherThan(drawn(seq, { path: '/notes/x' }))).toBe(sentence);
    expect(planned.otherThan(drawn(seq, { connection: other }))).toBe(sentence);
    expect(planned.otherThan(drawn(slotOf('/slow?ms=300'), { path: '/slow?ms=299' }))).toContain(
      'GET /slow?ms=300 on a',
    );
  });

  it('is a note of its own turn where it reads one', () => {
    const seq = slotOf('/notes/:id');
    const path = (index: number): string => `/notes/${primedNoteId(run.runId, index)}`;
    expect(planned.otherThan(drawn(seq, { path: path(seq + 1) }))).toContain(`GET ${path(seq)} on a`);
    expect(planned.otherThan(drawn(seq, { path: '/notes/:id' }))).not.toBeNull();
  });

  it('is nothing beyond the schedule', () => {
    expect(planned.otherThan(row(slots, { method: 'POST', path: '/elsewhere' }))).toBeNull();
  });
});
