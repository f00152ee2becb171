/**
 * Stale answers: sent after some request had been answered by a newer version, and after the deploy had declared the
 * older one out of rotation, yet answered by the older one. A recorded outcome is never changed by it.
 */
import type { LedgerRow } from '../load/row.ts';
import type { RestartWindow } from './restart-windows.ts';

/** Keeps what is needed of each ok row, in a few bytes, and counts at the end. */
export class StaleCount {
  private readonly versions: number[] = [];
  private readonly sentUs: number[] = [];
  /** When each version was first seen to have answered. */
  private readonly firstDoneUs = new Map<number, number>();

  add({ outcome, version, sentUs, doneUs }: LedgerRow): void {
    const number = /^v(\d+)$/u.exec(version ?? '')?.[1];
    if (outcome !== 'ok' || number === undefined || sentUs === null) return;
    const release = Number(number);
    this.versions.push(release);
    this.sentUs.push(sentUs);
    this.firstDoneUs.set(release, Math.min(this.firstDoneUs.get(release) ?? Infinity, doneUs));
  }

  /** Restart n brings version n and retires version n − 1. */
  result(windows: readonly RestartWindow[]): number {
    const outUs = new Map<number, number>();
    for (const { restart, retireUs } of windows) {
      const newerUs = Math.min(
        ...[...this.firstDoneUs].filter(([version]) => version >= restart).map(([, doneUs]) => doneUs),
      );
      if (retireUs !== null) outUs.set(restart - 1, Math.max(retireUs, newerUs));
    }
    return this.sentUs.filter((sentUs, index) => sentUs > (outUs.get(this.versions[index] ?? 0) ?? Infinity)).length;
  }
}
