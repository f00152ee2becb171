/** One load by one thread or by several: the slots are dealt out in turn, and one ledger comes out. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { monotonicUs } from '../../base/clock.ts';
import { prepareLoad, type PreparedLoad } from './generator.ts';
import { openLedgerFile } from './ledger-file.ts';
import { slotsDueBy, type SlotShare } from './pacer.ts';
import { sumOfCounts, type LoadCounts, type LoadPlan, type LoadResult } from './plan.ts';
import { rehearse } from './rehearsal.ts';

/** What a thread is handed. */
export interface ThreadTask {
  readonly plan: LoadPlan;
  readonly share: SlotShare;
}

/** What a thread is told after it, and what it says once it is ready. */
export type ThreadCommand =
  | { readonly kind: 'run'; readonly originUs: number }
  | { readonly kind: 'finish'; readonly slots: number | undefined }
  | { readonly kind: 'stop' };
export type ThreadMessage =
  { readonly kind: 'counts'; readonly counts: LoadCounts } | { readonly kind: 'done'; readonly result: LoadResult };

/** A load of several threads that is to finish now ends this far ahead: each must hear of it before its last slot is due. */
const finishAheadUs = 500_000;
/** Young generation of a thread: small, since rows are short-lived, and memory is the server's as well. */
const youngGenerationMb = 12;

/** Prepares a load on as many threads as its plan says; when it has run, its ledger is written. */
export async function prepareThreads(plan: LoadPlan): Promise<PreparedLoad> {
  return plan.threads === 1 ? await prepareHere(plan) : await prepareWorkers(plan);
}

/** A load on this thread; with a share, the part of it that is this thread's. */
export async function prepareHere(plan: LoadPlan, share?: SlotShare): Promise<PreparedLoad> {
  await rehearse(plan);
  const ledger = openLedgerFile(plan.ledgerPath);
  const load = await prepareLoad(plan, (row) => ledger.write(row), share);
  return {
    counts: () => load.counts(),
    finish: (slots) => load.finish(slots),
    stop: () => load.stop(),
    run: async (originUs) => {
      const result = await load.run(originUs);
      await ledger.close();
      return result;
    },
  };
}

async function prepareWorkers(plan: LoadPlan): Promise<PreparedLoad> {
  const parts = Array.from({ length: plan.threads }, (_, first) => ({
    path: `${plan.ledgerPath}.${first}`,
    share: { first, step: plan.threads },
  }));
  const threads = await Promise.all(
    parts.map(async ({ path, share }) => {
      const part: LoadPlan = {
        ...plan,
        ledgerPath: path,
        maxConnections: Math.ceil(plan.maxConnections / plan.threads),
      };
      return await startThread({ plan: part, share });
    }),
  );
  let originUs = 0;
  return {
    counts: () => sumOfCounts(threads.map((thread) => thread.counts())),
    finish: (slots) => {
      const last = slots ?? slotsDueBy(monotonicUs() + finishAheadUs - originUs, plan.ratePerSecond, Infinity);
      for (const thread of threads) thread.finish(last);
    },
    stop: () => {
      for (const thread of threads) thread.stop();
    },
    run: async (from) => {
      originUs = from;
      const results = await Promise.all(threads.map((thread) => thread.run(from)));
      // Whenever this is cut short, either all parts are there or the whole is.
      const merged = `${plan.ledgerPath}.merged`;
      await rm(merged, { force: true });
      for (const { path } of parts) await pipeline(createReadStream(path), createWriteStream(merged, { flags: 'a' }));
      await rename(merged, plan.ledgerPath);
      for (const { path } of parts) await rm(path);
      return {
        ...sumOfCounts(results),
        aborted: results.some(({ aborted }) => aborted),
        unfinished: results.reduce((all, { unfinished }) => all + unfinished, 0),
      };
    },
  };
}

async function startThread(task: ThreadTask): Promise<PreparedLoad> {
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  });
  await once(worker, 'message');
  let counts: LoadCounts = sumOfCounts([]);
  const done = Promise.withResolvers<LoadResult>();
  worker.on('error', done.reject);
  worker.on('message', (message: ThreadMessage) => {
    counts = message.kind === 'counts' ? message.counts : message.result;
    if (message.kind === 'done') done.resolve(message.result);
  });
  const tell = (command: ThreadCommand): void => worker.postMessage(command);
  return {
    counts: () => counts,
    finish: (slots) => tell({ kind: 'finish', slots }),
    stop: () => tell({ kind: 'stop' }),
    run: async (originUs) => {
      tell({ kind: 'run', originUs });
      const result = await done.promise;
      void worker.terminate();
      return result;
    },
  };
}
