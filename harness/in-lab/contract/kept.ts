/** Connections that are kept open over SIGTERM, as a proxy keeps its own: some silent, some used now and then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { Line } from './line.ts';
import type { ContractPlan, KeptSeen } from './messages.ts';
import { quickRequest } from './requests.ts';

const silentCount = 3;
const usedCount = 6;
/** From an answer to the next request on the same connection. */
const pauseMs = 60;
const askMs = 10_000;

/** Opens them; resolves when each has carried a request. Those that the service does not keep open are left out. */
export async function openKept(plan: ContractPlan) {
  const kinds = [...Array<'silent'>(silentCount).fill('silent'), ...Array<'used'>(usedCount).fill('used')];
  const opened = await Promise.all(kinds.map((kind) => KeptLine.open(plan, kind)));
  const all = opened.filter((line) => line !== null);
  return {
    /** Uses the silent ones a last time; from now on SIGTERM may come. */
    beforeSignal: async (): Promise<void> => {
      await Promise.all(all.map((line) => line.lastUse()));
      for (const line of all) line.isSignalled = true;
    },
    /** Closes those that are still open, and tells of each: the same, however often it is asked. */
    end: (): KeptSeen[] => all.map((line) => line.end()),
  };
}

class KeptLine {
  isSignalled = false;
  private readonly plan: ContractPlan;
  private readonly kind: KeptSeen['kind'];
  private readonly line: Line;
  private lastAnswerUs = 0;
  private isAnnounced = false;
  private isRequestLost = false;
  private seen: KeptSeen | null = null;

  private constructor(plan: ContractPlan, kind: KeptSeen['kind']) {
    this.plan = plan;
    this.kind = kind;
    this.line = new Line(plan.publicPort);
  }

  static async open(plan: ContractPlan, kind: KeptSeen['kind']): Promise<KeptLine | null> {
    const kept = new KeptLine(plan, kind);
    await kept.ask();
    if (!kept.line.isOpen() || kept.isAnnounced) {
      kept.line.close();
      return null;
    }
    if (kind === 'used') void kept.use();
    return kept;
  }

  async lastUse(): Promise<void> {
    if (this.kind === 'silent') await this.ask();
  }

  end(): KeptSeen {
    const { kind, lastAnswerUs, isAnnounced, isRequestLost } = this;
    this.seen ??= { kind, lastAnswerUs, isAnnounced, endedUs: this.line.endedUs, isRequestLost };
    this.line.close();
    return this.seen;
  }

  private async use(): Promise<void> {
    while (this.line.isOpen() && !this.isAnnounced && this.seen === null) {
      // Not all at the same moment.
      await sleep(pauseMs * (0.5 + Math.random()));
      if (this.line.isOpen()) await this.ask();
    }
  }

  private async ask(): Promise<void> {
    const { result, keepsOpen } = await this.line.ask(quickRequest(this.plan, 'kept'), askMs);
    if (typeof result !== 'number') {
      this.isRequestLost = this.isSignalled;
      return;
    }
    this.lastAnswerUs = monotonicUs();
    this.isAnnounced = !keepsOpen;
  }
}
