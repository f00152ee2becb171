import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, releases, seedDefaults, standardLoad } from './standard.ts';

const readyWithinSec = 4;

/** A release that cannot start, and the way back: one site is released, asked whether it is ready, and the rest are spared. */
export default defineExperiment({
  id: 'E16',
  title: 'A bad release, and the way back',
  question: 'What does a release that cannot start cost, until the old one is back?',
  hypothesis:
    'A playbook that releases one site at a time, asks it for readyz and stops where it does not get ready hurts the first ' +
    'site alone, for as long as it waits, and until the old release is back. What is wired at the first site decides what ' +
    'that costs: a process that owns its port refuses everything meanwhile.',
  app: { ...seedDefaults, drain: 'polite', shutdownTimeoutMs: 10_000 },
  unit: { activation: 'none', timeoutStopSec: 20 },
  sites: { count: 5 },
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: { ...releases, restarts: 2, badForMs: 1_000, spacingMs: [15_000, 16_000], tailMs: 17_000 },
  release: { rolling: 1, waitForReady: true, readyWithinSec, bad: 'crash-at-start' },
  expect: {
    dropped: {
      predicted: true,
      withinPercent: 15,
      because:
        'every request to the first site is refused from the end of its old process to the start of the restored one',
    },
    badRestarts: { all: true, because: 'the first site is down for seconds in each release' },
    bounds: [
      { of: 'sitesRestarted', min: 1, max: 1, because: 'the playbook stops at the first site that does not get ready' },
      { of: 'sitesHurt', min: 1, max: 1, because: 'no other site was touched' },
      {
        of: 'longestOutageMs',
        min: readyWithinSec * 1_000,
        because: 'the playbook waits for the new release before it gives up',
      },
    ],
  },
  control: cleanLab,
  variants: {
    'all-at-once': {
      about:
        'Nobody asks whether a site is ready: the playbook restarts them all, and every site is down until the old release ' +
        'is back.',
      set: { 'release.rolling': null, 'release.waitForReady': false, 'deploy.badForMs': 4_000 },
      expect: {
        dropped: { predicted: true, withinPercent: 15, because: 'every site refuses until it is restored' },
        badRestarts: { all: true, because: 'every site is down for seconds' },
        bounds: [{ of: 'sitesHurt', min: 5, max: 5, because: 'no site is spared' }],
      },
    },
    'never-ready': {
      about: 'The new release starts, and never gets ready: the playbook stops as it does where it crashes.',
      set: { 'release.bad': 'never-ready' },
    },
    sockets: {
      about:
        'systemd owns the public ports: what comes for the first site waits in its queue, for as long as the way back takes, ' +
        'and is answered by the restored release. Nothing is dropped, and somebody has waited for seconds.',
      set: { 'unit.activation': 'socket', 'unit.backlog': 4_096 },
      expect: {
        dropped: { max: 0, because: 'the queue holds what comes, and 30 s of patience are longer than the way back' },
        bounds: [
          { of: 'sitesRestarted', min: 1, max: 1, because: 'the playbook stops at the first site' },
          { of: 'longestWaitMs', min: readyWithinSec * 1_000, because: 'who came first waits for the whole way back' },
          { of: 'stallsOutside', max: 0, because: 'nobody waits at a site that was not touched' },
        ],
      },
    },
    'one-socket': {
      about:
        'One socket, two processes (E8): the switch gives the new one up, and the old one has served all the while. A bad ' +
        'release costs nothing, not even a wait.',
      set: { 'unit.activation': 'shared', 'unit.backlog': 4_096, 'sites.backends': 2 },
      expect: {
        dropped: { max: 0, because: 'the old process is not stopped before the new one is ready' },
        longestWait: { maxMs: 100, upToRatePerSecond: 500, because: 'some process accepts at every moment' },
        bounds: [
          { of: 'givenUp', min: 2, max: 2, because: 'the switch gives up the first site of each release' },
          { of: 'sitesHurt', max: 0, because: 'no site is hurt' },
        ],
      },
    },
  },
});
