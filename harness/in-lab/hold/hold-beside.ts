/** Connections that are held beside a load, on a thread of their own. */
import { Worker } from 'node:worker_threads';
import type { HoldCounts, LoadPlan } from '../load/plan.ts';
import type { HoldingPlan } from './hold-request.ts';

/** What the thread is told, and what it says. */
export type HoldCommand = { readonly kind: 'begin'; readonly originUs: number } | { readonly kind: 'end' };
export type HoldMessage = { readonly kind: 'ready' } | { readonly kind: 'done'; readonly counts: HoldCounts };

/** Connections to hold, and a thread that is ready to. */
export interface HeldBeside {
  /** Begins to open them. */
  begin(originUs: number): void;
  /** Ends those that are open; resolves when every row is in its file. */
  end(): Promise<HoldCounts>;
  /** Never resolves; rejects when the thread has failed. */
  readonly failed: Promise<never>;
}

/** Prepares them; null where the plan holds none. */
export async function prepareHolds(plan: LoadPlan): Promise<HeldBeside | null> {
  if (plan.hold === undefined) return null;
  const workerData: HoldingPlan = { ...plan, hold: plan.hold };
  const worker = new Worker(new URL('./hold-thread.ts', import.meta.url), { workerData });
  const ready = Promise.withResolvers<undefined>();
  const done = Promise.withResolvers<HoldCounts>();
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  worker.on('message', (message: HoldMessage) => {
    if (message.kind === 'ready') ready.resolve(undefined);
    else done.resolve(message.counts);
  });
  await Promise.race([ready.promise, failed]);
  const tell = (command: HoldCommand): void => worker.postMessage(command);
  return {
    begin: (originUs) => tell({ kind: 'begin', originUs }),
    end: async () => {
      tell({ kind: 'end' });
      return await Promise.race([done.promise, failed]);
    },
    failed,
  };
}
