import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import { buildTimeline } from './build-timeline.ts';
import { deploySchedule } from '../../experiment/deploy-schedule.ts';
import { messageIds, parseJournal } from '../files/journal.ts';

const originUs = 1_000_000;
const siteLine = (atUs: number, event: string, version: string, unit = 'site@demo.service'): string =>
  JSON.stringify({
    __MONOTONIC_TIMESTAMP: String(originUs + atUs + 300),
    MESSAGE: JSON.stringify({ event, atMonotonicUs: originUs + atUs, version, instance: 'i', open: 3 }),
    _SYSTEMD_UNIT: unit,
  });
const unitLine = (atUs: number, id: string): string =>
  JSON.stringify({
    __MONOTONIC_TIMESTAMP: String(originUs + atUs),
    MESSAGE: 'as systemd says it',
    MESSAGE_ID: id,
    UNIT: 'site@demo.service',
  });
/** A line of systemd's that has words of its own, and no id. */
const saidLine = (atUs: number, message: string, unit = 'site@demo.service'): string =>
  JSON.stringify({ __MONOTONIC_TIMESTAMP: String(originUs + atUs), MESSAGE: message, UNIT: unit });

const demo = {
  name: 'demo',
  colours: [{ service: 'site@demo.service', socket: 'site@demo.socket', publicPort: 18_080 }],
};

describe('the timeline', () => {
  it('joins deployer, site, journal and proxy into one order, each event with its restart', () => {
    const events = buildTimeline({
      originUs,
      wallOffsetUs: 0,
      loadEndUs: 5_000_000,
      checks: [
        { atWallUs: originUs + 1_150_000, service: 'demo@file http://a', up: false, line: 1 },
        { atWallUs: originUs + 1_900_000, service: 'demo@file http://a', up: true, line: 2 },
      ],
      engine: [
        { atWallUs: originUs - 900_000, action: 'start', role: 'edge', detail: '' },
        { atWallUs: originUs + 4_000_000, action: 'die', role: 'edge', detail: 'status 137' },
      ],
      sites: [demo],
      isRelease: false,
      deployer: [
        { kind: 'deploy-begin', restart: 1, version: 'v1', atMonotonicUs: originUs + 1_000_000 },
        { kind: 'deploy-end', restart: 1, version: 'v1', atMonotonicUs: originUs + 1_300_000 },
        { kind: 'done' },
      ],
      journal: parseJournal(
        [
          siteLine(-500_000, 'accepting', 'v0'),
          siteLine(1_010_000, 'sigterm', 'v0'),
          siteLine(1_060_000, 'accept-stopped', 'v0'),
          siteLine(1_200_000, 'exit', 'v0'),
          unitLine(1_210_000, messageIds.unitStopped),
          unitLine(1_220_000, messageIds.unitStarted),
          siteLine(1_400_000, 'start', 'v1'),
          siteLine(1_700_000, 'accepting', 'v1'),
          siteLine(1_700_100, 'ready', 'v1'),
        ].join('\n'),
        'journal.ndjson',
      ),
      proxy: [
        { atUs: 1_101_000, kind: 'proxy-first-error', source: 'proxy', restart: 1 },
        { atUs: 1_711_000, kind: 'proxy-first-answer', source: 'proxy', restart: 1 },
        { atUs: 1_691_000, kind: 'proxy-last-error', source: 'proxy', restart: 1 },
      ],
    });
    expect(events.map(({ kind, restart }) => `${restart} ${kind}`)).toEqual([
      '0 accepting',
      '0 load-begin',
      '1 deploy-begin',
      '1 sigterm',
      '1 accept-stopped',
      '1 proxy-first-error',
      '1 check-down',
      '1 exit',
      '1 unit-stopped',
      '1 unit-started',
      '1 deploy-end',
      '1 start',
      '1 proxy-last-error',
      '1 accepting',
      '1 ready',
      '1 proxy-first-answer',
      '1 check-up',
      '1 container-ended',
      '1 load-end',
    ]);
    expect(events.find(({ kind }) => kind === 'sigterm')).toMatchObject({
      atUs: 1_010_000,
      version: 'v0',
      source: 'app',
    });
  });

  it('has systemd’s SIGKILL of the site, told by its words, and that of no other unit', () => {
    const killing = 'site@demo.service: Killing process 47 (MainThread) with signal SIGKILL.';
    const events = buildTimeline({
      originUs,
      wallOffsetUs: 0,
      loadEndUs: 5_000_000,
      checks: [],
      engine: [],
      proxy: [],
      sites: [demo],
      isRelease: false,
      deployer: [{ kind: 'deploy-begin', restart: 1, version: 'v1', atMonotonicUs: originUs + 1_000_000 }],
      journal: parseJournal(
        [
          saidLine(2_000_000, "site@demo.service: State 'stop-sigterm' timed out. Killing."),
          saidLine(2_000_100, killing),
          saidLine(2_000_200, killing.replace('SIGKILL', 'SIGTERM')),
          saidLine(2_000_300, killing, 'other.service'),
          saidLine(2_000_400, killing, 'site@demo.socket'),
          saidLine(2_000_500, `${killing} Really.`),
          saidLine(2_000_600, killing.replace('MainThread', 'Web (1) process')),
        ].join('\n'),
        'journal.ndjson',
      ),
    });
    expect(events.filter(({ kind }) => kind === 'killing').map(({ atUs, restart }) => [atUs, restart])).toEqual([
      [2_000_100, 1],
      [2_000_600, 1],
    ]);
  });
});

