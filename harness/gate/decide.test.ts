import { describe, expect, it } from 'vitest';
import type { ExperimentRun } from '../run/run-record.ts';
import { writes } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { decide, type Attempt, type Decision } from './decide.ts';
import type { Budget, Entry } from './files/budgets.ts';
import { failures, type GateResult } from './gate-result.ts';
import { baselineOfRuns, budget, decision, entry, runOf, verdictThatDropped } from './testing.ts';

const clean = verdictThatDropped(Array<number>(16).fill(0), { writes: { ...writes, acknowledged: 1_000 } });
const late = { ...clean, verdict: 'inconclusive' as const, reasons: ['Requests left late: stop other work.'] };
const refused = 'the proxy was refused by the site’s port';
const byProxy = { [refused]: { seq: 12, file: 'witnesses/traefik.log.gz', line: 40 } };
const notReady = { kind: 'not-ready', message: 'The lab was not ready: EADDRINUSE' } as const;

const decided = (attempts: readonly Attempt[], over: Partial<Decision> = {}): GateResult =>
  decide(decision(attempts, over));
/** The entry E5 with these budgets. */
const limited = (...budgets: Budget[]): { entries: Entry[] } => ({ entries: [entry({ budgets })] });
const baselinesOf = (...verdicts: Verdict[]) => new Map([['E5', baselineOfRuns(verdicts)]]);
/** The checks that fail, as `kind what`. */
const failing = (result: GateResult): string[] =>
  result.entries.flatMap((each) => failures(each).map(({ kind, what }) => `${kind} ${what}`));

