import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import type { LedgerRow } from '../run/ledger.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { verdictOf } from './judge.ts';
import { LedgerSummarizer } from './ledger-summary.ts';
import type { ProxyWitness } from './proxy-witness.ts';
import type { RestartWindow } from './restart-windows.ts';
import { badRow, direct, evidence, row, runRecord, window } from './testing.ts';
import { verdictSchema, type Verdict } from './verdict.ts';

const slots = 300;

/** 300 rows at 100 a second; those due in the outage window are what `inOutage` makes of them. */
function rows(inOutage: (seq: number) => LedgerRow): LedgerRow[] {
  return Array.from({ length: slots }, (_, seq) => {
    const dueUs = seq * 10_000;
    return dueUs >= 1_050_000 && dueUs < 1_750_000 ? inOutage(seq) : row(seq);
  });
}

function judge(
  experiment: Experiment,
  ledger: readonly LedgerRow[],
  over: { run?: Partial<ExperimentRun>; windows?: readonly RestartWindow[]; proxy?: Partial<ProxyWitness> } = {},
): Verdict {
  const windows = over.windows ?? [window];
  const spans = windows.map(() => ({ fromUs: 990_000, toUs: 1_760_000 }));
  const summarizer = new LedgerSummarizer({ slots, ratePerSecond: 100, windows, spans });
  for (const one of ledger) summarizer.add(one);
  const agreed = { arrived: 0, ledgerSent: 0, missing: 0, extra: 0, repeated: 0, disagreeing: 0 };
  return verdictSchema.parse(
    verdictOf({
      run: runRecord(experiment, over.run),
      windows,
      ledger: summarizer.result(),
      ...evidence,
      // A site that owns its port refuses while it is down.
      direct:
        experiment.unit.activation === 'none' ? { ...direct, dropped: 14, outcomes: { ok: 46, refused: 14 } } : direct,
      proxy: { ...agreed, ...over.proxy },
    }),
  );
}

/** What waits until the site accepts again. */
const waited = (seq: number): LedgerRow => row(seq, { doneUs: 1_760_000 + seq });

/** A ledger whose every row is made by `make`. */
const every = (make: (seq: number) => LedgerRow): LedgerRow[] => Array.from({ length: 300 }, (_, seq) => make(seq));

