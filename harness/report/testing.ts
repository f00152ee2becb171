/** For tests: a run of three seconds with one restart that dropped one request, and its verdict. */
import e5 from '../../experiments/E5-socket-activation.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { Evidence } from '../verdict/evidence.ts';
import { verdictOf } from '../verdict/judge.ts';
import {
  direct,
  evidence,
  ledgerOf,
  proxy,
  reconciliation,
  restartCounts,
  runRecord,
  window,
} from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';

/** The cause of the one drop. */
export const cause = 'refused: nobody listened at the backend’s port';

/** The run, and the verdict that its made-up evidence gives. */
export function reportedRun(over: Partial<Evidence> = {}): { run: ExperimentRun; verdict: Verdict } {
  const run = runRecord(e5);
  const verdict = verdictOf({
    run,
    windows: [window],
    ledger: ledgerOf(1, { perRestart: [restartCounts(1, { longestQueue: 17 })] }),
    ...evidence,
    dropWindows: [
      {
        fromUs: 1_100_100,
        toUs: 1_102_000,
        dropped: 1,
        openedBy: { kind: 'accept-stopped', atUs: 1_050_000, line: 5 },
        closedBy: { kind: 'accepting', atUs: 1_750_000, line: 9 },
      },
    ],
    reconciliation: {
      ...reconciliation,
      causes: { [cause]: 1 },
      examples: { [cause]: { seq: 110, file: 'witnesses/traefik.log.gz', line: 71 } },
    },
    proxyTries: { answers: 1, retries: 0, failedTries: 1 },
    direct,
    proxy,
    kernel: { 'TcpExt.ListenOverflows': 2, 'Machine.CpuPressureUs': 600_000 },
    ...over,
  });
  return { run, verdict };
}

/** The cells of a page's tables, line by line, without the lines below their headings. */
export function cellsIn(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('| -'));
  return lines.map((line) => line.split('|').slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()));
}
