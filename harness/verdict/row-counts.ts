/** What is counted, and held against rules, of every kind of run: from its ledger and its timeline alone. */
import type { LedgerRow } from '../run/ledger.ts';
import type { TimelineEvent } from '../run/timeline.ts';
import { Change } from './change.ts';
import { AloneCheck, type AloneTask } from './row-alone.ts';
import { DropWindows } from './drop-windows.ts';
import { LedgerSummarizer, type LedgerSummary, type SummaryTask } from './ledger-summary.ts';
import { StaleCount } from './stale.ts';
import type { Verdict } from './verdict.ts';

/** What the rows are held against. */
export interface CountTask extends Omit<SummaryTask, 'ratePerSecond'> {
  readonly timeline: readonly TimelineEvent[];
  /** Of each restart, from when on the old version must not answer. */
  readonly outOfRotationUs: readonly (number | null)[];
  readonly alone: AloneTask;
}

/** What they come to. */
export interface Counts {
  readonly ledger: LedgerSummary;
  readonly stale: number;
  readonly dropWindows: Verdict['dropWindows'];
  /** Was anything seen to change since the first deploy began? */
  readonly changeSeen: boolean;
}

/** What is wrong with some rows by themselves, by their index among them; of those that are right there is nothing. */
export type AloneFaults = ReadonlyMap<number, readonly string[]>;

/** Takes every row, in any order. */
export class RowCounts {
  private readonly task: CountTask;
  private readonly summarizer: LedgerSummarizer;
  private readonly stale: StaleCount;
  private readonly drops = new DropWindows();
  private readonly change: Change;
  private readonly alone: AloneCheck;

  constructor(task: CountTask) {
    this.task = task;
    this.summarizer = new LedgerSummarizer({ ...task, ratePerSecond: task.alone.ratePerSecond });
    this.stale = new StaleCount(task.slots);
    this.change = new Change(task.windows);
    this.alone = new AloneCheck(task.alone, task.slots);
  }

  add(rows: readonly LedgerRow[]): AloneFaults {
    const faults = new Map<number, readonly string[]>();
    for (const [index, row] of rows.entries()) {
      this.summarizer.add(row);
      this.stale.add(row);
      this.drops.add(row);
      this.change.add(row);
      const wrong = this.alone.wrong(row);
      if (wrong.length > 0) faults.set(index, wrong);
    }
    return faults;
  }

  result(): Counts {
    const { windows, timeline, outOfRotationUs } = this.task;
    return {
      ledger: this.summarizer.result(),
      stale: this.stale.result(windows, outOfRotationUs),
      dropWindows: this.drops.result(timeline),
      changeSeen: this.change.wasSeen(),
    };
  }
}
