/** What most experiments share: a file states what is its own, and takes the rest from here. */
import type { ExperimentData } from '../harness/experiment/experiment.ts';

/** Half GET, half POST; one in twenty takes 300 ms, so that some are under way at every SIGTERM. */
export const standardLoad: ExperimentData['load'] = {
  ratePerSecond: 200,
  mix: [
    { method: 'GET', path: '/notes/:id', weight: 45 },
    { method: 'GET', path: '/slow?ms=300', weight: 5 },
    { method: 'POST', path: '/notes', weight: 50 },
  ],
  connections: 'mixed',
};

/** The seed's defaults: 50 ms of grace, 1 s for the graceful close, which ends idle connections at once. */
export const seedDefaults: ExperimentData['app'] = {
  warmupMs: 300,
  drain: 'naive',
  graceMs: 50,
  shutdownTimeoutMs: 1_000,
  keepAliveTimeoutMs: 120_000,
};

/** What the seed's deploy sets: 5 s of grace, longer than a check takes to notice, and 10 s for the graceful close. */
export const seedDrain: ExperimentData['app'] = { ...seedDefaults, graceMs: 5_000, shutdownTimeoutMs: 10_000 };

/** The seed's check. */
export const seedCheck: ExperimentData['proxy']['check'] = {
  path: '/healthz',
  port: 'internal',
  intervalMs: 1_000,
  timeoutMs: 1_000,
};

/** Eight restarts within 18 s. */
export const quickRestarts: ExperimentData['deploy'] = {
  action: 'restart',
  restarts: 8,
  spacingMs: [1_600, 2_200],
  leadMs: 1_000,
  tailMs: 3_000,
};

/** Three restarts that take a drain of 5 s each. */
export const drainedRestarts: ExperimentData['deploy'] = {
  ...quickRestarts,
  restarts: 3,
  spacingMs: [8_500, 9_500],
  tailMs: 9_000,
};

/** Three releases of five sites, of which each takes some 10 s. */
export const releases: ExperimentData['deploy'] = {
  action: 'release',
  restarts: 3,
  spacingMs: [11_500, 12_500],
  leadMs: 1_000,
  tailMs: 13_500,
};

/** Of experiments that must drop something: without the load, or with it and no restart, the lab drops nothing. */
export const cleanLab: ExperimentData['control'] = {
  experiment: 'E0',
  because: 'the same lab drops nothing without a restart, so what is dropped is owed to the restarts',
};
