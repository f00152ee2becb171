/** Asks a question again and again, each time on a new connection, until it is told to end: it waits for no answer long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { askOnce } from './line.ts';
import type { ContractPlan, Sample } from './messages.ts';
import { healthRequest, quickEntry, requestOf } from './requests.ts';

const everyMs = 15;
/** The next one is asked after so long, whether this one is answered or not. */
const patienceMs = 100;
/** A health check that takes longer has failed. */
const healthMs = 2_000;
/** Behind a socket of systemd's a request waits for the start. */
const publicMs = 10_000;

/** Samples under way. */
export interface Sampling {
  readonly samples: Sample[];
  /** Ends it, and waits for the answers that are under way. */
  end(): Promise<void>;
}

/** Begins to ask the public port, if it is to be asked, and the health paths that the service has. */
export function startSampling(plan: ContractPlan, asksPublic: boolean): Sampling {
  const samples: Sample[] = [];
  const waiting = new Set<Promise<void>>();
  const over = new AbortController();
  const ask = async (of: Sample['of'], port: number, timeoutMs: number, bytes: Buffer): Promise<void> => {
    const { result, sentUs, doneUs } = await askOnce(port, bytes, timeoutMs);
    samples.push({ of, result, sentUs, doneUs });
  };
  const loop = async (of: Sample['of'], port: number, timeoutMs: number, bytes: () => Buffer): Promise<void> => {
    while (!over.signal.aborted) {
      const asked = ask(of, port, timeoutMs, bytes()).finally(() => waiting.delete(asked));
      waiting.add(asked);
      await Promise.race([asked, sleep(patienceMs)]);
      await sleep(everyMs);
    }
  };
  const { live, ready, publicPort, internalPort } = plan;
  const quick = quickEntry(plan);
  const asksHealth = asksPublic || internalPort !== publicPort;
  const loops = [
    ...(asksPublic ? [loop('public', publicPort, publicMs, () => requestOf(plan, quick, 'new').whole)] : []),
    ...(live === null || !asksHealth ? [] : [loop('live', internalPort, healthMs, () => healthRequest(plan, live))]),
    ...(ready === null || !asksHealth ? [] : [loop('ready', internalPort, healthMs, () => healthRequest(plan, ready))]),
  ];
  return {
    samples,
    end: async () => {
      over.abort();
      await Promise.all(loops);
      await Promise.all(waiting);
    },
  };
}