describe('the timeline of two sites', () => {
  const second = {
    name: 'demo2',
    colours: [{ service: 'site@demo2.service', socket: 'site@demo2.socket', publicPort: 18_081 }],
  };
  const said = (
    kind: 'deploy-begin' | 'site-begin' | 'site-end' | 'deploy-end',
    deploy: number,
    atUs: number,
    site?: string,
  ) => ({
    kind,
    restart: deploy,
    version: `v${deploy}`,
    atMonotonicUs: originUs + atUs,
    ...(site !== undefined && { site }),
  });
  const ofDemo2 = (atUs: number, kind: string, version: string): string =>
    siteLine(atUs, kind, version, 'site@demo2.service');
  /** The first deploy restarts both; the second ends before it comes to demo2. */
  const sources = {
    originUs,
    wallOffsetUs: 0,
    loadEndUs: 9_000_000,
    checks: [
      { atWallUs: originUs + 1_150_000, service: 'demo2@file http://127.0.0.1:18081', up: false, line: 1 },
      { atWallUs: originUs + 1_160_000, service: 'other@file http://127.0.0.1:18099', up: false, line: 2 },
    ],
    engine: [{ atWallUs: originUs + 4_000_000, action: 'die', role: 'edge', detail: 'status 137' }],
    proxy: [],
    sites: [demo, second],
    isRelease: false,
    deployer: [
      said('deploy-begin', 1, 1_000_000),
      said('site-begin', 1, 1_000_100, 'demo'),
      said('site-end', 1, 1_090_000, 'demo'),
      said('site-begin', 1, 1_100_000, 'demo2'),
      said('site-end', 1, 1_200_000, 'demo2'),
      said('deploy-end', 1, 1_200_100),
      said('deploy-begin', 2, 5_000_000),
      said('site-begin', 2, 5_000_100, 'demo'),
      said('deploy-end', 2, 5_100_000),
    ],
    journal: parseJournal(
      [
        siteLine(1_010_000, 'sigterm', 'v0'),
        ofDemo2(1_110_000, 'sigterm', 'v0'),
        ofDemo2(1_700_000, 'accepting', 'v1'),
        saidLine(5_050_000, 'site@demo2.service: Killing process 47 (app) with signal SIGKILL.', 'site@demo2.service'),
        ofDemo2(5_060_000, 'exit', 'v1'),
        siteLine(5_070_000, 'sigterm', 'v1'),
        siteLine(5_080_000, 'accepting', 'v7', 'site@other.service'),
      ].join('\n'),
      'journal.ndjson',
    ),
  };
  const told = (events: ReturnType<typeof buildTimeline>) =>
    events.map(({ restart, site, kind }) => `${restart} ${site ?? '-'} ${kind}`);

  it('counts restarts over both, names the site of each event, and has a deploy begin for each that it restarts', () => {
    expect(told(buildTimeline(sources))).toEqual([
      '0 - load-begin',
      '1 demo deploy-begin',
      '2 demo2 deploy-begin',
      '1 demo site-begin',
      '1 demo sigterm',
      '1 demo site-end',
      '2 demo2 site-begin',
      '2 demo2 sigterm',
      '2 demo2 check-down',
      '2 demo2 site-end',
      '1 demo deploy-end',
      '2 demo2 deploy-end',
      '2 demo2 accepting',
      // The proxy is everybody’s.
      '2 - container-ended',
      '3 demo deploy-begin',
      '3 demo site-begin',
      // Nobody restarted demo2 in deploy 2: systemd’s word is of the restart before, the site’s own of the next.
      '2 demo2 killing',
      '4 demo2 exit',
      '3 demo sigterm',
      '3 demo deploy-end',
      '3 - load-end',
    ]);
  });

  it('of a release takes what a process says by its time, since a bad one brings back an old version', () => {
    const events = told(buildTimeline({ ...sources, isRelease: true }));
    expect(events).toContain('2 demo2 exit');
    // Version 0 comes back in deploy 1: by its version it would be of the time before.
    const journal = parseJournal(ofDemo2(1_300_000, 'accepting', 'v0'), 'journal.ndjson');
    const back = { ...sources, journal, checks: [] };
    expect(told(buildTimeline({ ...back, isRelease: true }))).toContain('2 demo2 accepting');
    expect(told(buildTimeline({ ...back, isRelease: false }))).toContain('0 demo2 accepting');
  });

  it('of a release has the task of the playbook that is about no site, and its failure', () => {
    const task = {
      ...said('site-begin', 1, 1_050_000),
      kind: 'task-end' as const,
      task: 'Check the proxy',
      failure: 'no',
    };
    const events = buildTimeline({ ...sources, isRelease: true, deployer: [...sources.deployer, task] });
    expect(events.filter(({ kind }) => kind === 'task-end')).toEqual([
      {
        atUs: 1_050_000,
        kind: 'task-end',
        source: 'deployer',
        restart: 0,
        version: 'v1',
        detail: 'Check the proxy: no',
      },
    ]);
  });

  it('of a release of one site counts only the deploys that restarted it', () => {
    const deployer = sources.deployer.filter((one) => !('site' in one && one.restart === 2));
    const one = { ...sources, checks: [], journal: [], sites: [demo], isRelease: true, deployer };
    expect(told(buildTimeline(one)).filter((line) => line.endsWith('deploy-begin'))).toEqual(['1 - deploy-begin']);
  });
});

