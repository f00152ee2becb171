/** A service to measure, in two halves: one is written into the run, the other never is. */
import type { Service } from '../../experiment/service.ts';
import type { PlanMixEntry, TlsPlan } from '../../in-lab/load/plan.ts';

interface SentRequest {
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
  /** With what the files of certificates and key hold; null where requests go in plain text. */
  readonly tls: TlsPlan | null;
  /** The name that is looked up again under the load; null where none is. */
  readonly name: string | null;
  /** The mix, where the load is one; its requests have paths, headers and bodies of their own. */
  readonly mix?: readonly PlanMixEntry[];
  /** Path and query of held connections, where there are any. */
  readonly holdTarget?: string;
}

/** A service to measure. */
export interface Target {
  /** As the run records it: no secret stands in it. */
  readonly service: Service;
  readonly request: SentRequest;
  /** The command to run under the load; null without one. */
  readonly command: string | null;
}
