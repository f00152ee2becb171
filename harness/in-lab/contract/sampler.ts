/** Asks a question again and again, each time on a new connection, until it is told to end: it waits for no answer long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { askOnce, type Asked } from './line.ts';
import type { ContractPlan, Sample } from './messages.ts';
import { healthRequest, quickRequest } from './requests.ts';

const everyMs = 15;
/** The next one is asked after so long, whether this one is answered or not. */
const patienceMs = 100;
/** A health check that takes longer has failed. */
const healthMs = 2_000;
/** Behind a socket of systemd's a request waits for the start. */
const publicMs = 10_000;

/** Begins to ask the public port, if it is to be asked, and the health paths that the service has. */
export function startSampling(plan: ContractPlan, asksPublic: boolean) {
  const { live, ready, publicPort, internalPort } = plan;
  const samples: Sample[] = [];
  const asked: Promise<void>[] = [];
  let isOver = false;
  const ask = async (of: Sample['of'], request: Asked): Promise<void> => {
    const [port, timeoutMs] = of === 'public' ? [publicPort, publicMs] : [internalPort, healthMs];
    const { result, sentUs, doneUs } = await askOnce(port, request, timeoutMs);
    samples.push({ of, result, sentUs, doneUs });
  };
  const loop = async (of: Sample['of'], next: () => Asked): Promise<void> => {
    while (!isOver) {
      const one = ask(of, next());
      asked.push(one);
      await Promise.race([one, sleep(patienceMs)]);
      await sleep(everyMs);
    }
  };
  const asksHealth = asksPublic || internalPort !== publicPort;
  const loops = [
    ...(asksPublic ? [loop('public', () => quickRequest(plan))] : []),
    ...(live !== null && asksHealth ? [loop('live', () => healthRequest(plan, live))] : []),
    ...(ready !== null && asksHealth ? [loop('ready', () => healthRequest(plan, ready))] : []),
  ];
  return {
    samples,
    /** Ends it, and waits for the answers that are under way. */
    end: async (): Promise<void> => {
      isOver = true;
      await Promise.all(loops);
      await Promise.all(asked);
    },
  };
}
