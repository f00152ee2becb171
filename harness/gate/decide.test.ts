import { describe, expect, it } from 'vitest';
import { writes } from '../verdict/testing.ts';
import { decide } from './decide.ts';
import { failures, type GateResult } from './gate-result.ts';
import { baselineOfRuns, budget, decision, entry, runOf, verdictThatDropped } from './testing.ts';

const clean = verdictThatDropped(Array<number>(16).fill(0), { writes: { ...writes, acknowledged: 1_000 } });
const inconclusive = { ...clean, verdict: 'inconclusive' as const, reasons: ['Requests left late: stop other work.'] };

/** The checks that fail, as `kind what`. */
const failing = (result: GateResult): string[] =>
  result.entries.flatMap((each) => failures(each).map(({ kind, what }) => `${kind} ${what}`));

describe('without a baseline', () => {
  it('passes a clean run, and says that there is no baseline', () => {
    const result = decide(decision([runOf(clean)]));
    expect(result).toMatchObject({ verdict: 'pass', comparisons: 0, significantBelow: null, notAsked: [] });
    expect(result.entries[0]?.notes).toEqual([expect.stringContaining('there is no baseline')]);
  });

  it('fails on a budget, with figure, measured, allowed, line and cause', () => {
    const verdict = verdictThatDropped([0, 20, 0, 15], {
      verdict: 'pass',
      reconciliation: {
        ...clean.reconciliation,
        causes: { 'the proxy was refused by the site’s port': 35 },
        examples: {
          'the proxy was refused by the site’s port': { seq: 12, file: 'witnesses/traefik.log.gz', line: 40 },
        },
      },
      dropWindows: [
        {
          fromUs: 1_000_000,
          toUs: 1_700_000,
          dropped: 20,
          openedBy: { kind: 'socket-stopped', atUs: 990_000, line: 7 },
          closedBy: { kind: 'socket-started', atUs: 1_690_000, line: 9 },
        },
      ],
    });
    const result = decide(decision([runOf(verdict)]));
    expect(result.verdict).toBe('fail');
    expect(failing(result)).toEqual(['budget dropped requests', 'budget restarts that dropped something']);
    expect(result.entries[0]?.checks).toContainEqual(
      expect.objectContaining({ what: 'dropped requests', measured: '35', allowed: 'at most 0', line: 3 }),
    );
    expect(result.entries[0]?.causes).toEqual([
      `35 dropped: the proxy was refused by the site’s port; row 12, E5/${verdict.runId}/witnesses/traefik.log.gz:40`,
      `20 dropped from 1.000 s to 1.700 s: opened by socket-stopped at 0.990 s (E5/${verdict.runId}/timeline.ndjson:7), ` +
        `closed by socket-started at 1.690 s (E5/${verdict.runId}/timeline.ndjson:9)`,
    ]);
  });

  it('fails on a run whose own verdict is fail, although every budget is met', () => {
    const result = decide(decision([runOf({ ...clean, verdict: 'fail', reasons: ['Expected of longest wait: …'] })]));
    expect(failing(result)).toEqual(['verdict verdict of the run']);
    expect(result.entries[0]?.causes).toEqual(['Expected of longest wait: …']);
  });

  it('reports what only informs, and passes', () => {
    const entries = [entry({ budgets: [budget('longestWaitMs', { max: 5, blocking: false })] })];
    const result = decide(decision([runOf(clean)], { entries }));
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.checks.map(({ outcome }) => outcome)).toEqual(['met', 'missed']);
  });

  it('passes with a failed entry that only informs', () => {
    const failed = runOf(verdictThatDropped([1]));
    const result = decide(decision([failed], { entries: [entry({ blocking: false })] }));
    expect(result.entries[0]?.verdict).toBe('fail');
    expect(result.verdict).toBe('pass');
  });
});

