/** Which request each slot carries: exact proportions in every block of slots, in an order drawn from the seed. */
import { seededRandom, shuffle } from '../base/random.ts';
import type { ConnectionMode, PlanMixEntry } from './plan.ts';

/** What one slot asks for. */
export interface Assignment {
  readonly entry: PlanMixEntry;
  readonly connection: 'new' | 'kept';
}

/** Slots in a block: small enough that every outage meets the whole mix, large enough for weights down to 1 %. */
const blockSlots = 100;

/**
 * Tells the assignment of each slot, asked for in rising order.
 * Weights are shared out by largest remainder within each connection kind, so that in `mixed` each kind of request
 * meets kept and new connections alike.
 */
export function assignments(
  mix: readonly PlanMixEntry[],
  connections: ConnectionMode,
  seed: number,
): (seq: number) => Assignment {
  const random = seededRandom(seed, 'mix');
  const kinds: readonly ('new' | 'kept')[] = connections === 'mixed' ? ['new', 'kept'] : [connections];
  const pattern = kinds.flatMap((connection) =>
    shareOut(mix, blockSlots / kinds.length).map((entry): Assignment => ({ entry, connection })),
  );
  let block: Assignment[] = [];
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

/** Each entry as often as its weight's share of `slots`, whole numbers by largest remainder. */
export function shareOut(mix: readonly PlanMixEntry[], slots: number): PlanMixEntry[] {
  const total = mix.reduce((sum, entry) => sum + entry.weight, 0);
  const shares = mix.map((entry) => {
    const exact = (slots * entry.weight) / total;
    return { entry, whole: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  let left = slots - shares.reduce((sum, share) => sum + share.whole, 0);
  for (const share of [...shares].sort((a, b) => b.rest - a.rest)) {
    if (left <= 0) break;
    share.whole++;
    left--;
  }
  return shares.flatMap(({ entry, whole }) => Array.from({ length: whole }, () => entry));
}