describe('without a baseline', () => {
  it('passes a clean run, and says that there is no baseline', () => {
    const result = decided([runOf(clean)]);
    expect(result).toMatchObject({ verdict: 'pass', comparisons: 0, significantBelow: null, notAsked: [] });
    expect(result.entries[0]?.notes).toEqual([expect.stringContaining('there is no baseline')]);
  });

  it('fails on a budget, with figure, measured, allowed, line and cause', () => {
    const verdict = verdictThatDropped([0, 20, 0, 15], {
      verdict: 'pass',
      reconciliation: { ...clean.reconciliation, causes: { [refused]: 35 }, examples: byProxy },
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
    const result = decided([runOf(verdict)]);
    expect(result.verdict).toBe('fail');
    expect(failing(result)).toEqual(['budget dropped requests', 'budget restarts that dropped something']);
    expect(result.entries[0]?.checks).toContainEqual(
      expect.objectContaining({ what: 'dropped requests', measured: '35', allowed: 'at most 0', line: 3 }),
    );
    const folder = `E5/${verdict.runId}`;
    expect(result.entries[0]?.causes).toEqual([
      `35 dropped: ${refused}; row 12, ${folder}/witnesses/traefik.log.gz:40`,
      `20 dropped from 1.000 s to 1.700 s: opened by socket-stopped at 0.990 s (${folder}/timeline.ndjson:7), ` +
        `closed by socket-started at 1.690 s (${folder}/timeline.ndjson:9)`,
    ]);
  });

  it('fails on a run whose own verdict is fail, although every budget is met', () => {
    const result = decided([runOf({ ...clean, verdict: 'fail', reasons: ['Expected of longest wait: …'] })]);
    expect(failing(result)).toEqual(['verdict verdict of the run']);
    expect(result.entries[0]?.causes).toEqual(['Expected of longest wait: …']);
  });

  it('reports a budget, or an entry, that only informs, and passes', () => {
    const result = decided([runOf(clean)], limited(budget('longestWaitMs', { max: 5, blocking: false })));
    expect(result.verdict).toBe('pass');
    expect(result.entries[0]?.checks.map(({ outcome }) => outcome)).toEqual(['met', 'missed']);
    const informs = decided([runOf(verdictThatDropped([1]))], { entries: [entry({ blocking: false })] });
    expect([informs.entries[0]?.verdict, informs.verdict]).toEqual(['fail', 'pass']);
  });
});

describe('what cannot be told is never a pass', () => {
  const second = '20261123T130000Z-abcd';

  it.each<[string, Attempt[], Partial<Decision>]>([
    ['an entry without a run', [], {}],
    ['a gate of nothing', [], { asked: new Set() }],
    ['a site that never served beside a run that cannot be trusted', [notReady, runOf(late)], {}],
    [
      'runs of two states of the project',
      ['a', 'b'].map((sources) => runOf({ ...clean, runId: `${second}${sources}` }, { fingerprint: { sources } })),
      {},
    ],
  ])('%s', (_, attempts, over) => {
    expect(decided(attempts, over).verdict).toBe('inconclusive');
  });

  it('two inconclusive runs, with their reasons, and what they would have missed', () => {
    const over = verdictThatDropped([3], { runId: second, verdict: 'inconclusive', reasons: ['Late.'] });
    const result = decided([runOf(late), runOf(over)]);
    expect(result.verdict).toBe('inconclusive');
    expect(result.entries[0]?.causes).toEqual([
      `${clean.runId}: Requests left late: stop other work.`,
      `${second}: Late.`,
      `${second}, were it to be trusted: dropped requests 3; allowed at most 0`,
      `${second}, were it to be trusted: restarts that dropped something 1 of 1; allowed at most 0`,
    ]);
  });

  const queue = entry({ budgets: [budget('dropped', { max: 0 }), budget('listenOverflows', { max: 0 })] });
  const informs = entry({ budgets: [budget('listenOverflows', { max: 0, blocking: false })] });
  const broken = { kind: 'broken', message: 'The engine stopped answering.' } as const;
  const overflowed = (...counts: (number | undefined)[]): Attempt[] =>
    counts.map((count, index) => {
      const kernel = count === undefined ? {} : { 'TcpExt.ListenOverflows': count };
      const runId = `2026112${index}T130000Z-abcd`;
      return runOf(verdictThatDropped([3], { ...late, dropped: 3, runId, witnesses: { ...late.witnesses, kernel } }));
    });

  it.each([
    ['seen full in every try', overflowed(7, 9), queue, 'fail'],
    ['full in one of two', overflowed(7, 0), queue, 'inconclusive'],
    ['full in none', overflowed(0, 0), queue, 'inconclusive'],
    ['not counted once', overflowed(7, undefined), queue, 'inconclusive'],
    ['full beside a try without a run', [...overflowed(7), broken], queue, 'inconclusive'],
    ['that only informs', overflowed(7), informs, 'inconclusive'],
  ])('but a queue of the kernel’s %s is %4$s, however late the load was', (_, attempts, of, verdict) => {
    const result = decided(attempts, { entries: [of] });
    expect(result.verdict).toBe(verdict);
    expect(failing(result)).toEqual(
      verdict === 'fail' ? Array(2).fill('budget connections that found a listen queue full') : [],
    );
  });

  it('a repeat that holds counts, and the try before it is reported', () => {
    const repeats = [runOf({ ...clean, runId: second })];
    for (const [before, note] of [
      [runOf(late), `repeated: ${clean.runId} was inconclusive: Requests left late`],
      [notReady, 'repeated: The lab was not ready'],
    ] as const) {
      const result = decided([before, ...repeats]);
      expect(result.verdict).toBe('pass');
      expect(result.entries[0]?.notes[0]).toContain(note);
    }
  });
});

it('a site that never served in any try fails', () => {
  const result = decided([notReady, notReady]);
  expect(result.verdict).toBe('fail');
  expect(failing(result)).toEqual(['run run']);
  expect(result.entries[0]?.causes).toEqual([notReady.message]);
});

describe('against a baseline', () => {
  const baselines = baselinesOf(clean, clean, clean);
  const against = (verdict: Verdict, over: Partial<ExperimentRun> = {}): GateResult =>
    decided([runOf(verdict, over)], { baselines });
  const loose = limited(budget('dropped', { max: 1_000 }));

  it('passes what is as it was', () => {
    const result = against(clean);
    expect(result).toMatchObject({ verdict: 'pass', entries: [{ notes: [] }] });
    // Bad restarts, drops a restart, stale, three of writes, three waits.
    expect(result.comparisons).toBe(9);
    expect(result.entries[0]?.checks.filter(({ kind }) => kind === 'regression')).toHaveLength(9);
  });

  it.each([
    ['half of the restarts spoilt', 2, ['regression restarts that dropped something', 'regression dropped requests']],
    ['one unlucky restart of 16', 16, []],
  ])('judges %s, whatever the budgets allow', (_, oneIn, failed) => {
    const counts = Array.from({ length: 16 }, (__, index) => (index % oneIn === 0 ? 1 : 0));
    const result = decided([runOf(verdictThatDropped(counts, { verdict: 'pass' }))], { ...loose, baselines });
    expect(failing(result)).toEqual(failed);
  });

  it.each([
    [150, []],
    // Surely fewer, and not worth a failure: less than a fifth.
    [140, []],
    [75, ['regression dropped requests']],
    [0, ['regression restarts that dropped something', 'regression dropped requests']],
  ])('of 150 dropped a restart, %d where a budget is two-sided', (now, failed) => {
    const dropping = (count: number): Verdict => {
      const verdict = verdictThatDropped(Array<number>(8).fill(count), { verdict: 'pass' });
      const spread = (index: number): number => count + (count === 0 ? 0 : index % 3);
      const perRestart = verdict.perRestart.map((each, index) => {
        return { ...each, droppedInRestart: spread(index), predictedDropped: 150 };
      });
      return { ...verdict, perRestart };
    };
    const twoSided = limited(budget('dropped', { withinPercentOfPrediction: 90 }));
    const before = baselinesOf(dropping(150), dropping(151), dropping(149));
    const all = failing(decided([runOf(dropping(now))], { ...twoSided, baselines: before }));
    expect(all.filter((what) => what.startsWith('regression'))).toEqual(failed);
  });

  it.each<[string, Partial<Verdict>, string[]]>([
    ['lost writes', { writes: { ...writes, acknowledged: 1_000, lost: 12 } }, ['regression writes lost']],
    ['a wait far beyond those of the baseline', { longestWaitMs: 900 }, ['regression longest wait']],
    ['a wait that is a little longer', { longestWaitMs: 100 }, []],
  ])('judges %s', (_, over, failed) => {
    expect(failing(against({ ...clean, ...over }))).toEqual(failed);
  });

  it('does not take what is not known for none', () => {
    const unknown = { ...clean, stale: null, writes: { ...writes, acknowledged: 1_000, duplicated: null } };
    const found = (result: GateResult): unknown[] =>
      result.entries[0]?.checks
        .filter(({ kind, what }) => kind === 'regression' && /stale|twice/u.test(what))
        .map(({ measured, outcome }) => [measured, outcome]) ?? [];
    const notKnown = ['not known', 'not-compared'];
    expect(found(against(unknown))).toEqual([notKnown, notKnown]);
    const before = baselinesOf(unknown);
    const known = { ...unknown, writes: { ...writes, acknowledged: 1_000, duplicated: 9 } };
    expect(found(decided([runOf(known)], { baselines: before }))).toEqual([['9 of 1000', 'not-compared']]);
  });

  it('does not compare waits with fewer than three runs, or on a busier machine', () => {
    const outcomes = (result: GateResult): (string | undefined)[] =>
      result.entries[0]?.checks.filter(({ what }) => what === 'longest wait').map(({ outcome }) => outcome) ?? [];
    const slow = { ...clean, longestWaitMs: 900 };
    const two = baselinesOf(clean, clean);
    expect(outcomes(decided([runOf(slow)], { baselines: two }))).toEqual(['not-compared']);
    const kernel = { 'Machine.CpuPressureUs': 1_000_000 };
    expect(outcomes(against({ ...slow, witnesses: { proxy: null, kernel } }))).toEqual(['not-compared']);
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
    const { experiment } = run;
    const isCompared = (result: GateResult): boolean | undefined =>
      result.entries[0]?.checks.some(({ kind }) => kind === 'regression');
    const load = { ...experiment.load, ratePerSecond: 1_000 };
    const faster = against(clean, { experiment: { ...experiment, load } });
    expect(faster.entries[0]?.notes[0]).toContain('load.ratePerSecond 100 → 1000; so it is not compared');
    expect(isCompared(faster)).toBe(false);
    const sites = (count: number): GateResult =>
      against(clean, { experiment: { ...experiment, sites: { ...experiment.sites, count } } });
    // A restart of one of three meets a third of the load.
    expect(sites(3).entries[0]?.notes[0]).toContain('sites.count absent → 3; so it is not compared');
    expect(isCompared(sites(3))).toBe(false);
    expect(isCompared(sites(1))).toBe(true);
    const tied = against(clean, { experiment: { ...experiment, unit: { ...experiment.unit, socketTie: 'part-of' } } });
    expect(tied.entries[0]?.notes).toEqual(['the baseline was asked otherwise: unit.socketTie none → part-of']);
    expect(isCompared(tied)).toBe(true);
  });

  it('corrects for all comparisons of the file, whatever part of it is judged', () => {
    const entries = [entry(), entry({ name: 'E1' })];
    const both = new Map([...baselines, ['E1', { ...baselineOfRuns([clean, clean, clean]), name: 'E1' }] as const]);
    const part = decided([runOf(clean)], { entries, baselines: both });
    const attempts = new Map(['E5', 'E1'].map((name) => [name, [runOf(clean)]]));
    const whole = decided([], { entries, baselines: both, attempts, asked: new Set(['E5', 'E1']) });
    expect(part).toMatchObject({ comparisons: 18, notAsked: ['E1'] });
    expect(whole.entries[0]).toEqual(part.entries[0]);
  });
});

it('the order is that of the file, whatever order the runs come in', () => {
  const entries = ['E5', 'E1', 'E0'].map((name) => entry({ name }));
  const of = (names: readonly string[]): GateResult =>
    decided([], { entries, asked: new Set(names), attempts: new Map(names.map((name) => [name, [runOf(clean)]])) });
  const result = of(['E0', 'E5', 'E1']);
  expect(result.entries.map(({ name }) => name)).toEqual(['E5', 'E1', 'E0']);
  expect(JSON.stringify(result)).toBe(JSON.stringify(of(['E1', 'E0', 'E5'])));
});

describe('a try that cannot be trusted, and a clean one after it', () => {
  const first = '20261123T115900Z-0000';
  const proven = { ...clean.reconciliation, causes: { [refused]: 1 }, examples: byProxy };
  const none = { ...clean.reconciliation, causes: {}, examples: {} };
  const engine = { [refused]: { seq: 1, file: 'witnesses/engine.ndjson', line: 1 } };
  const ended = { ...none, causes: { [refused]: 2 }, examples: engine };
  /** Two drops; a witness shows the cause of one of them. */
  const unsure = (over: Partial<Verdict> = {}): Attempt & { kind: 'run' } => {
    const common = { verdict: 'inconclusive' as const, reasons: ['Requests left late.'], runId: first };
    const counts = { provenDropped: 2, due: 800, reconciliation: proven };
    return runOf(verdictThatDropped([2, 0], { ...common, ...counts, ...over }));
  };
  const drops = ['budget dropped requests with a proven cause in try 1'];

  it('fail where the first dropped a request with a proven cause, and name the try', () => {
    const result = decided([unsure(), runOf(clean)]);
    expect(result.verdict).toBe('fail');
    expect(failing(result)).toEqual(drops);
    const [told] = result.entries;
    expect(told?.checks.find(({ what }) => what.endsWith('try 1'))).toMatchObject({
      measured: '1 of 800',
      allowed: 'at most 0',
      runId: first,
      line: 3,
    });
    expect(told?.causes[0]).toContain(`1 dropped: ${refused}`);
    expect(told?.tries).toMatchObject([
      { number: 1, verdict: 'inconclusive', runId: first, dropped: 2, due: 800, why: 'Requests left late.' },
      { number: 2, verdict: 'pass', runId: clean.runId, dropped: 0 },
    ]);
    expect(decided([runOf(clean), unsure()]).verdict).toBe('fail');
    expect(decided([unsure(), unsure()]).verdict).toBe('fail');
  });

  it.each<[string, Partial<Verdict>, Partial<Decision>, string[]]>([
    ['no witness shows a cause', { reconciliation: none }, {}, []],
    ['the cause is a container that ended', { reconciliation: ended }, {}, []],
    ['the budget only informs', {}, limited(budget('dropped', { max: 0, blocking: false })), []],
    [
      'no budget is about drops, and the experiment expects none',
      {},
      limited(budget('longestWaitMs', { max: 1e6 })),
      drops,
    ],
    ['an answer was stale', { reconciliation: none, stale: 1 }, {}, ['budget stale answers in try 1']],
    [
      'a body was wrong',
      { reconciliation: none, outcomes: { ok: 798, wrong: 2 } },
      {},
      ['budget wrong bodies in try 1'],
    ],
  ])('where %s', (_, over, of, failed) => {
    const result = decided([unsure(over), runOf(clean)], of);
    expect(failing(result).filter((what) => what.endsWith('try 1'))).toEqual(failed);
  });

  it('pass where the experiment expects drops, and no budget forbids them', () => {
    const run = unsure();
    if (run.run.kind === 'experiment') run.run.experiment.expect = { bounds: [] };
    expect(decided([run, runOf(clean)], limited(budget('dropped', { max: 100 }))).verdict).toBe('pass');
  });

  it.each(['lost', 'early', 'altered', 'duplicated', 'misattributed'] as const)(
    'fail where the first had a write %s, unless the budget allows it',
    (figure) => {
      const spoilt = unsure({ reconciliation: none, writes: { ...writes, [figure]: 1 } });
      expect(decided([spoilt, runOf(clean)]).verdict).toBe('fail');
      expect(decided([spoilt, runOf(clean)], limited(budget(figure, { max: 1 }))).verdict).toBe('pass');
    },
  );
});
