import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../experiment/fields.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { TimelineEvent } from '../run/timeline.ts';
import { runRecord } from './testing.ts';
import { witnessDoubts, type WitnessFiles } from './witness-files.ts';

const runOf = (file: ExperimentFile, changes: Change[] = [], variant?: string): ExperimentRun =>
  runRecord(resolveExperiment(file, { variant, changes }), { witnessLines: recorded });

const event = (atUs: number): TimelineEvent => ({ atUs, kind: 'accepting', source: 'app', restart: 1 });
/** Zero of the run on the wall clock, as runRecord has it. */
const originWallUs = 1_000_000_005;
/** The engine's event of 2 s before the load. */
const began = (role: string, action = 'start') => ({ atWallUs: originWallUs - 2_000_000, action, role, detail: '' });

const recorded = { 'witnesses/engine.ndjson': 3, 'witnesses/queues.ndjson.gz': 1 };

/** Of a run of 3 s, which the direct probe asks 60 times. */
const whole: WitnessFiles = {
  timeline: [event(1), event(2)],
  timelineAgain: [event(1), event(2)],
  journalLines: 1,
  lines: recorded,
  proxyLog: { atWallUs: originWallUs - 1_900_000, version: '3.7.15' },
  queueSamples: 1,
  queueFirstUs: -500_000,
  queueWrongLine: null,
  engine: [began('server'), began('edge'), began('client')],
  kernel: { 'Tcp.PassiveOpens': 70 },
  answeredOnNew: 70,
  probed: 60,
};

const doubts = (over: Partial<WitnessFiles>, run = runOf(e5)): string[] => witnessDoubts(run, { ...whole, ...over });
const direct = runOf(e1, [], 'direct');

