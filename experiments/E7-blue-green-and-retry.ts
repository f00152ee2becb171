import { defineExperiment } from '../harness/experiment/experiment.ts';
import { blueGreenExpectation, blueGreenVariants, swaps } from './blue-green.variants.ts';
import { seedCheck, seedDrain, standardLoad } from './standard.ts';

const { 'grace-below-detection': shortGrace, ...shared } = blueGreenVariants;

/** E6 with the proxy's retry, which at last has a second backend to try. */
export default defineExperiment({
  id: 'E7',
  title: 'Blue-green with SQLite and retry',
  question: 'Does retry help when there is a second backend, and is a retried POST ever written twice?',
  hypothesis:
    'A connection that one backend refuses is tried again at once at the other. Only what was never written is tried ' +
    'again, so no POST is written twice.',
  app: seedDrain,
  unit: { activation: 'none', timeoutStopSec: 20 },
  sites: { backends: 2 },
  proxy: { kind: 'traefik', check: seedCheck, retry: { attempts: 4, initialIntervalMs: 0 } },
  load: standardLoad,
  deploy: swaps,
  expect: blueGreenExpectation,
  control: {
    variant: 'without-retry',
    because: 'the same swap with too short a grace and no retry must drop something: retry is what saves it',
  },
  variants: {
    ...shared,
    'grace-below-detection': {
      about:
        'The old backend closes its port before the check has noticed, and retry finds the other one: nothing is dropped.',
      set: shortGrace?.set ?? {},
      expect: {
        dropped: {
          max: 6,
          because: 'what is refused is tried again at the other backend; what was written may be lost',
        },
      },
    },
    'without-retry': {
      about: 'The same without retry: what the closed port refuses is dropped until the check notices.',
      set: { ...shortGrace?.set, 'proxy.retry': null },
      ...(shortGrace?.expect && { expect: shortGrace.expect }),
    },
  },
});
