/** What load generator and deployer are told of a run in the lab. */
import { longestLoadMs, type DeploySchedule } from '../../experiment/deploy-schedule.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import { readyQuestionOf } from '../../experiment/ready-question.ts';
import { proxyFile, type Site } from '../../experiment/units.ts';
import { answerLimits, type LoadPlan } from '../../in-lab/load/plan.ts';
import { releasePlanOf } from '../../lab/control.ts';
import { proxyFileTexts, type Lab } from '../../lab/lab.ts';
import { releaseEnvironment, releaseFolder } from '../../lab/own-service/files.ts';
import type { DeployPlan, DeploySite, DeployUnit } from '../../run/deploy-plan.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import { labDeadlineMs, labPrimedNotes } from '../../run/site-requests.ts';
import type { OwnApp } from '../run-request.ts';

/** Where the ledger lies in the client's container. */
export const ledgerPathInClient = '/var/ledger.ndjson';
/** Where the samples of the listen queues lie in the server's container. */
export const queuesPathInServer = '/var/queues.ndjson';
/** Longest wait that connections are kept for; rate × this is the cap. */
const longestExpectedWaitMs = 5_000;

/** The most connections that a load has open at once. */
export function connectionsOf({ load, deploy }: Experiment): number {
  // A request that is behind a long transaction waits for all of it.
  const longestWaitMs = Math.max(longestExpectedWaitMs, deploy.longTransactionMs * 1.2);
  return Math.max(64, Math.ceil((load.ratePerSecond * longestWaitMs) / 1000));
}

/** The run that is planned. */
export type PlannedLoad = Pick<ExperimentRun, 'runId' | 'experiment' | 'seed'>;

/** @param own the service of the user's own, with its secrets; null of the demo site */
export function loadPlanOf(lab: Lab, run: PlannedLoad, schedule: DeploySchedule, own: OwnApp | null): LoadPlan {
  const { load, service } = run.experiment;
  const version = service?.version;
  return {
    runId: run.runId,
    trial: 1,
    seed: run.seed,
    host: lab.serverAddress,
    port: lab.targetPort,
    hostHeaders: each(lab.sites, ({ hostHeader }) => hostHeader),
    ratePerSecond: load.ratePerSecond,
    durationMs: longestLoadMs(schedule),
    mix: own?.mix ?? load.mix,
    connections: load.connections,
    deadlineMs: labDeadlineMs,
    maxConnections: connectionsOf(run.experiment),
    ...answerLimits,
    tls: null,
    // A service of the user's own may call the header otherwise.
    ...(version !== undefined && 'header' in version && { versionHeader: version.header.toLowerCase() }),
    primedNotes: own === null ? labPrimedNotes : 0,
    ledgerPath: ledgerPathInClient,
    threads: 1,
  };
}

/** @param own as for the load */
export async function deployPlanOf(
  lab: Lab,
  run: PlannedLoad,
  schedule: DeploySchedule,
  own: OwnApp | null,
): Promise<DeployPlan> {
  return {
    runId: run.runId,
    sites: each(lab.sites, (site) => deploySite(site, run.experiment, own)),
    deploy: run.experiment.deploy,
    release: releasePlanOf(run.experiment),
    beginsMs: schedule.beginsMs,
    wanted: schedule.wanted,
    proxyFile: await proxyFileOf(run.experiment),
  };
}

/** What a swap by file, or a reload, writes into the proxy's file. */
async function proxyFileOf(experiment: Experiment): Promise<DeployPlan['proxyFile']> {
  const { proxy, deploy } = experiment;
  if (proxy.cutover === 'check' && deploy.action !== 'proxy-reload') return null;
  const how = proxy.cutover === 'in-place-rewrite' ? proxy.cutover : 'atomic-rewrite';
  return { path: proxyFile, texts: await proxyFileTexts(experiment), how };
}

/** The list with each of its entries changed, and as far from empty as before. */
function each<T, U>([first, ...others]: readonly [T, ...T[]], change: (one: T) => U): readonly [U, ...U[]] {
  return [change(first), ...others.map(change)];
}

function deploySite({ name, hostHeader, colours }: Site, experiment: Experiment, own: OwnApp | null): DeploySite {
  const units = each(colours, (colour): DeployUnit => ({
    service: colour.service,
    socket: colour.socket,
    releaseFile: colour.releaseFile,
    releaseText: own === null ? 'APP_VERSION={version}\n' : releaseEnvironment(experiment, own.service, colour),
    ready: readyQuestionOf(experiment, colour),
    publicAddress: `127.0.0.1:${colour.publicPort}`,
  }));
  return { name, hostHeader, units, own: own && ownReleaseOf(own.service) };
}

function ownReleaseOf(service: OwnService): DeploySite['own'] {
  const { release } = service;
  const link =
    release !== undefined && 'link' in release
      ? { path: release.link, folders: release.folders.map((from) => releaseFolder(service, from)) }
      : null;
  return { link, command: release !== undefined && 'command' in release ? release.command : null };
}
