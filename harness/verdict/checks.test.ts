import { describe, expect, it } from 'vitest';
import e17 from '../../experiments/E17-proxy.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { cpuPressure } from '../run/files/kernel.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import type { Control } from './controls.ts';
import type { Evidence } from './evidence.ts';
import type { LedgerSummary } from './ledger-summary.ts';
import type { RestartWindow } from './restart-windows.ts';
import {
  direct,
  evidence,
  ledgerOf,
  proxy,
  reconciliation,
  restartCounts,
  runRecord,
  serviceRecord,
  verdictOfTest,
  window,
  writes,
} from './testing.ts';
import { checks, doubtsOf, withId } from './checks.ts';

/** 10 000 requests, all answered and on time. */
const counted: LedgerSummary = ledgerOf(0, {
  all: { due: 10_000, sent: 10_000, dropped: 0, outcomes: { ok: 10_000 } },
  lag: { p50Us: 100, p99Us: 900, maxUs: 4_000 },
});

type Case = Partial<Omit<Evidence, 'ledger'>> & { ledger?: Partial<LedgerSummary> };

function reasons({ ledger, ...over }: Case): string[] {
  const whole = { run: runRecord(e5), windows: [window], ...evidence, direct, proxy, ...over };
  return doubtsOf({ ...whole, ledger: { ...counted, ...ledger } }).map(({ why }) => why);
}

/** A number of windows, each with the first's moments. */
const several = (count: number): RestartWindow[] =>
  Array.from({ length: count }, (_, index) => ({ ...window, restart: index + 1 }));
const control = (over: Parameters<typeof verdictOfTest>[0]): Control => ({
  role: 'C+',
  name: 'E5 own-port',
  because: 'it must drop something at every restart',
  verdict: verdictOfTest(over),
});
const outcomes = (unsent: number, local: number): Partial<LedgerSummary> => ({
  all: { due: 10_000, sent: 10_000, dropped: 0, outcomes: { ok: 10_000 - unsent - local, unsent, local } },
});
const voidOf = (voided: number, all: number): Case => ({
  run: runRecord(e5, { deployBeginsMs: Array.from({ length: all }, () => 990) }),
  windows: several(all),
  ledger: {
    perRestart: Array.from({ length: all }, (_, index) =>
      restartCounts(0, { latestUs: index < voided ? 50_001 : 50_000 }),
    ),
  },
});

