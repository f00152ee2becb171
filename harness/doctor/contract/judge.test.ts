import { describe, expect, it } from 'vitest';
import type {
  BusyPortSeen,
  CrashSeen,
  DrainSeen,
  InFlight,
  KeptSeen,
  Sample,
  SecondSignalSeen,
  SocketSeen,
  StartSeen,
  StopSeen,
  Told,
  UnitState,
} from '../../in-lab/contract/messages.ts';
import { checks, type CheckId } from './checks.ts';
import { contractText } from './contract-text.ts';
import { isDoubtful, judgeContract, type Seen } from './judge.ts';
import type { Known } from './outcome.ts';

const known: Known = {
  listens: 'either',
  isHanded: false,
  publicPort: 18_080,
  internalPort: 18_081,
  hasInternal: true,
  hasLive: true,
  hasReady: true,
  hasVersion: true,
  release: { setsVersion: true },
  hasUnit: false,
  hasWrites: true,
};

/** Milliseconds as the clock of the lab has them. */
const ms = (count: number): number => count * 1000;

function told(result: Told['result'], sentMs: number, doneMs = sentMs + 1): Told {
  return { result, sentUs: ms(sentMs), doneUs: ms(doneMs), keepsOpen: true };
}

/** A sample every 20 ms. */
function sampled(of: Sample['of'], fromMs: number, toMs: number, result: Sample['result']): Sample[] {
  const samples: Sample[] = [];
  for (let at = fromMs; at < toMs; at += 20) samples.push({ of, result, sentUs: ms(at), doneUs: ms(at + 1) });
  return samples;
}

/** A request of which half was sent before SIGTERM. */
function half(result: Told['result'], doneMs: number): InFlight {
  return { name: 'order', kind: 'half', expected: 201, told: told(result, 990, doneMs) };
}

const state: UnitState = {
  activeState: 'active',
  result: 'success',
  mainPid: 100,
  ended: '',
  status: 0,
  restarts: 0,
  timeoutStopMs: 15_000,
  restart: 'on-failure',
};
const exited: UnitState = { ...state, activeState: 'inactive', mainPid: 0, ended: 'exited' };
const site = { address: '127.0.0.1', port: 18_080, inode: '1', backlog: 4096 };
const health = { address: '127.0.0.1', port: 18_081, inode: '2', backlog: 4096 };
const process = { pid: 100, name: 'shop', isMain: true, sockets: ['1', '2'], listenPid: null };

/** Started at 0, warm at 300 ms. */
const start: StartSeen = {
  startedUs: 0,
  servedUs: ms(321),
  samples: [
    ...sampled('public', 0, 300, 'refused'),
    ...sampled('public', 320, 500, 200),
    ...sampled('live', 0, 40, 'refused'),
    ...sampled('live', 40, 500, 200),
    ...sampled('ready', 0, 40, 'refused'),
    ...sampled('ready', 40, 310, 503),
    ...sampled('ready', 320, 500, 200),
  ],
  state,
  listeners: [site, health],
  processes: [process],
  lastWords: [],
};
const announced: KeptSeen = {
  ...{ kind: 'used', isAnnounced: true, isRequestLost: false },
  ...{ lastAnswerUs: ms(1100), endedUs: ms(1101) },
};
const silent: KeptSeen = { ...announced, kind: 'silent', lastAnswerUs: ms(990), isAnnounced: false, endedUs: ms(2000) };

const stop: StopSeen = {
  ...{ askedUs: ms(1000), orderedUs: ms(1010), goneUs: ms(2000) },
  ...{ waitedForIdle: false, state: exited },
};

