/** How one asks whether a site serves, or a version of it: the demo site's readyz, or what a service of the user's own has. */
import type { Experiment } from './experiment.ts';
import type { OwnService } from './own-service.ts';
import type { Colour } from './units.ts';

/** A GET whose answer tells that a unit serves. */
export interface ReadyQuestion {
  readonly url: string;
  /** Is it a path that says so itself? Of any other, an answer below 500 tells that somebody serves. */
  readonly isHealth: boolean;
  /** The header of that answer that names the version; null where none does. */
  readonly versionHeader: string | null;
  /** A page whose text holds the version; null where none does. */
  readonly versionUrl: string | null;
  /** Does it say itself, in its journal, when it is ready? */
  readonly saysItself: boolean;
}

/** The question for this unit. */
export function readyQuestionOf({ service }: Pick<Experiment, 'service'>, colour: Colour): ReadyQuestion {
  if (service === undefined) {
    const url = `http://${colour.internalAddress}/readyz`;
    return { url, isHealth: true, versionHeader: 'x-app-version', versionUrl: null, saysItself: true };
  }
  const { health, version } = service;
  const path = health.ready ?? health.live;
  const address = path === undefined ? `127.0.0.1:${colour.publicPort}` : colour.internalAddress;
  const tells = tellsVersion(service) ? version : undefined;
  return {
    url: `http://${address}${path ?? getOf(service) ?? '/'}`,
    isHealth: path !== undefined,
    versionHeader: tells !== undefined && 'header' in tells ? tells.header.toLowerCase() : null,
    versionUrl: tells !== undefined && 'path' in tells ? `http://${colour.internalAddress}${tells.path}` : null,
    saysItself: false,
  };
}

/** Does a deploy change the version that the service shows? Only a release that sets or is told it does. */
function tellsVersion({ release }: OwnService): boolean {
  if (release === undefined) return false;
  if ('environment' in release) return Object.values(release.environment).some((text) => text.includes('{version}'));
  return 'command' in release && release.command.includes('{version}');
}

/** Does each answer name the version that gave it, so that a stale one can be told? */
export function isStaleKnown({ service }: Pick<Experiment, 'service'>): boolean {
  if (service === undefined) return true;
  return service.version !== undefined && 'header' in service.version && tellsVersion(service);
}

/** What is asked through the proxy until somebody behind it answers. */
export interface ProxiedQuestion {
  readonly path: string;
  /** Is it a path that says so itself? */
  readonly isHealth: boolean;
  /** Nothing is known that it answers: 404 may be its own. */
  readonly mayBe404: boolean;
}

/** The question; a health path that has a port of its own is not behind the proxy. */
export function proxiedQuestionOf({ service }: Pick<Experiment, 'service'>): ProxiedQuestion {
  if (service === undefined) return { path: '/livez', isHealth: true, mayBe404: false };
  const health = service.internal === undefined ? (service.health.ready ?? service.health.live) : undefined;
  if (health !== undefined) return { path: health, isHealth: true, mayBe404: false };
  const get = getOf(service);
  return { path: get ?? '/', isHealth: false, mayBe404: get === null };
}

/** The path of the first GET of the load that is the same in every slot, and holds no secret; null where there is none. */
function getOf({ requests }: Pick<OwnService, 'requests'>): string | null {
  return requests.find(({ method, path }) => method === 'GET' && !/\{(id|seq)\}|\$\{/u.test(path))?.path ?? null;
}
