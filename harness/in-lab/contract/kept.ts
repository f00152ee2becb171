/** Connections that are kept open over SIGTERM, as a proxy keeps its own: some silent, some used now and then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { Line } from './line.ts';
import type { ContractPlan, KeptSeen } from './messages.ts';
import { quickEntry, requestOf } from './requests.ts';

const silentCount = 3;
const usedCount = 6;
/** From an answer to the next request on the same connection. */
const pauseMs = 60;
const askMs = 10_000;

/** Kept connections under way. */
export interface Kept {
  /** Uses the silent ones a last time; from now on SIGTERM may come. */
  beforeSignal(): Promise<void>;
  /** Closes those that are still open, and tells of each. */
  end(): KeptSeen[];
  closeAll(): void;
}

/** Opens them; resolves when each has carried a request. Those that the service does not keep open are left out. */
export async function openKept(plan: ContractPlan): Promise<Kept> {
  const kinds = [...Array<'silent'>(silentCount).fill('silent'), ...Array<'used'>(usedCount).fill('used')];
  const all = (await Promise.all(kinds.map((kind) => KeptLine.open(plan, kind)))).flatMap((line) => line ?? []);
  return {
    beforeSignal: async () => {
      await Promise.all(all.map((line) => line.lastUse(plan)));
      for (const line of all) line.isSignalled = true;
    },
    end: () => all.map((line) => line.end()),
    closeAll: () => {
      for (const line of all) line.end();
    },
  };
}

class KeptLine {
  isSignalled = false;
  private readonly line: Line;
  private readonly kind: KeptSeen['kind'];
  private lastAnswerUs = 0;
  private isAnnounced = false;
  private isRequestLost = false;
  private seen: KeptSeen | null = null;

  private constructor(line: Line, kind: KeptSeen['kind']) {
    this.line = line;
    this.kind = kind;
  }

  static async open(plan: ContractPlan, kind: KeptSeen['kind']): Promise<KeptLine | null> {
    const kept = new KeptLine(new Line(plan.publicPort), kind);
    await kept.ask(plan);
    if (!kept.line.isOpen() || kept.isAnnounced) {
      kept.line.close();
      return null;
    }
    if (kind === 'used') void kept.use(plan);
    return kept;
  }

  async lastUse(plan: ContractPlan): Promise<void> {
    if (this.kind === 'silent') await this.ask(plan);
  }

  /** What became of it; closes it. */
  end(): KeptSeen {
    const { kind, lastAnswerUs, isAnnounced, isRequestLost } = this;
    const { endedUs } = this.line;
    this.seen ??= { kind, lastAnswerUs, isAnnounced, endedUs, isRequestLost };
    this.line.close();
    return this.seen;
  }

  private async use(plan: ContractPlan): Promise<void> {
    while (this.line.isOpen() && !this.isAnnounced && this.seen === null) {
      // Not all at the same moment.
      await sleep(pauseMs * (0.5 + Math.random()));
      if (this.line.isOpen()) await this.ask(plan);
    }
  }

  private async ask(plan: ContractPlan): Promise<void> {
    const request = requestOf(plan, quickEntry(plan));
    const told = await this.line.ask(request.whole, askMs, request.isHead);
    if (typeof told.result !== 'number') {
      this.isRequestLost = this.isSignalled;
      return;
    }
    this.lastAnswerUs = monotonicUs();
    this.isAnnounced = !told.keepsOpen;
  }
}