describe('the timeline of a proxy that is a unit', () => {
  const proxyLine = (atUs: number, fields: Record<string, string>, unit = 'traefik.service'): string =>
    JSON.stringify({
      __MONOTONIC_TIMESTAMP: String(originUs + atUs),
      MESSAGE: JSON.stringify({ level: 'debug', ...fields }),
      _SYSTEMD_UNIT: unit,
    });
  const web = { entryPointName: 'web' };
  const waiting = 'Waiting 10s seconds before killing connections';
  const recovery = { ...web, middlewareName: 'traefik-internal-recovery', message: 'Creating middleware' };
  const lines = [
    proxyLine(2_000_000, { message: 'I have to go...' }),
    proxyLine(2_000_100, { entryPointName: 'traefik', message: waiting }),
    proxyLine(2_000_200, { ...web, message: waiting }),
    proxyLine(2_500_000, { ...web, message: 'Entrypoint closed' }),
    proxyLine(2_500_100, { message: 'Shutting down' }),
    JSON.stringify({
      ...{ __MONOTONIC_TIMESTAMP: String(originUs + 2_510_000), MESSAGE: 'Stopped.' },
      ...{ MESSAGE_ID: messageIds.unitStopped, UNIT: 'traefik.service' },
    }),
    proxyLine(2_600_000, { message: 'Traefik version 3.7.15 built on 2026-10-15T14:33:48Z', version: '3.7.15' }),
    proxyLine(2_600_100, { ...web, message: 'Starting TCP Server' }),
    proxyLine(2_650_000, {
      entryPointName: 'traefik',
      middlewareName: 'traefik-internal-recovery',
      message: 'Creating middleware',
    }),
    proxyLine(2_660_000, { ...web, middlewareName: 'tracing', message: 'Creating middleware' }),
    proxyLine(2_700_000, recovery),
    proxyLine(2_800_000, recovery, 'other.service'),
  ];
  const kindsOf = (colours: readonly (typeof demo.colours)[number][]): string[] =>
    buildTimeline({
      ...{ originUs, wallOffsetUs: 0, loadEndUs: 5_000_000, checks: [], engine: [], proxy: [], isRelease: false },
      sites: [{ name: 'demo', colours }],
      deployer: [{ kind: 'deploy-begin', restart: 1, version: 'v1', atMonotonicUs: originUs + 1_900_000 }],
      journal: parseJournal(lines.join('\n'), 'journal.ndjson'),
    }).map(({ kind, restart, source }) => `${restart} ${kind} ${source}`);

  it('has its end and its beginning, by its own log and systemd’s, in the restart that had begun', () => {
    const proxy = { service: 'traefik.service', socket: 'traefik.socket', publicPort: 80 };
    expect(kindsOf([...demo.colours, proxy])).toEqual([
      '0 load-begin deployer',
      '1 deploy-begin deployer',
      '1 sigterm proxy',
      '1 accept-stopped proxy',
      '1 exit proxy',
      '1 unit-stopped journal',
      '1 start proxy',
      '1 accepting proxy',
      '1 ready proxy',
      '1 load-end deployer',
    ]);
  });

  it('has none of it where the proxy is no unit', () => {
    expect(kindsOf(demo.colours)).toEqual(['0 load-begin deployer', '1 deploy-begin deployer', '1 load-end deployer']);
  });
});

