/** Can this experiment be made with a service of the user's own? What it needs, and the service does not have, in a sentence. */
import { HarnessError } from '../base/errors.ts';
import type { Experiment } from './experiment.ts';
import { isTold, type OwnService, type Placeholder } from './own-service.ts';
import { isOfProxy } from './units.ts';

/** Fields of the demo site that a service of the user's can be told, by a placeholder of this name. */
const told: Readonly<Record<string, Placeholder>> = {
  'app.warmupMs': 'warmupMs',
  'app.graceMs': 'graceMs',
  'app.shutdownTimeoutMs': 'shutdownTimeoutMs',
};

/** Parts of an experiment that are settings of the demo site, or of its load. */
const ofDemoSite = /^(app\.|load\.mix\.|sites\.(store|busyTimeoutMs|transaction)|deploy\.longTransactionMs|release\.)/u;

/**
 * Refuses an experiment that is not possible with this service, and says what to add.
 * @param changed paths that the variant or --set changed
 * @throws {HarnessError}
 */
export function requirePossible(experiment: Experiment, changed: readonly string[], service: OwnService): void {
  const why =
    demoSiteOnly(experiment, changed, service) ??
    portsOf(experiment, service) ??
    checksOf(experiment, service) ??
    proxyFileOf(experiment, service);
  if (why === null) return;
  throw new HarnessError('service-unfit', `${experiment.id} is not possible with ${service.name}: ${why}`);
}

function demoSiteOnly(
  { deploy, sites, unit }: Experiment,
  changed: readonly string[],
  service: OwnService,
): string | null {
  if (deploy.action === 'release' || (sites.count ?? 1) > 1)
    return 'it releases several sites, which are those of the demo.';
  if (isOfProxy(deploy.action)) return 'it restarts the proxy, which is measured with the demo site.';
  if (deploy.action === 'bad-release') return 'its bad releases are those of the demo site.';
  if (unit.activation === 'shared') return 'two processes on one socket are wired for the demo site only.';
  if (unit.activation === 'both') return 'a socket for the health port, too, is wired for the demo site only.';
  for (const path of changed.filter((path) => ofDemoSite.test(path))) {
    const name = told[path];
    if (name === undefined) return `${path} is a setting of the demo site.`;
    if (!isTold(service, name)) {
      return `it sets ${path}, and the service is not told: put {${name}} into start or environment.`;
    }
  }
  return null;
}

function portsOf({ unit, sites, proxy }: Experiment, service: OwnService): string | null {
  const { listens } = service;
  if (unit.activation === 'socket' && listens === 'itself') {
    return (
      'it does not take the socket (LISTEN_FDS): serve file descriptor 3 when LISTEN_PID is your own process id, and add ' +
      'listens: either.'
    );
  }
  if (unit.activation === 'none' && listens === 'inherits') {
    return 'it serves a socket that it is given, and opens no port itself: let it open one without LISTEN_FDS, and add listens: either.';
  }
  if (proxy.kind === 'none' && unit.activation === 'none' && !service.public.startsWith('0.0.0.0')) {
    return isTold(service, 'public')
      ? null
      : 'without a proxy it must be reached from outside, and it is not told where to listen: put {public} into start or environment.';
  }
  if (sites.backends === 1) return null;
  if (!isTold(service, 'public') && !isTold(service, 'publicPort')) {
    return 'two of it run side by side, and it is not told its port: put {public} or {publicPort} into start or environment.';
  }
  if (service.internal !== undefined && !isTold(service, 'internal') && !isTold(service, 'internalPort')) {
    return 'two of it run side by side, and it is not told its internal port: put {internal} into start or environment.';
  }
  return null;
}

function checksOf({ proxy, sites }: Experiment, { health }: OwnService): string | null {
  const wanted = proxy.check === undefined ? null : proxy.check.path === '/livez' ? 'live' : 'ready';
  if (wanted !== null && health[wanted] === undefined) {
    return wanted === 'ready'
      ? 'the proxy checks whether it is ready, and it has no path that says so: add health.ready, which is 503 while it warms up and from SIGTERM on.'
      : 'the proxy checks whether it lives, and it has no path that says so: add health.live.';
  }
  if (sites.backends === 2 && health.ready === undefined) {
    return 'the old one goes when the new one is ready, and no path says so: add health.ready.';
  }
  return null;
}

/** The user's own file is used as it is. */
function proxyFileOf({ proxy }: Experiment, service: OwnService): string | null {
  if (service.proxy === undefined || proxy.kind === 'none') return null;
  if (proxy.retry === undefined && proxy.check === undefined && proxy.cutover === 'check') return null;
  return `it changes the proxy's file (retry, check, backends), and your own, ${service.proxy}, is used as it is: leave proxy out to try this.`;
}

/** What is expected of a service that nobody knows: what hangs on the demo site's own times is left out. */
export function expectedOf(expect: Experiment['expect']): Experiment['expect'] {
  const { badRestarts, bounds, ...others } = expect;
  const most = badRestarts !== undefined && 'max' in badRestarts && badRestarts.max !== undefined;
  return {
    ...others,
    ...(most && { badRestarts: { max: badRestarts.max, because: badRestarts.because } }),
    bounds: bounds.filter(({ of, min }) => of === 'refused-directly' && min === undefined),
  };
}
