/** Planted faults: a site that lies about its writes, so that whoever checks writes can show that lies are caught. */
import type { Fault } from './options.ts';
import type { Store } from './store.ts';

/** From the answer to the write, in `ack-before-commit`. */
const writeAfterMs = 200;

/** The store as this fault makes it appear; the store itself without one. */
export function withFault(store: Pick<Store, 'read' | 'write'>, fault: Fault): Pick<Store, 'read' | 'write'> {
  const { read } = store;
  switch (fault) {
    case 'ack-before-commit':
      return {
        read,
        write: async (note, holdMs) => {
          // Nobody waits for it, not even the end of the process.
          setTimeout(() => void store.write(note, holdMs).catch(() => undefined), writeAfterMs).unref();
          return Promise.resolve({ waitMs: 0 });
        },
      };
    case 'apply-twice':
      return {
        read,
        write: async (note, holdMs) => {
          await store.write(note, holdMs);
          return await store.write(note, holdMs);
        },
      };
    case 'none':
    case 'crash-at-start':
      return store;
  }
}