describe('a run', () => {
  it('is trusted when nothing speaks against it', () => {
    expect(reasons({})).toEqual([]);
  });

  it.each<[string, Case]>([
    ['a lag of 100 ms once', { ledger: { lag: { p50Us: 0, p99Us: 0, maxUs: 100_000 } } }],
    ['a lag of 5 ms at the 99th percentile', { ledger: { lag: { p50Us: 0, p99Us: 5_000, maxUs: 5_000 } } }],
    ['no row that was sent', { ledger: { lag: null } }],
    ['one slot in a thousand lost by the generator', { ledger: outcomes(4, 6) }],
    ['one void restart in five', voidOf(1, 5)],
    ['two in ten', voidOf(2, 10)],
    ['one row in ten thousand that disagrees', { reconciliation: { ...reconciliation, rows: 10_000, disagreeing: 1 } }],
    ['a clock that moved by 20 ms', { run: runRecord(e5, { wallOffsetUs: [0, 20_000] }) }],
    ['a clock that moved by 20 ms the other way', { run: runRecord(e5, { wallOffsetUs: [20_000, 0] }) }],
    [
      'a wall clock that is far from the other, and stays there',
      { run: runRecord(e5, { wallOffsetUs: [1.7e15, 1.7e15 + 10] }) },
    ],
    ['a clock of which nobody knows', { run: runRecord(e5, { wallOffsetUs: null }) }],
    [
      'containers that were started, killed and stopped',
      {
        engine: ['start', 'kill', 'stop'].map((action) => ({ atWallUs: 0, action, role: 'edge', detail: '' })),
      },
    ],
    ['controls that hold', { controls: [control({ dropped: 70 })] }],
    ['a calibration in which all came out right', { calibration: { seriesId: 's', cases: 20, wrong: [] } }],
    ['no controls', { controls: null }],
    ['logs of the proxy that balance', { proxyTries: { answers: 3, retries: 4, failedTries: 7 } }],
    ['no proxy', { proxy: null, proxyTries: null }],
    ['more restarts than were planned', { windows: several(2) }],
    ['a last restart that was ready when the load ended', { windows: [{ ...window, readyUs: 3_000_000 }] }],
    [
      'a new version that was given up: the old process goes on',
      { windows: [{ ...window, acceptStoppedUs: null, acceptingUs: null, readyUs: null, givenUpUs: 2_000_000 }] },
    ],
    [
      'a reload of the proxy, which closes no port',
      {
        run: runRecord(resolveExperiment(e17, { variant: 'reload', changes: [] })),
        windows: [{ ...window, acceptStoppedUs: null, acceptingUs: null }],
      },
    ],
    ['a last restart whose becoming ready was not seen', { windows: [{ ...window, readyUs: null }] }],
    [
      'no restart where none was planned',
      { run: runRecord(e5, { deployBeginsMs: [] }), windows: [], ledger: { perRestart: [] } },
    ],
  ])('is still trusted with %s', (_, given) => {
    expect(reasons(given)).toEqual([]);
  });

  const engine = (...events: [action: string, role: string, detail: string][]): Case => {
    return { engine: events.map(([action, role, detail]) => ({ atWallUs: 9, action, role, detail })) };
  };
  const tries = (failedTries: number): Case => ({ proxyTries: { answers: 3, retries: 4, failedTries } });
  const unexplained = (...unexplainedRows: number[]): Case => {
    return { reconciliation: { ...reconciliation, unexplained: unexplainedRows.length, unexplainedRows } };
  };
  const lag = (p99Us: number, maxUs: number): Case => ({ ledger: { lag: { p50Us: 0, p99Us, maxUs } } });
  const slow = { aboveMs: 100, longestMs: 312.4, slow: 1, firstSlowRow: 7 };
  const silent = control({ runId: 'r', dropped: 0, due: 300 });
  const doubtful = control({ runId: 'r', dropped: 70, verdict: 'inconclusive', reasons: ['A request left late.'] });
  const wrong = [
    { case: 'rst, GET, kept', sentences: ['39 of 40', 'gap'] },
    { case: 'fin', sentences: [] },
  ];
  const disagreements = [{ seq: 8, what: 'it was not due' }];
  const disagreeing = { ...reconciliation, rows: 9_999, disagreeing: 1, disagreements };

  it.each<[id: string, what: string, given: Case, ...figures: string[]]>([
    [
      'deploy-trouble',
      'the run had a trouble',
      { run: runRecord(e5, { troubles: ['Restart 1: no.'] }) },
      'Restart 1: no.',
    ],
    [
      'container-ended',
      'a container ended',
      engine(['start', 'edge', ''], ['die', 'edge', 'status 137']),
      '`edge`',
      '(die status 137; witnesses/engine.ndjson:2)',
    ],
    [
      'container-ended',
      'a container had no memory left',
      engine(['oom', 'server', '']),
      '`server`',
      '(oom ; witnesses/engine.ndjson:1)',
    ],
    ['container-ended', 'the engine was lost', engine(['lost', 'engine', 'gone']), 'The engine was lost', '(gone)'],
    [
      'control-failed',
      'a control failed',
      { controls: [control({ dropped: 70 }), silent] },
      'C+ (E5 own-port, r) dropped nothing of 300',
      silent.because,
    ],
    [
      'control-failed',
      'a control is inconclusive, whatever it dropped',
      { controls: [doubtful] },
      'C+ (E5 own-port, r) is inconclusive',
      '(A request left late)',
    ],
    [
      'uncalibrated',
      'the instrument is not calibrated',
      { calibration: { seriesId: 's', cases: 20, wrong } },
      '2 of 20',
      '(rst, GET, kept: 39 of 40; gap)',
    ],
    [
      'slow-transit',
      'answers hung between client and proxy',
      { waits: { ...evidence.waits, transit: slow } },
      '1 answers',
      '100 ms',
      '312 ms (first: row 7)',
    ],
    [
      'proxy-logs-differ',
      'the proxy’s two logs do not balance',
      tries(8),
      '3 failed answers and 4 further tries',
      '8 failed tries',
    ],
    ['proxy-logs-differ', 'the proxy’s own log lacks an error', tries(6), '6 failed tries'],
    [
      'unbalanced-ledger',
      'a slot has no row',
      { ledger: { missingSlots: 1 } },
      '1 slots have no row and 0 have more than one',
    ],
    [
      'unbalanced-ledger',
      'a slot has two rows',
      { ledger: { repeatedSlots: 1 } },
      '0 slots have no row and 1 have more than one',
    ],
    [
      'own-faults',
      'the generator lost more than one slot in a thousand',
      { ledger: outcomes(5, 6) },
      'send 5 requests',
      '6 of 10000 (limit 0.1 %)',
    ],
    [
      'ill-before',
      'a service of the user’s own failed before anything was restarted',
      { illRequests: [{ request: 'order', asked: 90, ok: 0, other: 'status-400' }] },
      'order: 0 of 90 ok, most others status-400',
    ],
    ['stood-still', 'the generator stood still once', lag(0, 100_001), '100.0 ms late (limit 100 ms)'],
    ['late-schedule', 'the schedule was late', lag(5_001, 5_001), '5.0 ms at the 99th percentile (limit 5 ms)'],
    [
      'void-restarts',
      'more than one restart in five is void',
      voidOf(2, 9),
      'Of 9 restarts 2',
      '50 ms late (limit 1 in 5)',
    ],
    [
      'restarts-missing',
      'a restart never began',
      { run: runRecord(e5, { deployBeginsMs: [990, 2_000] }) },
      '1 of 2 restarts',
    ],
    [
      'outage-unseen',
      'the port’s closing was not seen',
      { windows: [{ ...window, acceptStoppedUs: null }] },
      'restarts 1 ',
    ],
    [
      'outage-unseen',
      'the next process’s accepting was not seen, twice',
      { windows: several(3).map((one) => (one.restart === 1 ? one : { ...one, acceptingUs: null })) },
      'restarts 2, 3 ',
    ],
    [
      'outage-unseen',
      'a proxy’s closing was not seen',
      { run: runRecord(e17), windows: [{ ...window, acceptStoppedUs: null }] },
      'restarts 1 ',
    ],
    ['tail-unseen', 'the last restart outlasted the load', { windows: [{ ...window, readyUs: 3_000_001 }] }],
    [
      'proxy-disagrees',
      'the proxy’s log lacks a request',
      { proxy: { ...proxy, missing: 1 } },
      '1 requests sent',
      '0 in',
    ],
    ['proxy-disagrees', 'the proxy’s log has one too many', { proxy: { ...proxy, extra: 1 } }, '1 in the log were not'],
    ['proxy-disagrees', 'the proxy’s log has one twice', { proxy: { ...proxy, repeated: 1 } }, '1 arrived more'],
    ['proxy-disagrees', 'the proxy answered otherwise', { proxy: { ...proxy, disagreeing: 1 } }, '1 were answered'],
    [
      'rows-disagree',
      'more than one row in ten thousand disagrees',
      { reconciliation: disagreeing },
      '1 of 9999',
      '(limit 0.01 %)',
      'row 8: it was not due.',
    ],
    ['unexplained-drops', 'a drop has no cause', unexplained(20), 'Of 1 drops', '(rows 20)'],
    ['unexplained-drops', 'five have none', unexplained(1, 2, 3, 4, 5), 'Of 5 drops', '(rows 1, 2, 3, 4, 5)'],
    ['unexplained-drops', 'many have none', unexplained(1, 2, 3, 4, 5, 6), 'Of 6 drops', '(rows 1, 2, 3, 4, 5 …)'],
    [
      'strange-writes',
      'the database has writes that nobody sent',
      { writes: { ...writes, unexpected: 1 } },
      '1 writes',
    ],
    [
      'strange-writes',
      'the database is damaged',
      { writes: { ...writes, integrity: 'row 3 missing' } },
      ': row 3 missing.',
    ],
    ['strange-writes', 'the database was not read', { writes: null }, 'not read'],
    [
      'clock-moved',
      'the clock stepped forwards',
      { run: runRecord(e5, { wallOffsetUs: [5, 20_006] }) },
      '20.0 ms',
      '(limit 20)',
    ],
    [
      'clock-moved',
      'the clock stepped backwards',
      { run: runRecord(e5, { wallOffsetUs: [0, -30_000] }) },
      '-30.0 ms',
      '(limit 20)',
    ],
  ])('is not trusted (%s) when %s, and says by which figures', (id, _, given, ...figures) => {
    const [reason = '', ...others] = reasons(given);
    expect(others).toEqual([]);
    expect(reason.endsWith(withId('', id))).toBe(true);
    for (const figure of figures) expect(reason).toContain(figure);
  });

  it('names every reason, not the first alone', () => {
    const given = {
      run: runRecord(e5, { troubles: ['One.', 'Two.'] }),
      ledger: { missingSlots: 3 },
      writes: null,
    };
    expect(reasons(given)).toHaveLength(4);
  });
});

