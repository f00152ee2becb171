/** Connections that are held beside a load, on a thread of their own. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { HoldCounts, LoadPlan } from '../load/plan.ts';
import type { HoldingPlan } from './hold-request.ts';

/** Prepares them, and a thread that is ready to hold them; null where the plan holds none. */
export async function prepareHolds(plan: LoadPlan) {
  if (plan.hold === undefined) return null;
  const workerData: HoldingPlan = { ...plan, hold: plan.hold };
  const worker = new Worker(new URL('./hold-thread.ts', import.meta.url), { workerData });
  await once(worker, 'message');
  return {
    /** Begins to open them. */
    begin: (originUs: number): void => worker.postMessage(originUs),
    /** Ends those that are open; resolves when every row is in its file. */
    end: async (): Promise<HoldCounts> => {
      worker.postMessage('end');
      const [counts] = (await once(worker, 'message')) as [HoldCounts];
      return counts;
    },
    /** Never resolves; rejects when the thread has failed. */
    failed: new Promise<never>((_, reject) => worker.once('error', reject)),
  };
}
