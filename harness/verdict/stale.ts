/**
 * Stale answers: sent after some request had been answered by a newer version, and after the deploy had declared the
 * older one out of rotation, yet answered by the older one. A recorded outcome is never changed by it.
 */
import type { LedgerRow } from '../run/ledger.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { TimelineEvent } from '../run/timeline.ts';
import { Numbers } from './numbers.ts';
import type { RestartWindow } from './restart-windows.ts';

/** Keeps what is needed of each ok row, in a few bytes, and counts at the end. */
export class StaleCount {
  private readonly versions: Numbers;
  private readonly sentUs: Numbers;
  /** When each version was first seen to have answered. */
  private readonly firstDoneUs = new Map<number, number>();
  /** Numbers of the versions by their names; most rows have the name of the row before. */
  private readonly releases = new Map<string, number | null>();
  private lastName: string | null = null;
  private lastRelease: number | null = null;

  /** @param slots how many slots the schedule has */
  constructor(slots: number) {
    this.versions = new Numbers(slots);
    this.sentUs = new Numbers(slots);
  }

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

  /**
   * Restart n brings version n and retires version n − 1.
   * @param outOfRotationUs of each restart, from when on the old version must not answer; null where nobody retired it
   */
  result(windows: readonly RestartWindow[], outOfRotationUs: readonly (number | null)[]): number {
    const outUs = new Map<number, number>();
    for (const [index, { restart }] of windows.entries()) {
      const retireUs = outOfRotationUs[index] ?? null;
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

/**
 * From when on each restart's old version must not answer: once the deploy has retired it. Where the proxy's check does
 * the cut-over, the old version leaves by saying that it is not ready, and is in rotation until the check has seen that.
 */
export function outOfRotation(
  windows: readonly RestartWindow[],
  timeline: readonly TimelineEvent[],
  { deploy, proxy }: Pick<Experiment, 'deploy' | 'proxy'>,
): (number | null)[] {
  const { check } = proxy;
  if (deploy.action !== 'swap' || proxy.cutover !== 'check' || check === undefined) {
    return windows.map(({ retireUs }) => retireUs);
  }
  const longestUs = (check.intervalMs + check.timeoutMs) * 1000;
  return windows.map(({ retireUs }) => {
    if (retireUs === null) return null;
    const seen = timeline.find(({ kind, atUs }) => kind === 'check-down' && atUs >= retireUs);
    return Math.min(seen?.atUs ?? Infinity, retireUs + longestUs);
  });
}
