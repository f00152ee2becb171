/** One case of the calibration: the instrument against the server with known answers, and everything that must agree. */
import { join } from 'node:path';
import { readLedger } from '../run/read-ledger.ts';
import { answerLimits } from '../in-lab/load/plan.ts';
import { measureService } from '../conduct/service/measure-service.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Service } from '../experiment/service.ts';
import { isCheckout } from '../project.mjs';
import { judgeRun } from '../verdict/judge.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import type { CalibrationCase } from './cases.ts';
import { faults, startFaultyServer, type ServerCounts } from './faulty-server.ts';
import type { Absence } from './raw-server.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** What a case came to. */
export interface CaseResult {
  readonly calibration: CalibrationCase;
  readonly verdict: Verdict;
  readonly server: ServerCounts;
  /** The number of failures that there were. */
  readonly truth: number;
  /** How long nobody listened, by the server's clock. */
  readonly awayMs: number | null;
  /** Each disagreement, a sentence; none when the instrument was right. */
  readonly wrong: readonly string[];
}

/** What may lie between the gap and the absence beside one slot: connecting, answering and waking up. */
const gapSlackMs = 2;

/** Where a case's files go, and under which id. */
export interface CaseSetting {
  readonly folder: string;
  readonly runId: string;
  readonly signal: AbortSignal;
}

/** Runs one case; its files go into `folder`. */
export async function runCase(calibration: CalibrationCase, setting: CaseSetting): Promise<CaseResult> {
  const server = await startFaultyServer(calibration);
  try {
    const body = calibration.method === 'POST' ? Buffer.from(calibrationBody) : null;
    const verdict = await measureCase(serviceFor(calibration, server.port), body, calibration.durationMs, setting);
    return await compare(calibration, verdict, server.counts(), setting.folder);
  } finally {
    server.close();
  }
}

/** Measures a server of ours, with no command under the load. */
export async function measureCase(
  service: Service,
  body: Buffer | null,
  durationMs: number,
  setting: CaseSetting,
): Promise<Verdict> {
  const times = { durationMs, leadMs: 0, whileTimeoutMs: 0, settleMs: 0, settleTimeoutMs: 0 };
  const request = { target: service.path, headers: service.headers, body, tls: null, name: null };
  const target = { service: { ...service, bodyBytes: body?.length ?? null }, request, command: null };
  const command = isCheckout ? 'npm run calibrate' : 'npx restart-proof calibrate';
  await measureService(target, times, { ...setting, seed: 1, command });
  return await judgeRun(setting.folder);
}

/** What a case's POSTs carry. */
export const calibrationBody = '{"note":"calibration"}';

/** The service that a case's requests go to. */
export function serviceFor(
  calibration: Pick<CalibrationCase, 'method' | 'connections' | 'ratePerSecond' | 'timeoutMs'>,
  port: number,
): Service {
  const { method, connections, ratePerSecond, timeoutMs } = calibration;
  return {
    url: `http://127.0.0.1:${port}/`,
    address: '127.0.0.1',
    port,
    tls: null,
    method,
    path: '/',
    headers: [['Host', `127.0.0.1:${port}`]],
    bodyBytes: null,
    expectedStatus: null,
    ratePerSecond,
    connections,
    timeoutMs,
    maxConnections: 2_000,
    ...answerLimits,
    whileCommand: null,
    maxGapMs: null,
    maxWaitMs: null,
    mustChange: false,
    maxDropped: Number.MAX_SAFE_INTEGER,
  };
}

async function compare(
  calibration: CalibrationCase,
  verdict: Verdict,
  server: ServerCounts,
  folder: string,
): Promise<CaseResult> {
  const wrong: string[] = [];
  const check = (what: string, expected: number, measured: number, slack = 0): void => {
    if (!(Math.abs(measured - expected) <= slack)) wrong.push(`${what}: ${measured}, where ${expected} is right`);
  };
  const { fault, ratePerSecond, durationMs } = calibration;
  const { absence, arrivals, faulted, repeatedIds } = server;
  const slots = slotCount(ratePerSecond, durationMs);
  const count = (outcome: string): number => verdict.outcomes[outcome] ?? 0;
  const settled = Object.values(verdict.outcomes).reduce((sum, some) => sum + some, 0);
  check('due', slots, verdict.due);
  check('sum of outcomes', slots, settled);
  check('ids that arrived twice', 0, repeatedIds);
  if (calibration.awayMs > 0) {
    const truth = await sentWithin(folder, absence);
    const awayMs = absence === null ? null : (absence.toUs - absence.fromUs) / 1000;
    // On either edge one request may have been on its way.
    check('dropped', truth, verdict.dropped, 1);
    check('arrivals', count('ok'), arrivals, 1);
    check('gapMs', awayMs ?? Number.NaN, verdict.gapMs ?? Number.NaN, 1000 / ratePerSecond + gapSlackMs);
    return { calibration, verdict, server, truth, awayMs, wrong };
  }
  const { outcome } = faults[fault];
  const truth = outcome === 'ok' ? 0 : faulted;
  if (outcome !== 'ok') check(outcome, faulted, count(outcome));
  check('ok', slots - truth, count('ok'));
  check('dropped', truth, verdict.dropped);
  // A connection that is reset at once carries its request nowhere.
  check('arrivals', verdict.sent - (fault === 'accept-rst' ? faulted : 0), arrivals);
  return { calibration, verdict, server, truth, awayMs: null, wrong };
}

/** How many requests set off while nobody listened. */
async function sentWithin(folder: string, absence: Absence | null): Promise<number> {
  const { originMonotonicUs } = (await openRun(folder)).record;
  if (absence === null || originMonotonicUs === null) return 0;
  let within = 0;
  for await (const { sentUs } of readLedger(join(folder, runFiles.ledger))) {
    const atUs = sentUs === null ? -1 : originMonotonicUs + sentUs;
    if (atUs >= absence.fromUs && atUs < absence.toUs) within++;
  }
  return within;
}
