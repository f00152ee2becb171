/** What the schedule has each slot of an experiment ask for: the seed draws it, so a row that asks for anything else was changed. */
import type { LedgerRow } from '../run/ledger.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { labPrimedNotes, primedNoteId } from '../run/site-requests.ts';
import { assignments, type Assignment } from '../experiment/load-schedule.ts';

/** What a schedule is drawn from. */
export interface Plan extends Pick<ExperimentRun, 'runId' | 'seed'> {
  readonly load: {
    readonly mix: readonly Experiment['load']['mix'][number][];
    readonly connections: Experiment['load']['connections'];
  };
}

/** Every slot's request, in a byte a slot. */
export class PlannedRequests {
  /** The few that there are; slots have their places. */
  private readonly assigned: Assignment[] = [];
  private readonly places: Uint8Array;
  private readonly primedPaths: readonly string[];

  constructor({ runId, seed, load }: Plan, slots: number) {
    const of = assignments(load.mix, load.connections, seed);
    const placeOf = new Map<Assignment, number>();
    this.places = new Uint8Array(slots);
    for (let seq = 0; seq < slots; seq++) {
      const assignment = of(seq);
      let place = placeOf.get(assignment);
      if (place === undefined) {
        place = this.assigned.push(assignment) - 1;
        placeOf.set(assignment, place);
      }
      this.places[seq] = place;
    }
    this.primedPaths = Array.from({ length: labPrimedNotes }, (_, index) => `/notes/${primedNoteId(runId, index)}`);
  }

  /** What the row should have asked for, where it did not; null where it did, or has no slot. */
  otherThan({ seq, method, path, connection }: LedgerRow): string | null {
    const assignment = this.assigned[this.places[seq] ?? -1];
    if (assignment === undefined) return null;
    const { entry } = assignment;
    const planned = entry.path === '/notes/:id' ? (this.primedPaths[seq % labPrimedNotes] ?? '') : entry.path;
    if (entry.method === method && planned === path && assignment.connection === connection) return null;
    return `${entry.method} ${planned} on a ${assignment.connection} connection`;
  }
}
