/**
 * Stale answers: sent after some request had been answered by a newer version, and after the deploy had declared the
 * older one out of rotation, yet answered by the older one. A recorded outcome is never changed by it.
 */
import type { LedgerRow } from '../load/row.ts';
import { Numbers } from './numbers.ts';
import type { RestartWindow } from './restart-windows.ts';

/** Keeps what is needed of each ok row, in a few bytes, and counts at the end. */
export class StaleCount {
  private readonly versions = new Numbers();
  private readonly sentUs = new Numbers();
  /** When each version was first seen to have answered. */
  private readonly firstDoneUs = new Map<number, number>();
  /** Numbers of the versions by their names; most rows have the name of the row before. */
  private readonly releases = new Map<string, number | null>();
  private lastName: string | null = null;
  private lastRelease: number | null = null;

  add({ outcome, version, sentUs, doneUs }: LedgerRow): void {
    if (outcome !== 'ok' || version === null || sentUs === null) return;
    const release = this.releaseOf(version);
    if (release === null) return;
    this.versions.push(release);
    this.sentUs.push(sentUs);
    const firstUs = this.firstDoneUs.get(release);
    if (firstUs === undefined || doneUs < firstUs) this.firstDoneUs.set(release, doneUs);
  }

  private releaseOf(version: string): number | null {
    if (version === this.lastName) return this.lastRelease;
    let release = this.releases.get(version);
    if (release === undefined) {
      const digits = /^v(\d+)$/u.exec(version)?.[1];
      release = digits === undefined ? null : Number(digits);
      this.releases.set(version, release);
    }
    this.lastName = version;
    this.lastRelease = release;
    return release;
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
    const versions = this.versions.all();
    let stale = 0;
    for (const [index, sentUs] of this.sentUs.all().entries()) {
      if (sentUs > (outUs.get(versions[index] ?? 0) ?? Infinity)) stale++;
    }
    return stale;
  }
}
