/** A run's folder of a service of the user's own in the lab, made up for tests: that of the demo site, without what only that tells. */
import e1 from '../../experiments/E1-no-drain.ts';
import { ownServiceSchema, type OwnService } from '../experiment/own-service.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { contentOf, type FolderContent } from './testing-folder.ts';

const request = { weight: 1, slotsOf100: 50, headers: [], bodyBytes: null, expect: [] };

/** The service: it reads and writes notes, and names its version in each answer. */
function ownService(over: Partial<OwnService>): OwnService {
  return ownServiceSchema.parse({
    name: 'shop',
    start: '/opt/shop/shop',
    version: { header: 'X-App-Version' },
    release: { environment: { APP_VERSION: '{version}' } },
    requests: [
      { ...request, name: 'read', method: 'GET', path: '/read/{id}' },
      { ...request, name: 'order', method: 'POST', path: '/orders' },
    ],
    contents: 'a'.repeat(64),
    ...over,
  });
}

/** 300 slots with one restart, as `contentOf` has them; the paths are its own, and it has no log. */
export function ownContentOf(over: Partial<OwnService> = {}): FolderContent {
  const content = contentOf(e1, 'waited');
  const { run } = content;
  if (run.kind !== 'experiment') throw new Error('the demo site is that of an experiment');
  const experiment: Experiment = { ...run.experiment, service: ownService(over) };
  content.timeline = content.timeline.map((event) => ({ ...event, source: 'queues' }));
  return {
    ...content,
    run: { ...run, experiment },
    ledger: content.ledger.map((one) => ({
      ...one,
      path: one.method === 'POST' ? '/orders' : '/read/{id}',
      request: one.method === 'POST' ? 'order' : 'read',
    })),
    access: (content.access ?? []).map((line) => ({
      ...line,
      RequestPath: line['RequestMethod'] === 'POST' ? '/orders' : '/read/1',
      'origin_X-App-Version': undefined,
    })),
    site: [],
    direct: null,
    controls: null,
  };
}
