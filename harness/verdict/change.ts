/** Was anything of a service seen to change while its deploy ran? */
import { isOwnFault, type LedgerRow } from '../run/ledger.ts';
import type { RestartWindow } from './restart-windows.ts';

/** Names beyond this many are not kept: a service that gives each answer another one tells nothing. */
const mostNames = 1_000;

/**
 * Takes every row, and compares those before the first deploy with those after it began: how they ended, and which
 * instance and version answered (X-App-Instance, X-App-Version).
 */
export class Change {
  private readonly beginUs: number;
  private readonly before = new Set<string>();
  private readonly after = new Set<string>();
  private last: Pick<LedgerRow, 'instance' | 'version'> & { outcome: string; names: Set<string> | null } = {
    names: null,
    outcome: '',
    instance: null,
    version: null,
  };

  constructor(windows: readonly RestartWindow[]) {
    this.beginUs = Math.min(...windows.map(({ deployBeginUs }) => deployBeginUs));
  }

  add({ doneUs, outcome, instance, version }: LedgerRow): void {
    const names = doneUs < this.beginUs ? this.before : this.after;
    const { last } = this;
    // Of a million rows nearly all are like the one before.
    if (names === last.names && outcome === last.outcome && instance === last.instance && version === last.version)
      return;
    this.last = { names, outcome, instance, version };
    if (names.size >= mostNames || isOwnFault(outcome)) return;
    names.add(`${outcome} ${instance ?? ''} ${version ?? ''}`);
  }

  /** Was there an outcome, instance or version that was not there before? */
  wasSeen(): boolean {
    return this.before.size < mostNames && [...this.after].some((name) => !this.before.has(name));
  }
}
