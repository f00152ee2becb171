import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, releases, seedDefaults, standardLoad } from './standard.ts';

/** The seed's release: Ansible writes everything, and a handler restarts all units, one after another. */
export default defineExperiment({
  id: 'E14',
  title: 'Release as it is',
  question: 'What does the seed’s release cost the sites of one server, and which of them?',
  hypothesis:
    'The sockets of the public ports hold what comes while a site restarts. But the check asks /livez of the internal ' +
    'port, which no socket covers: each site is out of rotation for a whole interval of 503 where a check falls between ' +
    'its two processes. Which sites that are is chance. Retry has no second backend, and does not retry a 503.',
  // The seed's 5 s of grace only make a release longer: /livez answers all the while (variant seed-grace).
  app: { ...seedDefaults, drain: 'polite', graceMs: 1_000, shutdownTimeoutMs: 10_000 },
  unit: { activation: 'socket', backlog: 4_096, timeoutStopSec: 20 },
  sites: { count: 5 },
  proxy: {
    kind: 'traefik',
    check: { path: '/livez', port: 'internal', intervalMs: 1_000, timeoutMs: 1_000 },
    retry: { attempts: 4, initialIntervalMs: 0 },
  },
  load: standardLoad,
  deploy: releases,
  release: {},
  expect: {
    dropped: { predicted: true, withinPercent: 30, because: 'a failed check costs its site one interval of 503' },
    bounds: [
      { of: 'status-502', max: 0, because: 'the public ports are never closed' },
      { of: 'status-404', max: 0, because: 'the template is written to a new file, which is renamed' },
      { of: 'sitesRestarted', min: 5, because: 'every release restarts every site' },
    ],
  },
  control: cleanLab,
  variants: {
    'file-in-place': {
      about:
        'The proxy’s file is emptied, and filled by a slow template, as `render > file` does: the proxy reads it empty, and ' +
        'has no route for any site until it reads it again, 2 s later.',
      set: { 'release.proxyFile': 'in-place', 'deploy.restarts': 2 },
      expect: {
        dropped: { predicted: true, withinPercent: 30, because: 'no router for the 2 s of the proxy’s throttle' },
        badRestarts: { all: true, because: 'the routes of all sites are gone at once' },
        bounds: [
          { of: 'status-404', min: 400, because: 'rate × 2 s in each of two releases, but for what the check dropped' },
          { of: 'status-502', max: 0, because: 'the public ports are never closed' },
        ],
      },
    },
    'both-ports-activated': {
      about: 'The repair: sockets own the internal ports too, so that a check between two processes waits, and passes.',
      set: { 'unit.activation': 'both' },
      expect: {
        dropped: { max: 0, because: 'neither port of any site is ever closed' },
        bounds: [{ of: 'sitesRestarted', min: 5, because: 'every release restarts every site' }],
      },
    },
    recommended: {
      about:
        'The release that docs/release.md recommends: one site after another, each by the switch between two processes on one ' +
        'socket (E8). No check and no retry: the proxy has nothing to notice.',
      set: {
        'app.graceMs': 50,
        'unit.activation': 'shared',
        'sites.backends': 2,
        'proxy.check': null,
        'proxy.retry': null,
        'release.rolling': 1,
      },
      expect: {
        dropped: { max: 0, because: 'no port is ever closed, and no request is written to a connection that dies' },
        badRestarts: { max: 0, because: 'no restart may drop anything' },
        longestWait: {
          maxMs: 200,
          upToRatePerSecond: 500,
          because: 'some process accepts at every moment; what is left is a start, and Ansible, on the same cores',
        },
        bounds: [
          { of: 'longestOutageMs', max: 0, because: 'each new process accepts before the old one stops' },
          { of: 'sitesRestarted', min: 5, because: 'every release restarts every site' },
        ],
      },
    },
    'own-ports': {
      about: 'Without sockets: what the seed’s server did before, with every site refused while it restarts.',
      set: { 'unit.activation': 'none', 'unit.backlog': null },
      expect: {
        dropped: { predicted: true, withinPercent: 15, because: 'every request due while its site’s port is closed' },
        badRestarts: { all: true, because: 'the window is wider than a site’s slots' },
      },
    },
    'seed-grace': {
      about: 'The seed’s 5 s of grace: one release takes 30 s, and drops as the shorter one does.',
      set: {
        'app.graceMs': 5_000,
        'deploy.restarts': 1,
        'deploy.tailMs': 48_000,
      },
    },
  },
});
