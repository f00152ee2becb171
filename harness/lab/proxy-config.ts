/** What an experiment changes in the proxy's dynamic file. */
import { parseDocument, type Document } from 'yaml';
import type { Experiment } from '../experiment/experiment.ts';
import { publicPorts, sitesOf, type Colour, type Site } from '../experiment/units.ts';

type Settings = Pick<Experiment, 'proxy' | 'sites' | 'unit' | 'service'>;

/**
 * The dynamic file of containers/edge with the experiment's sites, retry, check and backends; all else, comments included,
 * stays.
 * @param base the file's text, which names the first site
 * @param active which of two colours the file names, where it names one alone (a cut-over by file)
 */
export function dynamicFile(base: string, experiment: Settings, active = 0): string {
  const { retry, check } = experiment.proxy;
  const sites = sitesOf(experiment);
  const isOwn = experiment.service !== undefined;
  if (!isOwn && retry === undefined && check === undefined && sites.length === 1 && publicPorts(experiment) === 1) {
    return base;
  }
  const document = parseDocument(isOwn ? emptyFile : base);
  if (retry !== undefined) {
    document.setIn(['http', 'middlewares', 'retry', 'retry'], {
      attempts: retry.attempts,
      ...(retry.initialIntervalMs > 0 && { initialInterval: `${retry.initialIntervalMs}ms` }),
    });
  }
  for (const site of sites) {
    if (isOwn || site !== sites[0]) addRoute(document, site);
    if (retry !== undefined) document.setIn(['http', 'routers', site.name, 'middlewares'], ['retry']);
    addBackends(document, site, experiment, active);
  }
  return document.toString();
}

/** The proxy's own settings with the Date of each answer in its access log: it tells a backend's answer from the proxy's. */
export function withDates(settings: string): string {
  const document = parseDocument(settings);
  document.setIn(['accessLog', 'fields', 'headers', 'names', 'Date'], 'keep');
  return document.toString();
}

/** A service of the user's own takes the place of the first site. */
const emptyFile = '# The service and its backends. Transport settings are Traefik’s own defaults.\n';

/** Where a check asks: the paths of the demo site stand for those of a service of the user's own. */
function healthCheckOf(
  check: NonNullable<Experiment['proxy']['check']>,
  service: Experiment['service'],
  { internalPort }: Colour,
): object {
  const path =
    service === undefined ? check.path : check.path === '/livez' ? service.health.live : service.health.ready;
  const hasPort = check.port === 'internal' && (service === undefined || service.internal !== undefined);
  return {
    path,
    interval: `${check.intervalMs}ms`,
    timeout: `${check.timeoutMs}ms`,
    ...(hasPort && { port: internalPort }),
  };
}

/** As the base file has it for the first site. */
function addRoute(document: Document, { name, hostHeader }: Site): void {
  const router = { entryPoints: ['web'], rule: `Host(\`${hostHeader}\`)`, service: name };
  // As a node, or its middlewares could not be set later.
  document.setIn(['http', 'routers', name], document.createNode(router));
}

function addBackends(document: Document, { name, colours }: Site, experiment: Settings, active: number): void {
  const { check, cutover } = experiment.proxy;
  const loadBalancer = (colour: Colour) => ({
    servers: [{ url: `http://127.0.0.1:${colour.publicPort}` }],
    ...(check !== undefined && { healthCheck: healthCheckOf(check, experiment.service, colour) }),
  });
  const [first] = colours;
  if (publicPorts(experiment) === 1 || cutover !== 'check') {
    document.setIn(['http', 'services', name, 'loadBalancer'], loadBalancer(colours[active] ?? first));
    return;
  }
  // A check has one port for all servers of a balancer, and the colours have one each: a balancer each, then.
  for (const each of colours) {
    document.setIn(['http', 'services', each.proxyService, 'loadBalancer'], loadBalancer(each));
  }
  // Of the first site, whose one balancer is in the base file.
  const single = ['http', 'services', name, 'loadBalancer'];
  if (document.hasIn(single)) document.deleteIn(single);
  document.setIn(['http', 'services', name, 'weighted'], {
    services: colours.map(({ proxyService }) => ({ name: proxyService, weight: 1 })),
    healthCheck: {},
  });
}