describe('what cannot be told is never a pass', () => {
  it('an entry without a run', () => {
    expect(decide(decision([])).verdict).toBe('inconclusive');
  });

  it('two inconclusive runs, with their reasons, and what they would have missed', () => {
    const over = verdictThatDropped([3], {
      runId: '20261123T130000Z-abcd',
      verdict: 'inconclusive',
      reasons: ['Late.'],
    });
    const result = decide(decision([runOf(inconclusive), runOf(over)]));
    expect(result.verdict).toBe('inconclusive');
    expect(result.entries[0]?.causes).toEqual([
      `${clean.runId}: Requests left late: stop other work.`,
      `${over.runId}: Late.`,
      `${over.runId}, were it to be trusted: dropped requests 3; allowed at most 0`,
      `${over.runId}, were it to be trusted: restarts that dropped something 1 of 1; allowed at most 0`,
    ]);
  });

  it('a queue that the kernel saw full in every try fails, however late the load was', () => {
    const e5 = entry({ budgets: [budget('dropped', { max: 0 }), budget('listenOverflows', { max: 0 })] });
    const late = (overflows: number | undefined, runId: string) => {
      const kernel = overflows === undefined ? {} : { 'TcpExt.ListenOverflows': overflows };
      const witnesses = { ...inconclusive.witnesses, kernel };
      return runOf(verdictThatDropped([3], { ...inconclusive, dropped: 3, runId, witnesses }));
    };
    const of = (...overflows: (number | undefined)[]) =>
      decide(
        decision(
          overflows.map((count, index) => late(count, `2026112${index}T130000Z-abcd`)),
          { entries: [e5] },
        ),
      );
    expect(of(7, 9).verdict).toBe('fail');
    expect(failing(of(7, 9))).toEqual(Array(2).fill('budget connections that found a listen queue full'));
    expect(of(7, 9).entries[0]?.causes).toContain('20261121T130000Z-abcd: Requests left late: stop other work.');
    for (const unlike of [of(7, 0), of(0, 0), of(7, undefined)]) expect(unlike.verdict).toBe('inconclusive');
    const [one] = [late(7, '20261120T130000Z-abcd')];
    const broken = { kind: 'broken', message: 'The engine stopped answering.' } as const;
    expect(decide(decision([one, broken], { entries: [e5] })).verdict).toBe('inconclusive');
    const informs = { ...e5, budgets: [budget('listenOverflows', { max: 0, blocking: false })] };
    expect(decide(decision([one], { entries: [informs] })).verdict).toBe('inconclusive');
  });

  it('a repeat that holds counts, and is reported', () => {
    const second = { ...clean, runId: '20261123T130000Z-abcd' };
    const result = decide(decision([runOf(second), runOf(inconclusive)]));
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.notes[0]).toContain(`repeated: ${clean.runId} was inconclusive: Requests left late`);
  });

  it('runs of two states of the project', () => {
    const other = { ...clean, runId: '20261123T130000Z-abcd' };
    const result = decide(
      decision([runOf(clean, { fingerprint: { sources: 'a' } }), runOf(other, { fingerprint: { sources: 'b' } })]),
    );
    expect(result).toMatchObject({ verdict: 'inconclusive', notes: [expect.stringContaining('2 states')] });
  });

  it('a gate of nothing', () => {
    expect(decide(decision([], { asked: new Set() }))).toMatchObject({ verdict: 'inconclusive', notAsked: ['E5'] });
  });
});

describe('a site that never served in the lab', () => {
  const notReady = { kind: 'not-ready', message: 'The lab was not ready: EADDRINUSE' } as const;

  it('fails when it did not in any try', () => {
    const result = decide(decision([notReady, notReady]));
    expect(result.verdict).toBe('fail');
    expect(failing(result)).toEqual(['run run']);
    expect(result.entries[0]?.causes).toEqual([notReady.message]);
  });

  it('is a repeat when it then did', () => {
    const result = decide(decision([notReady, runOf(clean)]));
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.notes[0]).toContain('repeated: The lab was not ready');
  });

  it('is inconclusive beside a run that is', () => {
    expect(decide(decision([notReady, runOf(inconclusive)])).verdict).toBe('inconclusive');
  });
});

