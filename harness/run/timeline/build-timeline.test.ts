import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import { buildTimeline } from './build-timeline.ts';
import { deploySchedule } from '../../experiment/deploy-schedule.ts';
import { messageIds, parseJournal } from '../files/journal.ts';

const originUs = 1_000_000;
const siteLine = (atUs: number, event: string, version: string): string =>
  JSON.stringify({
    __MONOTONIC_TIMESTAMP: String(originUs + atUs + 300),
    MESSAGE: JSON.stringify({ event, atMonotonicUs: originUs + atUs, version, instance: 'i', open: 3 }),
    _SYSTEMD_UNIT: 'site@demo.service',
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
    expect(Math.min(...spacings)).toBeGreaterThanOrEqual(1_900);
    expect(Math.max(...spacings)).toBeLessThanOrEqual(2_500);
    expect(new Set(spacings).size).toBeGreaterThan(20);
    // At 1000 a second twice as far apart: what queued must be worked off first.
    const atThousand = deploySchedule(deploy, 7, 1_000).beginsMs;
    expect((atThousand[1] ?? 0) - (atThousand[0] ?? 0)).toBeGreaterThanOrEqual(3_800);
    expect(schedule.durationMs(50)).toBe((beginsMs[49] ?? 0) + 3_000);
  });
});
