import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e17 from '../../experiments/E17-proxy.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../experiment/fields.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { TimelineEvent } from '../run/files/timeline.ts';
import { runRecord } from './testing.ts';
import { witnessDoubts, type WitnessFiles } from './witness-files.ts';

const runOf = (file: ExperimentFile, changes: Change[] = [], variant?: string): ExperimentRun =>
  runRecord(resolveExperiment(file, { variant, changes }));
const event = (atUs: number): TimelineEvent => ({ atUs, kind: 'accepting', source: 'app', restart: 1 });
const began = (role: string, action = 'start') => ({ atWallUs: 1, action, role, detail: '' });

/** The witnesses of 3 s, in which the direct probe asks 60 times. */
const whole: WitnessFiles = {
  timeline: [event(1), event(2)],
  timelineAgain: [event(1), event(2)],
  journalLines: 1,
  hasProxyLog: true,
  queueSamples: 1,
  engine: [began('server'), began('edge'), began('client')],
  kernel: { 'TcpExt.ListenDrops': 0 },
  probed: 60,
};

const doubts = (over: Partial<WitnessFiles>, run = runOf(e5)): string[] => witnessDoubts(run, { ...whole, ...over });

describe('the witnesses of a run', () => {
  it('are all there', () => {
    expect(doubts({})).toEqual([]);
  });

  it.each<[Partial<WitnessFiles>, string]>([
    [{ journalLines: 0 }, 'witnesses/journal.ndjson'],
    [{ hasProxyLog: false }, 'witnesses/traefik.log.gz'],
    [{ queueSamples: 0 }, 'witnesses/queues.ndjson.gz'],
    [{ kernel: {} }, 'witnesses/kernel.json'],
  ])('that are empty are named: %j', (over, file) => {
    expect(doubts(over)).toEqual([`${file} is empty: what it would have shown is not known; run again.`]);
  });

  it.each(['server', 'edge', 'client'])('must have seen the start of %s, and nothing else will do', (role) => {
    const others = whole.engine.filter((one) => one.role !== role);
    const sentence = `witnesses/engine.ndjson does not have the start of ${role}: nobody watched the engine, or the file was changed.`;
    expect(doubts({ engine: others })).toEqual([sentence]);
    expect(doubts({ engine: [...others, began(role, 'die')] })).toEqual([sentence]);
  });

  it('of a proxy that is a unit of the server are all, but for a container of its own', () => {
    const engine = whole.engine.filter(({ role }) => role !== 'edge');
    expect(doubts({ engine }, runOf(e17))).toEqual([]);
    expect(doubts({ engine, hasProxyLog: false }, runOf(e17))[0]).toContain('witnesses/traefik.log.gz is empty');
  });

  it('without a proxy of ours are two fewer', () => {
    const direct = runOf(e1, [], 'direct');
    const alone = whole.engine.filter(({ role }) => role !== 'edge');
    expect(doubts({ hasProxyLog: false, engine: alone }, direct)).toEqual([]);
    expect(doubts({ engine: [] }, direct)[0]).toContain('does not have the start of server, client:');
  });

  it.each([
    [null, 0],
    [47, 47],
    [48, null],
    [61, null],
  ])('have four fifths of the direct probe’s requests at least: %s', (probed, told) => {
    const sentence = (n: number): string =>
      `witnesses/direct.ndjson.gz has ${n} of about 60 requests of the direct probe: what a proxy hides was not looked at.`;
    expect(doubts({ probed })).toEqual(told === null ? [] : [sentence(told)]);
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

  it('are not asked for of a run that was cut short', () => {
    const aborted = { ...runOf(e5), aborted: 'It was cut short.' };
    expect(doubts({ journalLines: 0, engine: [], probed: null }, aborted)).toEqual([]);
  });
});
