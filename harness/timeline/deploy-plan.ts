/** What the deployer is asked to do, and what it says; and when, drawn from the seed. */
import type { Experiment } from '../scenario/experiment.ts';
import { seededRandom } from '../scenario/random.ts';

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
}

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

/** When each deploy begins and how long the load is, both in milliseconds since the origin. */
export interface DeploySchedule {
  readonly beginsMs: readonly number[];
  readonly durationMs: number;
}

/** The same seed gives the same schedule. */
export function deploySchedule(deploy: Experiment['deploy'], seed: number): DeploySchedule {
  const random = seededRandom(seed, 'deploys');
  const [shortest, longest] = deploy.spacingMs;
  const draw = (): number => Math.round(shortest + random() * (longest - shortest));
  const beginsMs: number[] = [];
  const restarts = deploy.action === 'none' ? 0 : deploy.restarts;
  // The first is drawn too: with a fixed start its phase against a proxy's check would be the same in every run.
  let atMs = deploy.leadMs + Math.round(random() * 1_000);
  for (let restart = 1; restart <= restarts; restart++) {
    beginsMs.push(atMs);
    atMs += draw();
  }
  const last = beginsMs.at(-1) ?? deploy.leadMs;
  return { beginsMs, durationMs: last + deploy.tailMs };
}
