/** What an experiment changes in the proxy's dynamic file. */
import { parseDocument } from 'yaml';
import type { Experiment } from '../scenario/experiment.ts';
import { site } from './unit-files.ts';

/**
 * The dynamic file of containers/edge with the experiment's retry and check added; all else, comments included, stays.
 * @param base the file's text
 */
export function dynamicFile(base: string, proxy: Experiment['proxy']): string {
  const { retry, check } = proxy;
  if (retry === undefined && check === undefined) return base;
  const document = parseDocument(base);
  if (retry !== undefined) {
    document.setIn(['http', 'middlewares', 'retry', 'retry'], {
      attempts: retry.attempts,
      ...(retry.initialIntervalMs > 0 && { initialInterval: `${retry.initialIntervalMs}ms` }),
    });
    document.setIn(['http', 'routers', 'demo', 'middlewares'], ['retry']);
  }
  if (check !== undefined) {
    document.setIn(['http', 'services', 'demo', 'loadBalancer', 'healthCheck'], {
      path: check.path,
      interval: `${check.intervalMs}ms`,
      timeout: `${check.timeoutMs}ms`,
      ...(check.port === 'internal' && { port: site.internalPort }),
    });
  }
  return document.toString();
}
