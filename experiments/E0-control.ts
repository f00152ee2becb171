import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, seedDefaults, standardLoad } from './standard.ts';

/** The control of the whole house: the same site, proxy and load, and nobody restarts anything. */
export default defineExperiment({
  id: 'E0',
  title: 'Control: no restart',
  question: 'Does the lab drop requests when nothing is restarted?',
  hypothesis:
    'Nothing closes a connection that another may be writing to: the site keeps idle connections (120 s) longer than ' +
    'the proxy does (90 s). So nothing is dropped, and a drop in another experiment is owed to its restarts.',
  app: { ...seedDefaults, drain: 'polite' },
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: { action: 'none', restarts: 0, spacingMs: [1_000, 1_000], leadMs: 0, tailMs: 15_000 },
  expect: { dropped: { max: 0, because: 'nothing happens that could drop a request; else every other run is void' } },
  control: cleanLab,
  variants: {
    'keep-alive-race': {
      about:
        'The site ends idle connections sooner than the proxy does: a POST written on one that is just being ended ' +
        'fails, with no restart at all. A slow load, since a busy connection is never idle.',
      set: { 'app.keepAliveTimeoutMs': 250, 'load.ratePerSecond': 60, 'deploy.tailMs': 40_000 },
      expect: {
        bounds: [
          {
            of: 'dropped-GET',
            max: 0,
            because: 'the proxy sends a GET again that died on a kept connection without an answer',
          },
        ],
      },
    },
    'planted-ack-before-commit': {
      about:
        'The site answers a write before it commits, and is stopped meanwhile: the check of the writes must see it.',
      set: {
        'app.fault': 'ack-before-commit',
        'app.drain': 'none',
        'deploy.action': 'restart',
        'deploy.restarts': 3,
        'deploy.leadMs': 1_000,
        'deploy.tailMs': 3_000,
      },
      expect: {
        bounds: [
          { of: 'lost', min: 1, because: 'what was acknowledged within 200 ms of the end was never committed' },
          { of: 'early', min: 1, because: 'the database stamps what the site had answered 200 ms before' },
        ],
      },
    },
    'planted-apply-twice': {
      about: 'The site applies each write twice: the check of the writes must see it.',
      set: { 'app.fault': 'apply-twice', 'deploy.tailMs': 3_000 },
      expect: { bounds: [{ of: 'duplicated', min: 1, because: 'each write is in the database twice' }] },
    },
  },
});