/** SIGTERM at 1000 ms, the port closed at 1060, gone at 2000. */
const drain: DrainSeen = {
  life: 'drain',
  start,
  measured: [{ name: 'order', results: [201, 201, 201], expected: 201, medianMs: 2 }],
  version: { shown: 'v0' },
  keepsConnections: true,
  stop,
  samples: [
    ...sampled('public', 1000, 1060, 200),
    ...sampled('public', 1060, 2000, 'refused'),
    ...sampled('live', 1000, 2000, 200),
    ...sampled('ready', 1000, 1020, 200),
    ...sampled('ready', 1020, 2000, 503),
  ],
  inFlight: [half(201, 1700)],
  kept: [announced, announced, silent],
};
const second: SecondSignalSeen = {
  life: 'second-signal',
  served: true,
  version: { shown: 'v1' },
  inFlight: half(201, 1300),
};
const crash: CrashSeen = {
  life: 'crash',
  served: true,
  killedUs: ms(1000),
  restartedUs: ms(1130),
  servedAgainUs: ms(1500),
  state,
  firstWrites: [{ request: 'order', id: 'contract-1-1-5', fate: 'found', came: '' }],
  acknowledged: 20,
  missing: [],
  trouble: null,
};
const busy: BusyPortSeen = { life: 'busy-port', startedUs: 0, endedUs: ms(400), state: { ...exited, status: 1 } };
const socket: SocketSeen = {
  life: 'socket',
  before: site,
  start,
  elsewhere: null,
  elsewhereInode: null,
  queued: { told: told(200, 0, 600), isAnother: true },
};
const good: Seen = { drains: [drain], second, crash, busy, socket };

function withDrain(change: Partial<DrainSeen>): Seen {
  return { ...good, drains: [{ ...drain, ...change }] };
}

function withStart(change: Partial<StartSeen>): Seen {
  return withDrain({ start: { ...start, ...change } });
}

function withStop(change: Partial<StopSeen>, more: Partial<DrainSeen> = {}): Seen {
  return withDrain({ ...more, stop: { ...stop, ...change } });
}

/** The samples of a start or a drain, but for one kind: others in their place. */
function resampled(seen: { samples: readonly Sample[] }, others: readonly Sample[]): Sample[] {
  return [...seen.samples.filter(({ of }) => of !== others[0]?.of), ...others];
}

const notServing = { ...start, servedUs: null };
/** With the socket on another port, it has opened its own. */
function elsewhere(listenPid: string): SocketSeen {
  const wrapper = { ...process, pid: 99, name: 'sh', sockets: [] };
  const child = { ...process, isMain: listenPid === '100', listenPid };
  const processes = listenPid === '100' ? [child] : [wrapper, child];
  return { ...socket, start: notServing, elsewhere: { ...notServing, processes }, elsewhereInode: '3', queued: null };
}

function faultsOf(seen: Seen, about: Known = known): (string | undefined)[] {
  return judgeContract(about, seen).flatMap(({ fault }) => fault ?? []);
}

const stillTaking = [...sampled('public', 1000, 15_000, 200), ...sampled('ready', 1000, 15_000, 200)];

