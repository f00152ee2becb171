import { defineExperiment } from '../harness/experiment/experiment.ts';
import { blueGreenExpectation, blueGreenVariants, swaps } from './blue-green.variants.ts';
import { seedCheck, seedDrain, standardLoad } from './standard.ts';

/** Two units of one site on one SQLite file: the new backend is started before the old one is stopped. */
export default defineExperiment({
  id: 'E6',
  title: 'Blue-green with SQLite',
  question:
    'Does starting the new version beside the old one lose requests, or writes, when both share one SQLite file?',
  hypothesis:
    'The new backend is ready before the old one leaves, and the proxy’s check finds both facts within an interval, so ' +
    'hardly a request is dropped. While both write, each takes SQLite’s one write lock for less than a millisecond, and ' +
    'the other waits: no SQLITE_BUSY. Only a transaction that reads first, or that is long, meets it.',
  app: seedDrain,
  unit: { activation: 'none', timeoutStopSec: 20 },
  sites: { backends: 2 },
  proxy: { kind: 'traefik', check: seedCheck },
  load: standardLoad,
  deploy: swaps,
  expect: blueGreenExpectation,
  control: {
    variant: 'grace-below-detection',
    because: 'an old backend that leaves before the check has noticed must drop something',
  },
  variants: blueGreenVariants,
});