describe('the table of checks', () => {
  it('has an id of its own for each, and says of each what it asks, against which limit, and what to do', () => {
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, question, limit, advice } of checks) {
      expect([id, question, limit, advice]).toEqual([
        expect.stringMatching(/^[a-z]+(-[a-z]+)*$/u),
        expect.stringMatching(/\?$/u),
        expect.stringMatching(/\.$/u),
        expect.stringMatching(/\.$/u),
      ]);
    }
  });
});

/** Of a service that the user runs the client is the only witness. */
const alone: Partial<Evidence> = { writes: null, proxy: null, proxyTries: null };

describe('a measurement of the user’s own service', () => {
  const run = serviceRecord();

  it('needs no database, no cause of each drop, and no window that was seen', () => {
    const unseen = { ...window, acceptStoppedUs: null, acceptingUs: null, readyUs: 9e9 };
    const beside = { ...alone, reconciliation: { ...reconciliation, unexplained: 70 } };
    expect(reasons({ run, windows: [unseen], ...beside })).toEqual([]);
  });

  it('is held to its ledger and its schedule like any run', () => {
    const disagreeing = { ...reconciliation, disagreeing: 2 };
    expect(reasons({ run, ledger: { missingSlots: 1 }, ...alone, reconciliation: disagreeing })).toHaveLength(2);
    expect(reasons({ run, windows: [], ledger: { perRestart: [] }, ...alone })).toEqual([
      'Only 0 of 1 restarts began before the load ended. [restarts-missing]',
    ]);
  });
});

