/** Planted faults: a site that lies, so that whoever checks it can show that lies are caught. */
import type { Identity } from './log.ts';
import type { Fault } from './options.ts';
import type { Store } from './store.ts';

/** From the answer to the write, in `ack-before-commit`. */
const writeAfterMs = 200;
/** In `wrong-text`; the first writes are those that the load will read, and would find wrong at once. */
const everyFiftieth = 50;
const firstWritten = 50;

type Notes = Pick<Store, 'read' | 'write'>;

const faultyWrites: Partial<Record<Fault, (store: Notes) => Notes['write']>> = {
  'ack-before-commit': (store) => (note, holdMs) => {
    // Nobody waits for it, not even the end of the process.
    setTimeout(() => void store.write(note, holdMs).catch(() => undefined), writeAfterMs).unref();
    return Promise.resolve({ waitMs: 0 });
  },
  'apply-twice': (store) => async (note, holdMs) => {
    await store.write(note, holdMs);
    return await store.write(note, holdMs);
  },
  'wrong-text': (store) => {
    let writes = 0;
    return (note, holdMs) => {
      writes += 1;
      const isWrong = writes % everyFiftieth === 0 && writes > firstWritten;
      return store.write(isWrong ? { ...note, text: '' } : note, holdMs);
    };
  },
};

/** The store as this fault makes it appear; the store itself without one. */
export function withFault(store: Notes, fault: Fault): Notes {
  const write = faultyWrites[fault]?.(store);
  return write === undefined ? store : { read: store.read, write };
}

const spoilings = ['wrong-body', 'old-version', 'stall', 'cut-answer', 'no-answer'] as const;
/** How one answer is spoilt. */
export type Spoiling = (typeof spoilings)[number];

/** By then a process has served for a while, and nothing of its start is under way any more. */
const firstSpoilt = 300;
const everyTenth = 10;

/** Decides of each request, as it comes, whether its answer is to be spoilt; undefined without such a fault. */
export function spoiler(fault: Fault): ((method: string, path: string) => Spoiling | null) | undefined {
  const spoiling = spoilings.find((one) => one === fault);
  if (spoiling === undefined) return undefined;
  let served = 0;
  let isDone = false;
  return (method, path) => {
    // Whoever asks whether it lives asks nothing that could be answered wrongly.
    if (path.startsWith('/livez')) return null;
    served += 1;
    if (served < firstSpoilt) return null;
    if (spoiling === 'old-version') return served % everyTenth === 0 ? spoiling : null;
    // A proxy sends a GET that was not answered again, and hides it.
    if (isDone || (spoiling === 'no-answer' && method !== 'POST')) return null;
    isDone = true;
    return spoiling;
  };
}

/** The identity of the version before: what a process that was not replaced would claim. */
export function olderIdentity({ version, instance }: Identity): Identity {
  return { version: version.replace(/\d+$/u, (number) => String(Math.max(0, Number(number) - 1))), instance };
}
