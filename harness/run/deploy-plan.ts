/** What the deployer is asked to do, and what it says. It runs in the lab too, so it imports nothing but types. */
import type { Experiment } from '../experiment/experiment.ts';
import type { ReadyQuestion } from '../experiment/ready-question.ts';

/** A unit that the deployer starts and stops. */
export interface DeployUnit {
  readonly service: string;
  readonly socket: string;
  /** The env file that names the version, rewritten before each deploy. */
  readonly releaseFile: string;
  /** What is written there, `{version}` left in it; null: nothing. */
  readonly releaseText: string | null;
  readonly ready: ReadyQuestion;
  /** host:port of its public port. */
  readonly publicAddress: string;
}

/** A site that is deployed. */
export interface DeploySite {
  /** As its units, the switch between its colours and the playbook name it. */
  readonly name: string;
  /** The Host header by which the proxy knows it. */
  readonly hostHeader: string;
  /** One unit, or two of which the first serves when the load begins. */
  readonly units: readonly [DeployUnit, ...DeployUnit[]];
  /** Of a service of the user's own: what a release of it is, beside what it writes; null of the demo site. */
  readonly own: OwnRelease | null;
}

/** What a release of a service of the user's own does before the restart. */
export interface OwnRelease {
  /** A link that is pointed to each of these folders in turn. */
  readonly link: { readonly path: string; readonly folders: readonly string[] } | null;
  /** A command line for sh; `{version}` is filled in. */
  readonly command: string | null;
}

/** A release by containers/control's playbook. */
export interface ReleasePlan {
  /** Where the playbook lies. */
  readonly folder: string;
  /** Variables that are the same in every release. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** A bad release: what is wrong with its program. */
  readonly bad: 'crash-at-start' | 'never-ready' | null;
}

/** The plan on the first line of the deployer's input. */
export interface DeployPlan {
  readonly runId: string;
  readonly sites: readonly [DeploySite, ...DeploySite[]];
  readonly deploy: Experiment['deploy'];
  /** Where Ansible releases: what its playbook is told. */
  readonly release: ReleasePlan | null;
  /** When each deploy begins, in milliseconds since the load's origin. */
  readonly beginsMs: readonly number[];
  /** How many of them are wanted from the start; each further one waits for a line of its own, {@link anotherRestart}. */
  readonly wanted: number;
  /** The proxy's file, where a swap rewrites it: its text for each unit that may be active; of a reload, two in turn. */
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
