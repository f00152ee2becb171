/**
 * When each slot of a load is due, and which request it carries: exact proportions in every block of slots, in an order
 * drawn from the seed. Pure: no clock, no timer.
 */
import type { Method } from '../base/methods.ts';
import { seededRandom, shuffle } from '../base/random.ts';

/** A request that leaves this late voids the restart that it should have met. */
export const lateAboveMs = 50;

/** What makes a restart void: the only definition, for reports and the glossary. */
export const voidMeaning =
  `A restart is void when a request due in its at-risk time left more than ${lateAboveMs} ms late and it dropped nothing: ` +
  'it is no evidence either way. A late one that dropped something counts.';

/** Due time of slot `seq`, in microseconds since the origin: seq / rate. */
export function dueUsOf(seq: number, ratePerSecond: number): number {
  return Math.round((seq * 1e6) / ratePerSecond);
}

/** How many slots a load of this length has: exactly rate × seconds, rounded to the nearest. */
export function slotCount(ratePerSecond: number, durationMs: number): number {
  return Math.round((ratePerSecond * durationMs) / 1000);
}

/** One kind of request in the mix. `/notes/:id` reads a note that exists, `/notes` writes one with an id of its own. */
export interface MixEntry {
  readonly method: Method;
  readonly path: string;
  readonly weight: number;
}

/** How requests come by their connection. */
export type ConnectionMode = 'kept' | 'new' | 'mixed';

/** What one slot asks for. */
export interface Assignment<Entry extends MixEntry = MixEntry> {
  readonly entry: Entry;
  readonly connection: 'new' | 'kept';
}

/** Slots in a block: small enough that every outage meets the whole mix, large enough for weights down to 1 %. */
const blockSlots = 100;

/**
 * The assignment of each slot, which must be asked for in rising order.
 * Weights are shared out by largest remainder within each connection kind, so that in `mixed` each kind of request
 * meets kept and new connections alike.
 */
export function assignments<Entry extends MixEntry>(
  mix: readonly Entry[],
  connections: ConnectionMode,
  seed: number,
): (seq: number) => Assignment<Entry> {
  const random = seededRandom(seed, 'mix');
  const pattern = blockOf(mix, connections);
  let block: Assignment<Entry>[] = [];
  let blockIndex = -1;
  return (seq) => {
    const wanted = Math.floor(seq / blockSlots);
    if (wanted < blockIndex) throw new Error(`slot ${seq} was asked for after a later block`);
    while (blockIndex < wanted) {
      block = shuffle([...pattern], random);
      blockIndex++;
    }
    const assignment = block[seq % blockSlots];
    if (assignment === undefined) throw new Error(`no assignment for slot ${seq}`);
    return assignment;
  };
}

/** The slots of a block, in no order. */
function blockOf<Entry extends MixEntry>(mix: readonly Entry[], connections: ConnectionMode): Assignment<Entry>[] {
  const kinds: readonly ('new' | 'kept')[] = connections === 'mixed' ? ['new', 'kept'] : [connections];
  return kinds.flatMap((connection) =>
    shareOut(mix, blockSlots / kinds.length).map((entry): Assignment<Entry> => ({ entry, connection })),
  );
}

/** How many slots of each block of 100 each entry gets, in their order. */
export function slotsInBlock(mix: readonly MixEntry[], connections: ConnectionMode): number[] {
  const block = blockOf(mix, connections);
  return mix.map((entry) => block.filter((slot) => slot.entry === entry).length);
}

/** Each entry as often as its weight's share of `slots`, whole numbers by largest remainder. */
export function shareOut<Entry extends MixEntry>(mix: readonly Entry[], slots: number): Entry[] {
  const total = mix.reduce((sum, entry) => sum + entry.weight, 0);
  const shares = mix.map((entry) => {
    const exact = (slots * entry.weight) / total;
    return { entry, whole: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  const left = slots - shares.reduce((sum, { whole }) => sum + whole, 0);
  const raised = new Set(shares.toSorted((a, b) => b.rest - a.rest).slice(0, left));
  return shares.flatMap((share) => Array<Entry>(share.whole + Number(raised.has(share))).fill(share.entry));
}
