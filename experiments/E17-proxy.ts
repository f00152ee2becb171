import { defineExperiment } from '../harness/experiment/experiment.ts';
import { e17Variants } from './E17-proxy.variants.ts';
import { cleanLab, quickRestarts, seedDefaults, standardLoad } from './standard.ts';

/** The proxy itself is restarted, and the site behind it goes on. */
export default defineExperiment({
  id: 'E17',
  title: 'The proxy itself',
  question: 'What does a restart of Traefik itself cost, and do its own ways to leave and to start help?',
  hypothesis:
    'At SIGTERM Traefik closes its port and answers what is under way, so that it ends up to half a second later; whoever ' +
    'comes meanwhile is refused. The new process accepts before it has read its routes, and answers 404 until then. So ' +
    'each restart drops rate × the time from the closing of the port to the routes, some as refused and some as 404. ' +
    'The site is not touched.',
  app: seedDefaults,
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik', unit: {} },
  load: standardLoad,
  // Above 2 s from the routes of one process to its end: see the variant soon-again.
  deploy: { ...quickRestarts, action: 'proxy-restart', spacingMs: [3_000, 3_600] },
  expect: {
    dropped: {
      predicted: true,
      withinPercent: 20,
      because:
        'every request due between the closing of the port and the routes is refused or has no route, and few others',
    },
    badRestarts: { all: true, because: 'a start of Traefik alone takes longer than ten slots' },
    bounds: [
      { of: 'status-404', min: 1, because: 'a Traefik that starts accepts before it has its routes' },
      { of: 'refused-directly', max: 0, because: 'the site’s own port is not the proxy’s' },
    ],
  },
  control: cleanLab,
  variants: e17Variants,
});