describe('the deploy’s schedule', () => {
  const deploy = { ...e1.deploy, restarts: 50 };

  it('is drawn from the seed, within its bounds, and ends after the last restart’s tail', () => {
    const schedule = deploySchedule(deploy, 7, 200);
    const { beginsMs } = schedule;
    expect(schedule.wanted).toBe(50);
    // One more for each five, to make up for voided ones.
    expect(beginsMs).toHaveLength(60);
    expect(deploySchedule(deploy, 7, 200).beginsMs).toEqual(beginsMs);
    expect(deploySchedule(deploy, 8, 200).beginsMs).not.toEqual(beginsMs);
    const spacings = beginsMs.slice(1).map((begin, index) => begin - (beginsMs[index] ?? 0));
    expect(Math.min(...spacings)).toBeGreaterThanOrEqual(1_600);
    expect(Math.max(...spacings)).toBeLessThanOrEqual(2_200);
    expect(new Set(spacings).size).toBeGreaterThan(20);
    // At 1000 a second twice as far apart: what queued must be worked off first.
    const atThousand = deploySchedule(deploy, 7, 1_000).beginsMs;
    expect((atThousand[1] ?? 0) - (atThousand[0] ?? 0)).toBeGreaterThanOrEqual(3_200);
    expect(schedule.durationMs(50)).toBe((beginsMs[49] ?? 0) + 3_000);
  });
});