/** What is seen of each fault, and its name. */
const planted: [name: string, seen: Seen][] = [
  ['does not serve where it was told', withDrain({ start: notServing, stop: null, measured: [] })],
  ['does not serve where it was told', withStart({ listeners: [site] })],
  [
    'does not answer a request as expected',
    withDrain({
      measured: [{ name: 'order', results: [201, 415, 415], expected: 201, medianMs: 2 }],
      inFlight: [half(415, 1700)],
    }),
  ],
  ['live does not answer', withStart({ samples: resampled(start, sampled('live', 0, 500, 'timeout')) })],
  ['live does not answer', withStart({ samples: resampled(start, sampled('live', 0, 310, 503)) })],
  ['live does not answer', withDrain({ samples: resampled(drain, sampled('live', 1100, 2000, 'refused')) })],
  ['ready at once though warming', withStart({ samples: resampled(start, sampled('ready', 40, 500, 200)) })],
  [
    'ready at once though warming',
    withStart({
      samples: resampled({ samples: resampled(start, sampled('ready', 40, 2000, 200)) }, [
        { of: 'public', result: 200, sentUs: ms(100), doneUs: ms(1900) },
      ]),
      servedUs: ms(1900),
    }),
  ],
  ['ready never says 200', withStart({ samples: resampled(start, sampled('ready', 40, 5000, 503)) })],
  ['ready still 200 after SIGTERM', withDrain({ samples: resampled(drain, sampled('ready', 1000, 2000, 200)) })],
  [
    'ready always 200',
    withDrain({
      start: { ...start, samples: resampled(start, sampled('ready', 40, 500, 200)) },
      samples: resampled(drain, sampled('ready', 1000, 2000, 200)),
    }),
  ],
  [
    'ignores SIGTERM',
    withStop({ goneUs: null }, { samples: stillTaking, kept: [{ ...silent, endedUs: null }], inFlight: [] }),
  ],
  ['drains for ever', withStop({ goneUs: null })],
  [
    'accepts until it exits',
    withDrain({
      samples: resampled(drain, [
        ...sampled('public', 1000, 1980, 200),
        { of: 'public', result: 'reset', sentUs: ms(1990), doneUs: ms(2000) },
      ]),
    }),
  ],
  [
    'exits before answering in-flight requests',
    withStop({ goneUs: ms(1060) }, { inFlight: [half('closed', 1060)], kept: [{ ...silent, endedUs: ms(1060) }] }),
  ],
  ['closes idle connections at once', withDrain({ kept: [announced, { ...silent, endedUs: ms(1060) }] })],
  ['closes idle connections at once', withDrain({ kept: [{ ...announced, isAnnounced: false, isRequestLost: true }] })],
  ['fails on SIGTERM', withStop({ state: { ...exited, result: 'exit-code', status: 1 } })],
  ['crashes on the second SIGTERM', { ...good, second: { ...second, inFlight: half('reset', 991) } }],
  ['stays up without its port', { ...good, busy: { ...busy, endedUs: null } }],
  ['exits with 0 when its port is taken', { ...good, busy: { ...busy, state: exited } }],
  ['is not started again after a crash', { ...good, crash: { ...crash, restartedUs: null } }],
  ['does not come back after a crash', { ...good, crash: { ...crash, servedAgainUs: null } }],
  [
    '`writes` does not find a write',
    {
      ...good,
      crash: { ...crash, missing: ['a'], firstWrites: [{ request: 'order', id: 'a', fate: 'absent', came: '17' }] },
    },
  ],
  ['loses acknowledged writes', { ...good, crash: { ...crash, missing: ['a'] } }],
  ['shows no version', withDrain({ version: { shown: null } })],
  ['a release does not show', { ...good, second: { ...second, version: { shown: 'v0' } } }],
  ['binds the port although it got fd 3', { ...good, socket: elsewhere('100') }],
  ['LISTEN_PID broken by a shell wrapper', { ...good, socket: elsewhere('99') }],
  ['does not serve the socket', { ...good, socket: { ...socket, start: notServing } }],
  [
    'shortens the queue of the socket',
    { ...good, socket: { ...socket, start: { ...start, listeners: [{ ...site, backlog: 511 }, health] } } },
  ],
  ['loses queued connections', { ...good, socket: { ...socket, queued: { told: told('reset', 0), isAnother: true } } }],
];