describe('the verdict', () => {
  it('passes E5 when everything due in the window waited and was answered', () => {
    const verdict = judge(e5, rows(waited));
    expect(verdict).toMatchObject({ verdict: 'pass', reasons: [], dropped: 0, badRestarts: 0, due: 300 });
    expect(verdict.perRestart[0]).toMatchObject({ outageMs: 700, dueInOutage: 70, predictedDropped: 0 });
    expect(verdict.longestWaitMs).toBeCloseTo(710.105, 3);
    expect(verdict.badRestartsUpper95).toBeCloseTo(0.95, 6);
  });

  it.each([
    'status-502',
    'refused',
    'reset',
    'closed',
    'truncated',
    'timeout',
    'connect-timeout',
    'wrong',
    'parse',
    'unreachable',
    'status-404',
  ] as const)('fails E5 for a single request that ended as %s', (outcome) => {
    const verdict = judge(
      e5,
      rows((seq) => (seq === 120 ? badRow(seq, { outcome }) : waited(seq))),
    );
    expect(verdict).toMatchObject({ verdict: 'fail', dropped: 1, badRestarts: 1 });
    expect(verdict.outcomes[outcome]).toBe(1);
  });

  it('fails E5 when an answer took longer than the window and its slack', () => {
    const verdict = judge(
      e5,
      rows((seq) => (seq === 106 ? row(seq, { doneUs: 1_060_000 + 841_000 }) : waited(seq))),
    );
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reasons.join()).toContain('longest wait');
  });

  it('does not count as waiting what the request itself asked for', () => {
    const slow = (seq: number): LedgerRow => row(seq, { path: '/slow?ms=300', doneUs: seq * 10_000 + 302_000 });
    expect(judge(e5, rows(slow)).longestWaitMs).toBe(2);
  });

  it('passes E1 when the window was lost, and fails it when nothing was: both ways', () => {
    const lost = judge(
      e1,
      rows((seq) => badRow(seq)),
    );
    expect(lost).toMatchObject({ verdict: 'pass', dropped: 70, badRestarts: 1 });
    expect(lost.predicted).toMatchObject({ dropped: 70, differencePercent: 0 });
    expect(judge(e1, rows(waited))).toMatchObject({ verdict: 'fail', dropped: 0 });
    expect(
      judge(
        e1,
        rows((seq) => (seq % 2 === 0 ? badRow(seq) : row(seq))),
      ),
    ).toMatchObject({ verdict: 'fail' });
  });

  describe('of a load that was late', () => {
    const late = (ledger: readonly LedgerRow[]): LedgerRow[] =>
      ledger.map((one) => (one.seq === 10 ? row(10, { sentUs: 250_001, doneUs: 252_000 }) : one));
    const dropping = (over: Partial<LedgerRow>) => rows((seq) => (seq === 120 ? badRow(seq, over) : waited(seq)));

    it('fails all the same for a drop that no lateness can cause, and says that it was late', () => {
      const verdict = judge(e5, late(dropping({})));
      expect(verdict).toMatchObject({ verdict: 'fail', provenDropped: 1, headline: '1 of 300 requests dropped' });
      expect(verdict.reasons).toEqual([
        'Expected of dropped requests: at most 0; measured: 1.',
        'Expected of restarts that dropped something: at most 0; measured: 1 of 1.',
        expect.stringMatching(/^The load was not on time, which does not explain this: A request left 150.0 ms late/u),
      ]);
    });

    it('is inconclusive where nothing was dropped', () => {
      expect(judge(e5, late(rows(waited)))).toMatchObject({
        verdict: 'inconclusive',
        headline: 'the load was not on time',
      });
    });

    it('is inconclusive where something else is doubted too', () => {
      expect(judge(e5, late(dropping({})).slice(1))).toMatchObject({ verdict: 'inconclusive' });
    });

    it('is inconclusive for a deadline that passed while the generator itself stood still', () => {
      const gaveUp = dropping({ outcome: 'timeout', doneUs: 31_200_000 });
      expect(judge(e5, late(gaveUp))).toMatchObject({ verdict: 'fail', provenDropped: 1 });
      const stood = gaveUp.map((one) => (one.seq === 10 ? row(10, { sentUs: 3_100_001, doneUs: 3_102_000 }) : one));
      expect(judge(e5, stood)).toMatchObject({ verdict: 'inconclusive', dropped: 1, provenDropped: 0 });
    });

    it('is inconclusive where fewer drops were counted than predicted', () => {
      expect(judge(e1, late(rows(waited)))).toMatchObject({ verdict: 'inconclusive' });
    });
  });

  it('never passes where nothing was answered as expected', () => {
    const verdict = judge(
      e1,
      every((seq) => badRow(seq)),
    );
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'no request was answered as expected', gapMs: 2_990 });
    expect(verdict.longestWaitMs).toBeNull();
  });

  it('counts a request that was in flight at SIGTERM and died as that restart’s', () => {
    const ledger = rows(waited).map((one) =>
      one.seq === 90 ? badRow(90, { outcome: 'closed', status: null, doneUs: 1_055_000 }) : one,
    );
    const verdict = judge(e5, ledger);
    expect(verdict.perRestart[0]).toMatchObject({ droppedInRestart: 1, inFlightAtSigterm: 1 });
    expect(verdict.atRisk.dropped).toBe(0);
    expect(verdict.verdict).toBe('fail');
  });

  it.each<[string, Parameters<typeof judge>[1], Parameters<typeof judge>[2], string]>([
    ['a slot has no row', rows(waited).slice(1), {}, 'does not balance'],
    ['a slot has two rows', [...rows(waited), row(5)], {}, 'does not balance'],
    ['a row is of no slot', [...rows(waited).slice(1), row(300)], {}, 'does not balance'],
    [
      'the generator could not send',
      rows((seq) => row(seq, { outcome: 'unsent', sentUs: null })),
      {},
      'could not send',
    ],
    ['the generator failed by itself', rows((seq) => row(seq, { outcome: 'local' })), {}, 'failed by itself'],
    [
      'the generator stood still for a moment',
      rows(waited).map((one) => (one.seq === 10 ? row(10, { sentUs: 100_000 + 100_001 }) : one)),
      {},
      'stood still',
    ],
    ['requests left late', rows((seq) => row(seq, { sentUs: seq * 10_000 + 5_001 })), {}, 'left late'],
    [
      'a request of the only restart left late',
      rows((seq) => (seq === 120 ? row(seq, { sentUs: 1_200_000 + 50_001 }) : waited(seq))),
      {},
      'Of 1 restarts 1 met',
    ],
    ['a deploy failed', rows(waited), { run: { troubles: ['Restart 1 failed: no'] } }, 'Restart 1 failed'],
    ['a restart never began', rows(waited), { run: { deployBeginsMs: [990, 2_000] } }, 'Only 1 of 2'],
    ['a window was not seen', rows(waited), { windows: [{ ...window, acceptingUs: null }] }, 'was not seen'],
    ['the tail was not seen', rows(waited), { windows: [{ ...window, readyUs: 3_000_001 }] }, 'tail'],
    ['a request is not in the proxy’s log', rows(waited), { proxy: { missing: 1 } }, 'disagree'],
    ['a request arrived twice', rows(waited), { proxy: { repeated: 1 } }, 'disagree'],
    ['the wall clock stepped', rows(waited), { run: { wallOffsetUs: [0, 30_000] } }, 'wall clock'],
  ])('is inconclusive, never pass, when %s', (_, ledger, over, reason) => {
    const verdict = judge(e5, ledger, over);
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reasons.join()).toContain(reason);
    expect(verdict.citation).toContain('not citable');
  });

  it('takes a restart whose requests left late for no evidence, unless it dropped something', () => {
    const late = (seq: number): LedgerRow => (seq === 120 ? row(seq, { sentUs: 1_200_000 + 50_001 }) : row(seq));
    expect(judge(e5, every(late))).toMatchObject({ restarts: 0, voidRestarts: 1, badRestarts: 0 });
    const lateAndBad = judge(
      e5,
      every((seq) => (seq === 121 ? badRow(seq) : late(seq))),
    );
    expect(lateAndBad).toMatchObject({ restarts: 1, voidRestarts: 0, badRestarts: 1 });
    expect(lateAndBad.perRestart[0]?.voided).toBe(true);
  });

  it('tells how long nobody answered, without the slot that lies between two answers anyway', () => {
    const gone = (seq: number): LedgerRow => (seq >= 100 && seq < 130 ? badRow(seq, { outcome: 'refused' }) : row(seq));
    // 30 slots of 10 ms: the absence was longer than 290 ms and shorter than 310 ms.
    expect(judge(e1, every(gone)).gapMs).toBe(300);
    expect(
      judge(
        e1,
        every((seq) => row(seq)),
      ).gapMs,
    ).toBe(0);
  });

  it('computes what a client that retries idempotent requests would have seen, and takes nothing off the count', () => {
    const ledger = every((seq) => {
      const died = { outcome: 'closed', status: null, firstByteUs: null } as const;
      if (seq === 10) return badRow(seq, died);
      if (seq === 11) return badRow(seq, { ...died, method: 'POST' });
      if (seq === 12) return badRow(seq, { ...died, connectedUs: 1 });
      if (seq === 13) return badRow(seq, { ...died, firstByteUs: 131_000, outcome: 'truncated' });
      return row(seq);
    });
    expect(judge(e5, ledger)).toMatchObject({ dropped: 4, retryingClient: { resent: 1, droppedAtBest: 3 } });
  });

  it('never holds against the server what the generator did not send', () => {
    expect(
      judge(
        e5,
        rows((seq) => row(seq, { outcome: 'unsent', sentUs: null })),
      ).dropped,
    ).toBe(0);
  });

  it('is aborted when cut short, whatever was counted', () => {
    const verdict = judge(e5, rows(waited).slice(0, 150), { run: { aborted: 'The run was cut short (SIGINT).' } });
    expect(verdict).toMatchObject({ verdict: 'aborted', due: 150, dropped: 0 });
  });
});
