/**
 * Deploys in the lab, beside systemd (or, where Ansible releases, beside its playbook). The first line of its input is the
 * plan, the second the load's origin; then it writes and deploys each release when the plan says, and stamps each step on
 * the clock of the requests.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { anotherRestart, type DeployPlan } from '../../run/deploy-plan.ts';
import { GivenUp, say, stamp, until, untilReady, untilThere, type Deploy } from './deploy.ts';
import { isOfProxy, type ProxyAction } from '../../experiment/units.ts';
import { deployProxy } from './deploy-proxy.ts';
import { comingOf, release, releaseOwn, ways, type SiteInDeploy } from './deploy-ways.ts';
import { listenQueues } from './listen-queues.ts';
import { layOut, releaseAll } from './release.ts';

/**
 * The rest between a release that is ready, and has taken all that waited for it, and the next deploy. Without it, on a slow
 * machine, requests that queued in one restart would still be under way in the next and be counted against that one.
 */
const restMs = 400;
/** A queue that is not empty by then never will be: its port is nobody's. */
const longestQueueMs = 2_000;

type Action = Exclude<DeployPlan['deploy']['action'], ProxyAction | 'release' | 'none'>;

/** What a deploy came to: what failed, in words, and what waits for the version that must get ready, if one must. */
interface Outcome {
  readonly failure?: string;
  readonly untilReady?: () => Promise<boolean>;
}

/** Deploys one site. */
async function deploySite(site: SiteInDeploy, action: Action, deploy: Deploy): Promise<Outcome> {
  const isSwap = action === 'swap' || action === 'bad-release';
  const next = isSwap ? comingOf(site) : site.units[0];
  release(next, deploy);
  try {
    await releaseOwn(site, deploy);
  } catch (error) {
    return { failure: `the release: ${wordsOf(error)}` };
  }
  if (deploy.site !== undefined) stamp('site-begin', deploy);
  try {
    const unit = await ways[action](site, deploy);
    return { untilReady: () => untilReady([unit], deploy, isSwap) };
  } catch (error) {
    if (!(error instanceof GivenUp)) return { failure: wordsOf(error), untilReady: () => untilReady([next], deploy) };
    stamp('given-up', deploy);
    return {};
  } finally {
    if (deploy.site !== undefined) stamp('site-end', deploy);
  }
}

/** Deploys the proxy; the site goes on. */
async function onProxy(action: ProxyAction, plan: DeployPlan, deploy: Deploy): Promise<Outcome> {
  try {
    const hasItsRoutes = await deployProxy(action, plan, deploy);
    return { untilReady: () => untilThere(hasItsRoutes, deploy) };
  } catch (error) {
    return { failure: wordsOf(error) };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}

/** Deploys all sites, one after another; or has the playbook do it. */
async function deployAll(sites: readonly SiteInDeploy[], plan: DeployPlan, deploy: Deploy): Promise<Outcome[]> {
  const { action } = plan.deploy;
  if (action === 'none') return [];
  if (isOfProxy(action)) return [await onProxy(action, plan, deploy)];
  if (action === 'release') {
    const { failure, version } = await releaseAll(plan, deploy);
    return sites.map(({ name, units }, index) => ({
      untilReady: () => untilReady(units, { ...deploy, version, site: name }),
      ...(index === 0 && failure !== null && { failure }),
    }));
  }
  const outcomes: Outcome[] = [];
  for (const site of sites) {
    outcomes.push(await deploySite(site, action, sites.length === 1 ? deploy : { ...deploy, site: site.name }));
  }
  return outcomes;
}

/** Does no connection wait at a port of a site? */
function areQueuesEmpty({ sites }: DeployPlan): boolean {
  const queues = listenQueues();
  const ports = sites.flatMap(({ units }) => units.map(({ publicAddress }) => Number(publicAddress.split(':')[1])));
  return ports.every((port) => (queues.get(port) ?? 0) === 0);
}

async function carryOut(sites: readonly SiteInDeploy[], plan: DeployPlan, restart: number): Promise<void> {
  const deploy = { restart, version: `v${restart}` };
  stamp('deploy-begin', deploy);
  const outcomes = await deployAll(sites, plan, deploy);
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  stamp('deploy-end', deploy, failures.length === 0 ? {} : { failure: failures.join('; ') });
  const ready = await Promise.all(outcomes.map(async (outcome) => (await outcome.untilReady?.()) ?? true));
  if (ready.every(Boolean)) {
    await until(() => areQueuesEmpty(plan), longestQueueMs);
    await sleep(restMs);
  }
  stamp('rested', deploy);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const planLine = await lines.next();
if (planLine.done === true) throw new Error('no plan came');
const plan = JSON.parse(planLine.value) as DeployPlan;
await layOut(plan);
say({ kind: 'waiting' });
const originLine = await lines.next();
if (originLine.done !== true) {
  const { originUs } = JSON.parse(originLine.value) as { originUs: number };
  const sites = plan.sites.map((site): SiteInDeploy => ({ ...site, plan, serving: 0 }));
  let wanted = plan.wanted;
  let wake: () => void = () => undefined;
  void (async () => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      if (line.value === anotherRestart) wanted++;
      wake();
    }
    // Once the harness is gone nobody wants a further restart.
    process.exit(0);
  })();
  for (const [index, beginMs] of plan.beginsMs.entries()) {
    while (index >= wanted) await new Promise<void>((resolve) => (wake = resolve));
    const waitMs = beginMs - (monotonicUs() - originUs) / 1000;
    if (waitMs > 0) await sleep(waitMs);
    await carryOut(sites, plan, index + 1);
  }
  say({ kind: 'done' });
}
process.exit(0);