describe('several sites', () => {
  const experiment = resolveExperiment(e5, { changes: [['sites.count', 2]] });
  const run = runRecord(experiment, { deployBeginsMs: [990, 2_000] });
  const windows = [1, 2, 3, 4].map((restart): RestartWindow => ({
    ...window,
    restart,
    site: restart % 2 === 1 ? 'demo' : 'demo2',
    deploy: Math.ceil(restart / 2),
  }));
  const asked = (of: readonly RestartWindow[], release = false): string[] => {
    const deploy = { ...run.experiment.deploy, ...(release && { action: 'release' as const }) };
    return reasons({ run: { ...run, experiment: { ...run.experiment, deploy } }, windows: of });
  };

  it('are each to be restarted by every deploy, whatever came of the others', () => {
    expect(asked(windows)).toEqual([]);
    // As many restarts as deploys were asked for are not all of them.
    expect(asked(windows.slice(0, 2))).toEqual([
      'Only 2 of 4 restarts began before the load ended. [restarts-missing]',
    ]);
  });

  it('are restarted by a release as its playbook says: each release must have begun', () => {
    expect(asked([...windows.slice(0, 1), ...windows.slice(3)], true)).toEqual([]);
    expect(asked(windows.slice(0, 2), true)).toEqual([
      'Only 1 of 2 releases began before the load ended. [restarts-missing]',
    ]);
  });

  it('are seen to the end only where all of the last deploy were ready by then', () => {
    const late = windows.map((one) => (one.restart === 3 ? { ...one, readyUs: 3_000_001 } : one));
    expect(asked(late)).toEqual([
      'The last restart was ready only after the load had ended: its tail was not seen. [tail-unseen]',
    ]);
  });
});

