/** What the peers say where the truth is known. */
import { startServer } from './calibration-server.ts';
import type { CalibrationCase } from './cases.ts';
import { factsOf, type Fault } from './faults.ts';
import { closedConnections, runPeer, type PeerName, type PeerReport } from './peers.ts';
import { calibrationBody, serviceFor } from './run-case.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** One peer in one case. */
export interface PeerResult extends PeerReport {
  readonly peer: PeerName;
  readonly calibration: CalibrationCase;
  /** Requests that arrived. */
  readonly arrived: number;
  /** Requests that failed, by the server's own count; null where that cannot be told (an absence under a closed load). */
  readonly truth: number | null;
  /** Did it report the truth, and did as many arrive as it counted (what it cut at its end left out)? */
  readonly isRight: boolean;
}

const faults: readonly Fault[] = ['none', 'rst', 'fin', 'truncated', 'close', '503', 'accept-rst'];

/** The cases that peers are put through: kept connections, and new ones for reading. */
export function peerCases(): CalibrationCase[] {
  const ways = [
    { method: 'GET', connections: 'kept' },
    { method: 'POST', connections: 'kept' },
    { method: 'GET', connections: 'new' },
  ] as const;
  const common = { ratePerSecond: 200, durationMs: 2_000, timeoutMs: 1_000 };
  return [
    ...faults.flatMap((fault) => ways.map((way) => ({ fault, awayMs: 0, ...way, ...common }))),
    ...ways.map((way) => ({ fault: 'none' as const, awayMs: 300, ...way, ...common })),
  ];
}

/** Drives one peer through one case. */
export async function runPeerCase(peer: PeerName, calibration: CalibrationCase): Promise<PeerResult> {
  const server = await startServer(calibration);
  try {
    const { url } = serviceFor(calibration, server.port);
    const body = calibration.method === 'POST' ? calibrationBody : null;
    const report = await runPeer(peer, { ...calibration, url, body });
    const { arrivals, faulted } = await server.counts();
    const isOpen = peer === 'vegeta' || peer === 'oha';
    const slots = slotCount(calibration.ratePerSecond, calibration.durationMs);
    let truth: number | null;
    if (calibration.awayMs === 0) truth = factsOf(calibration.fault).outcome === 'ok' ? 0 : faulted;
    // With a request a slot, those that did not arrive are those that fell into the absence.
    else truth = isOpen ? slots - arrivals : null;
    // A closed load is cut at its end, with a request under way on each of its connections: that is no mistake.
    const cut = isOpen ? 0 : closedConnections;
    const reached =
      report.requests - (calibration.awayMs > 0 || calibration.fault === 'accept-rst' ? report.failed : 0);
    const isRight =
      truth === null
        ? report.failed <= Math.ceil((calibration.ratePerSecond * calibration.awayMs) / 1000) + 1
        : Math.abs(report.failed - truth) <= (isOpen && calibration.awayMs === 0 ? 0 : 2) &&
          Math.abs(reached - arrivals) <= cut + 1;
    return { peer, calibration, ...report, arrived: arrivals, truth, isRight };
  } finally {
    server.close();
  }
}
