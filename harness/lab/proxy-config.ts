/** What an experiment changes in the proxy's dynamic file. */
import { parseDocument, type Document } from 'yaml';
import type { Experiment } from '../experiment/experiment.ts';
import { publicPorts, sitesOf, type Colour, type Site } from '../experiment/units.ts';

type Settings = Pick<Experiment, 'proxy' | 'sites' | 'unit'>;

/**
 * The dynamic file of containers/edge with the experiment's sites, retry, check and backends; all else, comments included,
 * stays.
 * @param base the file's text, which names the first site
 * @param active which of two colours the file names, where it names one alone (a cut-over by file)
 */
export function dynamicFile(base: string, experiment: Settings, active = 0): string {
  const { retry, check } = experiment.proxy;
  const sites = sitesOf(experiment);
  if (retry === undefined && check === undefined && sites.length === 1 && publicPorts(experiment) === 1) return base;
  const document = parseDocument(base);
  if (retry !== undefined) {
    document.setIn(['http', 'middlewares', 'retry', 'retry'], {
      attempts: retry.attempts,
      ...(retry.initialIntervalMs > 0 && { initialInterval: `${retry.initialIntervalMs}ms` }),
    });
  }
  for (const site of sites) {
    if (site !== sites[0]) addRoute(document, site);
    if (retry !== undefined) document.setIn(['http', 'routers', site.name, 'middlewares'], ['retry']);
    addBackends(document, site, experiment, active);
  }
  return document.toString();
}

/** As the base file has it for the first site. */
function addRoute(document: Document, { name, hostHeader }: Site): void {
  const router = { entryPoints: ['web'], rule: `Host(\`${hostHeader}\`)`, service: name };
  // As a node, or its middlewares could not be set later.
  document.setIn(['http', 'routers', name], document.createNode(router));
}

function addBackends(document: Document, { name, colours }: Site, experiment: Settings, active: number): void {
  const { check, cutover } = experiment.proxy;
  const loadBalancer = ({ publicPort, internalPort }: Colour) => ({
    servers: [{ url: `http://127.0.0.1:${publicPort}` }],
    ...(check !== undefined && {
      healthCheck: {
        path: check.path,
        interval: `${check.intervalMs}ms`,
        timeout: `${check.timeoutMs}ms`,
        ...(check.port === 'internal' && { port: internalPort }),
      },
    }),
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
