/** What containers/control's playbook is told of an experiment: its variables, as group_vars of the playbook name them. */
import type { Experiment } from '../experiment/experiment.ts';
import { playbookFolder } from './control.ts';
import { siteCount } from '../experiment/units.ts';
import type { ReleasePlan } from '../run/deploy-plan.ts';

const wirings = { none: 'plain', socket: 'socket', both: 'both', shared: 'shared' } as const;

/** The plan of an experiment that releases; null of any other. */
export function releasePlanOf(experiment: Experiment): ReleasePlan | null {
  const { release, unit, proxy } = experiment;
  if (release === undefined) return null;
  const sites = siteCount(experiment);
  return {
    folder: playbookFolder,
    bad: release.bad ?? null,
    variables: {
      wiring: wirings[unit.activation],
      rolling: release.rolling ?? sites,
      restarts_at_once: release.restartsAtOnce,
      wait_for_ready: release.waitForReady,
      ready_within: release.readyWithinSec,
      settle_seconds: release.settleMs / 1000,
      proxy_file: release.proxyFile,
      proxy_check: proxy.check ?? {},
      retry_attempts: proxy.retry?.attempts ?? 0,
      retry_initial_interval_ms: proxy.retry?.initialIntervalMs ?? 0,
    },
  };
}