describe('against a baseline', () => {
  const baseline = baselineOfRuns([clean, clean, clean]);
  const against = (verdict: typeof clean, over = {}): GateResult =>
    decide(decision([runOf(verdict, over)], { baselines: new Map([['E5', baseline]]) }));
  const loose = [entry({ budgets: [budget('dropped', { max: 1_000 })] })];

  it('passes what is as it was', () => {
    const result = against(clean);
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.notes).toEqual([]);
    // Bad restarts, drops a restart, stale, three of writes, three waits.
    expect(result.comparisons).toBe(9);
    expect(result.entries[0]?.checks.filter(({ kind }) => kind === 'regression')).toHaveLength(9);
  });

  it('fails on half of the restarts spoilt, whatever the budgets allow', () => {
    const verdict = verdictThatDropped([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0], { verdict: 'pass' });
    const result = decide(decision([runOf(verdict)], { entries: loose, baselines: new Map([['E5', baseline]]) }));
    expect(failing(result)).toEqual(['regression restarts that dropped something', 'regression dropped requests']);
  });

  it('does not take one unlucky restart for a regression', () => {
    const verdict = verdictThatDropped([1, ...Array<number>(15).fill(0)], { verdict: 'pass' });
    const result = decide(decision([runOf(verdict)], { entries: loose, baselines: new Map([['E5', baseline]]) }));
    expect(failing(result)).toEqual([]);
  });

  it('fails when what must drop does not, or drops half, where a budget is two-sided', () => {
    const dropping = (count: number) =>
      verdictThatDropped(Array<number>(8).fill(count), { verdict: 'pass', perRestart: restarts(count) });
    const restarts = (count: number) =>
      verdictThatDropped(Array<number>(8).fill(count)).perRestart.map((each, index) => ({
        ...each,
        droppedInRestart: count + (count === 0 ? 0 : index % 3),
        predictedDropped: 150,
      }));
    const e1 = [entry({ budgets: [budget('dropped', { withinPercentOfPrediction: 90 })] })];
    const before = baselineOfRuns([dropping(150), dropping(151), dropping(149)]);
    const of = (count: number): string[] =>
      failing(decide(decision([runOf(dropping(count))], { entries: e1, baselines: new Map([['E5', before]]) }))).filter(
        (what) => what.startsWith('regression'),
      );
    expect(of(150)).toEqual([]);
    // Surely fewer, and not worth a failure: less than a fifth.
    expect(of(140)).toEqual([]);
    expect(of(75)).toEqual(['regression dropped requests']);
    expect(of(0)).toEqual(['regression restarts that dropped something', 'regression dropped requests']);
  });

  it('fails on lost writes that the baseline had not', () => {
    const lost = { ...writes, acknowledged: 1_000, lost: 12 };
    expect(failing(against({ ...clean, writes: lost }))).toEqual(['regression writes lost']);
  });

  it('fails on a wait far beyond those of the baseline, and not on one that is a little longer', () => {
    expect(failing(against({ ...clean, longestWaitMs: 900 }))).toEqual(['regression longest wait']);
    expect(failing(against({ ...clean, longestWaitMs: 100 }))).toEqual([]);
  });

  it('does not compare waits with fewer than three runs, or on a busier machine', () => {
    const outcomes = (result: GateResult): (string | undefined)[] =>
      result.entries[0]?.checks.filter(({ what }) => what === 'longest wait').map(({ outcome }) => outcome) ?? [];
    const slow = { ...clean, longestWaitMs: 900 };
    const two = new Map([['E5', baselineOfRuns([clean, clean])]]);
    expect(outcomes(decide(decision([runOf(slow)], { baselines: two })))).toEqual(['not-compared']);
    const busy = { ...slow, witnesses: { proxy: null, kernel: { 'Machine.CpuPressureUs': 1_000_000 } } };
    expect(outcomes(against(busy))).toEqual(['not-compared']);
  });

  it('warns of another lab, and lets its waits inform only', () => {
    const fingerprint = { traefik: '3.7.15', systemd: '252', node: 'v24', kernel: '7' };
    const result = against({ ...clean, longestWaitMs: 900 }, { fingerprint });
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.notes).toEqual([
      'the baseline is of another lab: kernel 6 → 7; waits, and drops that follow them, are compared for information only',
    ]);
    expect(result.entries[0]?.checks).toContainEqual(
      expect.objectContaining({ what: 'longest wait', outcome: 'missed', blocking: false }),
    );
  });

  it('is not compared under another load, and says so; another wiring is the regression itself', () => {
    const { run } = runOf(clean);
    if (run.kind !== 'experiment') throw new Error('an experiment');
    const faster = { ...run.experiment, load: { ...run.experiment.load, ratePerSecond: 1_000 } };
    const result = against(clean, { experiment: faster });
    expect(result.entries[0]?.notes[0]).toContain('load.ratePerSecond 100 → 1000; so it is not compared');
    expect(result.entries[0]?.checks.some(({ kind }) => kind === 'regression')).toBe(false);
    const tied = { ...run.experiment, unit: { ...run.experiment.unit, socketTie: 'part-of' as const } };
    const wired = against(clean, { experiment: tied });
    expect(wired.entries[0]?.notes).toEqual(['the baseline was asked otherwise: unit.socketTie none → part-of']);
    expect(wired.entries[0]?.checks.some(({ kind }) => kind === 'regression')).toBe(true);
  });

  it('corrects for all comparisons of the file, whatever part of it is judged', () => {
    const entries = [entry(), entry({ name: 'E1' })];
    const baselines = new Map([
      ['E5', baseline],
      ['E1', { ...baseline, name: 'E1' }],
    ]);
    const part = decide(decision([runOf(clean)], { entries, baselines }));
    const attempts = new Map([
      ['E5', [runOf(clean)]],
      ['E1', [runOf(clean)]],
    ]);
    const whole = decide(decision([], { entries, baselines, attempts, asked: new Set(['E5', 'E1']) }));
    expect(part).toMatchObject({ comparisons: 18, notAsked: ['E1'] });
    expect(whole.entries[0]).toEqual(part.entries[0]);
  });
});

