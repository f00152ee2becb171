/** What the deployer is asked to do, and what it says. It runs in the lab too, so it imports nothing. */

/** The plan on the first line of the deployer's input. */
export interface DeployPlan {
  /** The unit that is restarted. */
  readonly unit: string;
  /** The env file that names the version, rewritten before each restart. */
  readonly releaseFile: string;
  /** host:port of the site's internal port. */
  readonly internalAddress: string;
  /** When each deploy begins, in milliseconds since the load's origin. */
  readonly beginsMs: readonly number[];
  /** How many of them are wanted from the start; each further one waits for a line of its own, {@link anotherRestart}. */
  readonly wanted: number;
}

/** The line that asks for one more restart than were wanted so far. */
export const anotherRestart = 'another';

/** Lines of the deployer's output; stamps are CLOCK_MONOTONIC. */
export type DeployerMessage =
  | { readonly kind: 'waiting' | 'done' }
  | {
      readonly kind: 'deploy-begin' | 'deploy-end' | 'never-ready';
      /** From 1; the version deployed is `v<restart>`. */
      readonly restart: number;
      readonly version: string;
      readonly atMonotonicUs: number;
      /** What systemctl said when it failed. */
      readonly failure?: string;
    };