describe('the witnesses of a run', () => {
  it('are all there', () => {
    expect(doubts({})).toEqual([]);
  });

  it.each<[Partial<WitnessFiles>, string]>([
    [{ journalLines: 0 }, 'witnesses/journal.ndjson'],
    [{ proxyLog: null }, 'witnesses/traefik.log.gz'],
    [{ queueSamples: 0, queueFirstUs: null }, 'witnesses/queues.ndjson.gz'],
    [{ kernel: {} }, 'witnesses/kernel.json'],
  ])('that are empty are named: %j', (over, file) => {
    expect(doubts(over)).toEqual([`${file} is empty: what it would have shown is not known; run again.`]);
  });

  it('have as many lines as were recorded', () => {
    const [engine, queues] = Object.keys(recorded) as [string, string];
    const said = 'were recorded (run.json): lines were taken out, or put in, after the run.';
    expect(doubts({ lines: { ...recorded, [engine]: 2 } })).toEqual([`${engine} has 2 lines, and 3 ${said}`]);
    expect(doubts({ lines: { ...recorded, [queues]: 2 } })).toEqual([`${queues} has 2 lines, and 1 ${said}`]);
    expect(doubts({ lines: { [engine]: 3 } })).toEqual([`${queues} has no lines, and 1 ${said}`]);
    expect(doubts({}, { ...runOf(e5), witnessLines: { [engine]: 3 } })).toEqual([
      `${queues} has 1 lines, and none ${said}`,
    ]);
    expect(doubts({ lines: {} }, { ...runOf(e5), aborted: 'The run was cut short.' })).toEqual([]);
  });

  it.each(['server', 'edge', 'client'])('must have seen the start of %s, and nothing else will do', (role) => {
    const others = whole.engine.filter((one) => one.role !== role);
    const sentence = `witnesses/engine.ndjson does not have the start of ${role}: nobody watched the engine, or the file was changed.`;
    expect(doubts({ engine: others })).toEqual([sentence]);
    expect(doubts({ engine: [...others, began(role, 'die')] })).toEqual([sentence]);
  });

  it('have seen each container start before the load did', () => {
    const others = whole.engine.filter(({ role }) => role !== 'edge');
    const startedAt = (atWallUs: number): string[] =>
      doubts({
        engine: [...others, { ...began('edge'), atWallUs }],
        proxyLog: { atWallUs: originWallUs, version: '3.7.15' },
      });
    expect(startedAt(originWallUs)).toEqual([]);
    expect(startedAt(originWallUs + 1_000)[0]).toBe(
      'witnesses/engine.ndjson has the start of edge at 0.001 s, after the load had begun: it is of another run, or was changed.',
    );
    // One that is started again later has been started before.
    const again = { ...began('edge'), atWallUs: originWallUs + 9_000_000 };
    expect(doubts({ engine: [...whole.engine, again] })).toEqual([]);
    expect(doubts({ engine: [...whole.engine, began('host', 'lost')] })).toEqual([]);
  });

  it('without a proxy of ours are two fewer', () => {
    const alone = whole.engine.filter(({ role }) => role !== 'edge');
    expect(doubts({ proxyLog: null, engine: alone }, direct)).toEqual([]);
    expect(doubts({ engine: [] }, direct)[0]).toContain('does not have the start of server, client:');
  });

  it.each([
    [null, 0],
    [47, 47],
    [48, null],
    [61, null],
  ])('have four fifths of the direct probe’s requests at least: %s', (probed, told) => {
    expect(doubts({ probed })).toEqual(
      told === null
        ? []
        : [
            `witnesses/direct.ndjson.gz has ${told} of about 60 requests of the direct probe: what a proxy hides was not ` +
              'looked at.',
          ],
    );
  });

  it('need no direct probe where none was asked for', () => {
    expect(doubts({ probed: null }, runOf(e5, [['probe.ratePerSecond', 0]]))).toEqual([]);
    // Of two colours one is always down.
    expect(doubts({ probed: null }, runOf(e6))).toEqual([]);
  });

  it.each([
    ['another', [event(1), event(3)], 2],
    ['one too few', [event(1)], 2],
    ['one too many', [event(1), event(2), event(3)], 3],
    ['none', [], 1],
  ])('give the timeline again: %s event is told by its line', (_, timelineAgain, line) => {
    const sentence =
      `timeline.ndjson is not what deployer, journal, proxy and engine give (line ${line} differs): one of them was ` +
      'changed after the run.';
    expect(doubts({ timelineAgain })).toEqual([sentence]);
    expect(doubts({ timeline: timelineAgain, timelineAgain: whole.timeline })).toEqual([sentence]);
  });

  it.each<[number, boolean]>([
    [-3_000_001, false],
    [-3_000_000, true],
    [0, true],
    [1, false],
    [Number.NaN, false],
  ])('have the proxy’s own log from its start, or a second before, to the first request: %i µs', (atUs, isRight) => {
    const found = doubts({ proxyLog: { atWallUs: originWallUs + atUs, version: '3.7.15' } });
    expect(found.map((doubt) => /begins at (\S+) s, .* start of the proxy at (\S+) s/u.exec(doubt)?.slice(1))).toEqual(
      isRight ? [] : [[(atUs / 1e6).toFixed(3), '-2.000']],
    );
  });

  it('are placed by the first start of each, among all that the engine told', () => {
    const at = (seconds: number, role: string, action = 'start') => ({
      ...began(role, action),
      atWallUs: originWallUs + seconds * 1e6,
    });
    const engine = [
      at(-30, 'edge', 'kill'),
      at(-8, 'client'),
      at(-6, 'server'),
      at(-4, 'edge'),
      at(0.5, 'edge'),
      at(1, 'server'),
    ];
    const logBegins = (seconds: number): string[] =>
      doubts({ engine, proxyLog: { atWallUs: originWallUs + seconds * 1e6, version: '3.7.15' } });
    expect(logBegins(-5)).toEqual([]);
    expect(logBegins(-5.1)[0]).toContain('the start of the proxy at -4.000 s');
    expect(doubts({ engine, queueFirstUs: -7e6 })).toEqual([]);
    expect(doubts({ engine, queueFirstUs: -7.1e6 })[0]).toContain('begins at -7.100 s, before the server was started');
    // A server that was told of in another way is none that was started.
    expect(doubts({ engine: [at(-30, 'server', 'kill'), ...engine], queueFirstUs: -7.1e6 })).toHaveLength(1);
  });

  it('have a proxy’s log of the version that the fingerprint names', () => {
    const sentence = (wanted: string, said: string): string =>
      `The fingerprint has Traefik ${wanted}, and the proxy's own log says ${said} (witnesses/traefik.log.gz): one of them ` +
      'was changed after the run.';
    const atWallUs = originWallUs;
    expect(doubts({ proxyLog: { atWallUs, version: '3.7.14' } })).toEqual([sentence('3.7.15', '3.7.14')]);
    expect(doubts({ proxyLog: { atWallUs, version: null } })).toEqual([sentence('3.7.15', 'none')]);
    expect(doubts({}, { ...runOf(e5), fingerprint: {} })).toEqual([sentence('none', '3.7.15')]);
    expect(doubts({ proxyLog: null, engine: [] }, { ...direct, fingerprint: {} })).toHaveLength(1);
  });

  it.each<[number | null, string | null]>([
    [-3_000_001, 'begins at -3.000 s, before the server was started: it is of another run.'],
    [-3_000_000, null],
    [0, null],
    [
      1,
      "has the first sample at 0.000 s of the site's port: it is sampled from before the load, so a part of the file",
    ],
    [null, "has no sample of the site's port: it is sampled from before the load, so a part of the file is missing"],
  ])('have the queue of the site’s port from the server’s start to the first request: %s', (queueFirstUs, told) => {
    const found = doubts({ queueFirstUs });
    expect(found).toHaveLength(told === null ? 0 : 1);
    if (told !== null) expect(found[0]).toContain(`witnesses/queues.ndjson.gz ${told}`);
  });

  it('have no line of the queues that the sampler does not write', () => {
    expect(doubts({ queueWrongLine: 7, queueFirstUs: null })).toEqual([
      'witnesses/queues.ndjson.gz:7 goes back in time, or says again what its port had: the sampler writes changes, so a ' +
        'line was taken out, or changed.',
    ]);
  });

  it('cannot be placed in time without the wall clock of the engine', () => {
    const proxyLog = { atWallUs: 1, version: '3.7.15' };
    expect(doubts({ proxyLog, queueFirstUs: -9e9 }, { ...runOf(e5), wallOffsetUs: null })).toEqual([]);
    expect(doubts({ proxyLog, queueFirstUs: -9e9 }, { ...runOf(e5), originMonotonicUs: null })).toEqual([]);
  });

  it.each([{ 'Tcp.PassiveOpens': 69 }, { 'TcpExt.ListenDrops': 0 }])(
    'have a kernel that accepted each connection on which somebody answered: %j',
    (kernel) => {
      const accepted = kernel['Tcp.PassiveOpens'] ?? 0;
      expect(doubts({ kernel })).toEqual([
        `witnesses/kernel.json counts ${accepted} accepted connections (Tcp.PassiveOpens), and 70 requests were answered on ` +
          'a connection of their own: it is of another run, or was changed.',
      ]);
    },
  );

  it('are not asked for of a run that was cut short', () => {
    expect(
      doubts({ journalLines: 0, engine: [], probed: null }, { ...runOf(e5), aborted: 'It was cut short.' }),
    ).toEqual([]);
  });
});
