/** What the deployer is asked to do, and what it says. It runs in the lab too, so it imports nothing but types. */
import type { Experiment } from '../experiment/experiment.ts';

/** A unit that the deployer starts and stops. */
export interface DeployUnit {
  readonly service: string;
  readonly socket: string;
  /** The env file that names the version, rewritten before each deploy. */
  readonly releaseFile: string;
  /** host:port of its internal port. */
  readonly internalAddress: string;
  /** host:port of its public port. */
  readonly publicAddress: string;
}

/** The plan on the first line of the deployer's input. */
export interface DeployPlan {
  readonly runId: string;
  /** The site as the switch between its colours names it. */
  readonly site: string;
  readonly deploy: Experiment['deploy'];
  /** One unit, or two of which the first serves when the load begins. */
  readonly units: readonly [DeployUnit, ...DeployUnit[]];
  /** When each deploy begins, in milliseconds since the load's origin. */
  readonly beginsMs: readonly number[];
  /** How many of them are wanted from the start; each further one waits for a line of its own, {@link anotherRestart}. */
  readonly wanted: number;
  /** The proxy's file, where a swap rewrites it: its text for each unit that may be active. */
  readonly proxyFile: {
    readonly path: string;
    readonly texts: readonly string[];
    readonly how: 'atomic-rewrite' | 'in-place-rewrite';
  } | null;
}

/** The line that asks for one more restart than were wanted so far. */
export const anotherRestart = 'another';

/** What the ids of the deployer's own writes begin with, after the run's id. */
export const deployerNotePrefix = 'deployer-';