describe('a service that was ill before its deploy', () => {
  const before = { asked: 96, asExpected: 0, answers: { 'status-301': 96 }, example: 'it redirects to https' };
  const ill = { ...serviceRecord(), before, commandRun: false };

  it('is told with how many of how many, and is not blamed for a restart that never began', () => {
    expect(reasons({ run: ill, windows: [], ledger: { perRestart: [] }, ...alone })).toEqual([
      'The service was ill before the deploy: 96 of 96 requests before the command were not answered as expected ' +
        '(96 × status-301); it redirects to https. The command was not run; --even-if-failing runs it all the same. [ill-before]',
    ]);
    // Whoever asked for the command all the same is told nothing.
    expect(reasons({ run: { ...ill, commandRun: true }, ...alone })).toEqual([]);
  });
});

describe('a service of which nothing was seen to change', () => {
  const of = (mustChange: boolean, hasChanged: boolean | null): string =>
    reasons({ run: serviceRecord({ mustChange }), ...alone, hasChanged }).join();

  it('is doubted where --must-change asks for it', () => {
    expect(of(true, false)).toContain('as --must-change asks');
    expect([of(true, true), of(true, null), of(false, false)]).toEqual(['', '', '']);
  });
});

it('requests for which the server held every connection are not the generator’s own failures', () => {
  expect(reasons({ ledger: { ...outcomes(40, 0), failureKinds: { 'connections held': 40 } } })).toEqual([]);
  expect(reasons({ ledger: { ...outcomes(60, 0), failureKinds: { 'connections held': 40 } } })).toHaveLength(1);
});

it('a run without requests says nothing', () => {
  const of = (due: number): string[] =>
    reasons({ ledger: { all: { due, sent: 0, dropped: 0, outcomes: { unsent: due } }, lag: null } });
  expect(of(0)).toEqual([
    'No request was due: nothing was measured. Ask for a longer --duration or a higher --rate. [nothing-asked]',
  ]);
  expect(of(5)[0]).toBe('No request was sent: nothing was measured. [nothing-asked]');
});

describe('how busy the machine was', () => {
  const lag = { p50Us: 0, p99Us: 9_000, maxUs: 9_000 };
  const said = (waitedUs: number, run = runRecord(e5)): string =>
    reasons({ run, ledger: { lag }, kernel: { [cpuPressure]: waitedUs } }).join();

  it('stands with what is late, from a tenth of the run on', () => {
    // The run took 3 s.
    expect(said(299_999)).toContain('stop other work on this machine and run again');
    expect(said(300_000)).toContain(
      'on this machine (some process waited for a CPU during 10 % of the run) and run again',
    );
    expect(said(1_500_000)).toContain('during 50 % of the run');
    // The kernel's count may be a little longer than the load.
    expect(said(3_100_000)).toContain('during 100 % of the run');
  });

  it('is nothing of a run that took no time', () => {
    expect(said(300_000, runRecord(e5, { durationMs: 0 }))).not.toContain('waited for a CPU');
  });
});
