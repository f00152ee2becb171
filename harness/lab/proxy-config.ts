/** What an experiment changes in the proxy's dynamic file. */
import { parseDocument } from 'yaml';
import type { Experiment } from '../experiment/experiment.ts';
import { coloursOf, publicPorts, type Colour } from '../experiment/units.ts';

/**
 * The dynamic file of containers/edge with the experiment's retry, check and backends; all else, comments included,
 * stays.
 * @param base the file's text
 * @param active which of two colours the file names, where it names one alone (a cut-over by file)
 */
export function dynamicFile(
  base: string,
  experiment: Pick<Experiment, 'proxy' | 'sites' | 'unit'>,
  active = 0,
): string {
  const { retry, check, cutover } = experiment.proxy;
  const [first, ...others] = coloursOf(experiment);
  const colours = publicPorts(experiment) === 1 ? [first] : [first, ...others];
  const document = parseDocument(base);
  if (retry !== undefined) {
    document.setIn(['http', 'middlewares', 'retry', 'retry'], {
      attempts: retry.attempts,
      ...(retry.initialIntervalMs > 0 && { initialInterval: `${retry.initialIntervalMs}ms` }),
    });
    document.setIn(['http', 'routers', 'demo', 'middlewares'], ['retry']);
  }
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
  if (colours.length === 1) {
    if (check !== undefined) document.setIn(['http', 'services', 'demo', 'loadBalancer'], loadBalancer(first));
  } else if (cutover === 'check') {
    // A check has one port for all servers of a balancer, and the colours have one each: a balancer each, then.
    for (const each of colours) {
      document.setIn(['http', 'services', each.proxyService, 'loadBalancer'], loadBalancer(each));
    }
    document.deleteIn(['http', 'services', 'demo', 'loadBalancer']);
    document.setIn(['http', 'services', 'demo', 'weighted'], {
      services: colours.map(({ proxyService }) => ({ name: proxyService, weight: 1 })),
      healthCheck: {},
    });
  } else {
    const one = colours[active] ?? first;
    document.setIn(['http', 'services', 'demo', 'loadBalancer'], loadBalancer(one));
  }
  return retry === undefined && check === undefined && colours.length === 1 ? base : document.toString();
}