describe('order', () => {
  it('is that of the file, whatever order the runs come in', () => {
    const entries = ['E5', 'E1', 'E0'].map((name) => entry({ name }));
    const of = (names: readonly string[]): GateResult =>
      decide(
        decision([], {
          entries,
          asked: new Set(names),
          attempts: new Map(names.map((name) => [name, [runOf(clean)]])),
        }),
      );
    const result = of(['E0', 'E5', 'E1']);
    expect(result.entries.map(({ name }) => name)).toEqual(['E5', 'E1', 'E0']);
    expect(JSON.stringify(result)).toBe(JSON.stringify(of(['E1', 'E0', 'E5'])));
  });
});

describe('a try that cannot be trusted, and a clean one after it', () => {
  const first = '20261123T115900Z-0000';
  const cause = 'the proxy was refused by the site’s port';
  /** Two drops; of one of them a witness shows the cause. */
  const unsure = (over: Partial<typeof clean> = {}) =>
    runOf(
      verdictThatDropped([2, 0], {
        verdict: 'inconclusive',
        reasons: ['Requests left late.'],
        runId: first,
        provenDropped: 2,
        due: 800,
        reconciliation: {
          ...clean.reconciliation,
          causes: { [cause]: 1 },
          examples: { [cause]: { seq: 1, file: 'witnesses/traefik.log.gz', line: 2 } },
        },
        ...over,
      }),
    );
  const none = { ...clean.reconciliation, causes: {}, examples: {} };

  it('fail where the first dropped a request with a proven cause, and name the try', () => {
    const result = decide(decision([unsure(), runOf(clean)]));
    expect(result.verdict).toBe('fail');
    expect(failing(result)).toEqual(['budget dropped requests with a proven cause in try 1']);
    const [entryOfIt] = result.entries;
    expect(entryOfIt?.checks.find(({ what }) => what.endsWith('try 1'))).toMatchObject({
      measured: '1 of 800',
      allowed: 'at most 0',
      runId: first,
      line: 3,
    });
    expect(entryOfIt?.causes[0]).toContain(`1 dropped: ${cause}`);
    expect(entryOfIt?.tries).toMatchObject([
      { number: 1, verdict: 'inconclusive', runId: first, dropped: 2, due: 800, why: 'Requests left late.' },
      { number: 2, verdict: 'pass', runId: clean.runId, dropped: 0 },
    ]);
    expect(decide(decision([runOf(clean), unsure()])).verdict).toBe('fail');
  });

  it('pass where no witness shows a cause, or the cause is a container that ended', () => {
    expect(decide(decision([unsure({ reconciliation: none }), runOf(clean)])).verdict).toBe('pass');
    const engine = { seq: 1, file: 'witnesses/engine.ndjson', line: 1 };
    const ended = { ...none, causes: { [cause]: 2 }, examples: { [cause]: engine } };
    expect(decide(decision([unsure({ reconciliation: ended }), runOf(clean)])).verdict).toBe('pass');
  });

  it('pass where the experiment expects drops, and no budget forbids them', () => {
    const entries = [entry({ budgets: [budget('dropped', { max: 100 })] })];
    const run = unsure();
    if (run.run.kind === 'experiment') run.run.experiment.expect = { bounds: [] };
    expect(decide(decision([run, runOf(clean)], { entries })).verdict).toBe('pass');
  });

  it('fail by the experiment’s own expectation where no budget is about drops', () => {
    const entries = [entry({ budgets: [budget('longestWaitMs', { max: 1e6 })] })];
    const result = decide(decision([unsure(), runOf(clean)], { entries }));
    expect(failing(result)).toEqual(['budget dropped requests with a proven cause in try 1']);
  });

  it.each(['lost', 'early', 'duplicated', 'misattributed'] as const)(
    'fail where the first had a write %s',
    (figure) => {
      const spoilt = unsure({ reconciliation: none, writes: { ...writes, [figure]: 1 } });
      expect(decide(decision([spoilt, runOf(clean)])).verdict).toBe('fail');
      const allowed = [entry({ budgets: [budget(figure, { max: 1 })] })];
      expect(decide(decision([spoilt, runOf(clean)], { entries: allowed })).verdict).toBe('pass');
    },
  );

  it('fail where the first had a stale answer, or a wrong body', () => {
    const stale = unsure({ reconciliation: none, stale: 1 });
    expect(failing(decide(decision([stale, runOf(clean)])))).toEqual(['budget stale answers in try 1']);
    const wrong = unsure({ reconciliation: none, outcomes: { ok: 798, wrong: 2 } });
    expect(failing(decide(decision([wrong, runOf(clean)])))).toEqual(['budget wrong bodies in try 1']);
  });

  it('inform only where the budget does, and where there is no trusted try either', () => {
    const entries = [entry({ budgets: [budget('dropped', { max: 0, blocking: false })] })];
    expect(decide(decision([unsure(), runOf(clean)], { entries })).verdict).toBe('pass');
    expect(decide(decision([unsure(), unsure()])).verdict).toBe('fail');
  });
});