describe('the contract', () => {
  it('is kept where nothing is wrong, and each check says what was seen', () => {
    const results = judgeContract(known, good);
    expect(results.map(({ status, check }) => `${check} ${status}`)).toEqual(
      Object.keys(checks).map((check) => `${check} passed`),
    );
    expect(contractText({ service: 'shop', checks: results })).toMatch(
      /^shop keeps the contract: 18 passed, 0 failed, 0 not applicable\.$/mu,
    );
  });

  it.each(planted)('%s: found by name, and nothing else is blamed', (name, seen) => {
    expect(faultsOf(seen)).toEqual([name]);
  });

  it('has a case for every fault but that of a wrapper, which has a test of its own', () => {
    const named = (Object.keys(checks) as CheckId[]).flatMap((check) => Object.keys(checks[check].faults));
    const tried = new Set(planted.map(([name]) => name));
    expect(named.filter((name) => !tried.has(name))).toEqual(['a shell wrapper takes SIGTERM']);
  });

  it('tells of a service that only inherits, and does not serve, what it does with the socket', () => {
    const seen = { ...withDrain({ start: notServing, stop: null, measured: [] }), socket: elsewhere('100') };
    const inherits: Known = { ...known, listens: 'inherits', isHanded: true };
    expect(faultsOf(seen, inherits)).toEqual(['binds the port although it got fd 3']);
  });

  it('blames the wrapper that systemd starts for what it does to the drain', () => {
    const wrapper = { ...process, pid: 99, name: 'sh', sockets: [] };
    const wrapped = { ...start, processes: [wrapper, { ...process, isMain: false }] };
    const seen = withDrain({ start: wrapped, inFlight: [half('closed', 1020)] });
    expect(faultsOf(seen, { ...known, listens: 'itself' })).toEqual(['a shell wrapper takes SIGTERM']);
    // Handed a socket, it is LISTEN_PID that names it.
    expect(faultsOf({ ...seen, socket: elsewhere('99') })).toEqual(['LISTEN_PID broken by a shell wrapper']);
  });

  it('says what systemd means by the status of a program that it could not begin', () => {
    const unbegun = { ...notServing, state: { ...exited, activeState: 'failed', status: 203 } };
    const [fault] = judgeContract(known, withDrain({ start: unbegun, stop: null, measured: [] }));
    expect(fault?.seen).toBe(
      'it exited with 203 (systemd’s EXEC: its program is not there, or cannot be run) before it answered',
    );
  });

  it('says what a request got that came before its warm-up had ended', () => {
    const early = { samples: resampled(start, sampled('ready', 40, 500, 200)) };
    const samples = resampled(early, sampled('public', 60, 310, 500));
    const [fault] = judgeContract(known, withStart({ samples })).filter(({ status }) => status === 'failed');
    expect(fault?.seen).toContain('later was answered with 500');
  });

  it('takes a fault that is not seen twice for the machine’s', () => {
    const cut = { ...drain, kept: [{ ...silent, endedUs: ms(1060) }] };
    expect(isDoubtful(known, cut)).toBe(true);
    expect(isDoubtful(known, drain)).toBe(false);
    expect(faultsOf({ ...good, drains: [cut, drain] })).toEqual([]);
    expect(faultsOf({ ...good, drains: [cut, cut] })).toEqual(['closes idle connections at once']);
  });

  it('lets connections be closed that a proxy has left: long after ready has said no', () => {
    const late = { ...silent, lastAnswerUs: ms(6900), endedUs: ms(7000) };
    const samples = resampled(drain, sampled('public', 7000, 7100, 'refused'));
    expect(faultsOf(withStop({ goneUs: ms(7100) }, { kept: [late], samples }))).toEqual([]);
  });

  it('says why a check is not applicable', () => {
    const plain: Known = {
      ...known,
      listens: 'itself',
      internalPort: 18_080,
      ...{ hasInternal: false, hasLive: false, hasReady: false, hasVersion: false, hasWrites: false },
    };
    const none = judgeContract(plain, { ...withDrain({ inFlight: [], keepsConnections: false }), socket: null });
    expect(none.flatMap(({ check, status }) => (status === 'not applicable' ? check : []))).toEqual([
      ...['live', 'ready-warm-up', 'ready-drain', 'in-flight', 'idle', 'writes', 'version'],
      ...['socket', 'queue-length', 'queued'],
    ]);
    expect(none.filter(({ status, seen }) => status === 'not applicable' && seen === '')).toEqual([]);
  });
});
