/** Words that the judging parts share. */
import type { StartSeen, UnitProcess } from '../../in-lab/contract/messages.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import type { CheckId, FaultOf, Outcome } from './checks.ts';

/** What service.yaml says of the service. */
export interface Known {
  readonly listens: OwnService['listens'];
  /** Did systemd own the public port in the lives that are not about that? */
  readonly isHanded: boolean;
  readonly publicPort: number;
  readonly internalPort: number;
  readonly hasInternal: boolean;
  readonly hasLive: boolean;
  readonly hasReady: boolean;
  readonly hasVersion: boolean;
  /** Null where nothing says what a release is; else whether it sets the version that is to show. */
  readonly release: { readonly setsVersion: boolean } | null;
  /** Is its unit the user's own? */
  readonly hasUnit: boolean;
  readonly hasWrites: boolean;
}

/** Nothing is wrong. */
export function passed(seen: string): Outcome {
  return { status: 'passed', seen };
}

/** It breaks the contract in this way. */
export function failed<Id extends CheckId>(fault: FaultOf<Id>, seen: string): Outcome {
  return { status: 'failed', fault, seen };
}

/** It cannot be asked of this service. */
export function notApplicable(why: string): Outcome {
  return { status: 'not applicable', seen: why };
}

/** The processes of the unit that listen on the public port. */
export function openersOf(publicPort: number, { listeners, processes }: StartSeen): UnitProcess[] {
  const inodes = listeners.filter(({ port }) => port === publicPort).map(({ inode }) => inode);
  return processes.filter(({ sockets }) => sockets.some((inode) => inodes.includes(inode)));
}

/** The process that systemd starts, where another one serves; null where it serves itself. */
export function wrapperOf({ publicPort }: Pick<Known, 'publicPort'>, start: StartSeen): string | null {
  const serving = openersOf(publicPort, start);
  const main = start.processes.find(({ isMain }) => isMain);
  return main === undefined || serving.length === 0 || serving.some(({ isMain }) => isMain) ? null : main.name;
}
