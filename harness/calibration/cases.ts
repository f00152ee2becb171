/** The cases of the calibration: every fault and every absence, by method and by kind of connection. */
import { faults, type Fault, type FaultyTask } from './faulty-server.ts';

/** One case. */
export interface CalibrationCase extends FaultyTask {
  readonly method: 'GET' | 'POST';
  readonly connections: 'kept' | 'new';
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
}

/** The name of a case, for people and for its folder. */
export function caseName({ fault, awayMs, method, connections }: CalibrationCase): string {
  return `${awayMs === 0 ? fault : `away ${awayMs} ms`}, ${method}, ${connections}`;
}

type Way = Pick<CalibrationCase, 'method' | 'connections'>;
const getKept: Way = { method: 'GET', connections: 'kept' };
const getNew: Way = { method: 'GET', connections: 'new' };
const postKept: Way = { method: 'POST', connections: 'kept' };
const postNew: Way = { method: 'POST', connections: 'new' };
const allWays = [getKept, getNew, postKept, postNew];

function faultCase(fault: Fault, way: Way, durationMs: number): CalibrationCase {
  return { fault, awayMs: 0, ...way, ratePerSecond: 200, durationMs, timeoutMs: 1_000 };
}

function absenceCase(awayMs: number, way: Way): CalibrationCase {
  return { ...faultCase('none', way, awayMs + 1_200), awayMs, timeoutMs: 5_000 };
}

const forms = {
  full: { ofFaults: allWays, durationMs: 2_000, absencesMs: [20, 100, 300, 1_000], ofAbsences: allWays },
  short: { ofFaults: [getKept, postNew], durationMs: 500, absencesMs: [100, 300], ofAbsences: [getNew, postKept] },
};

/** All cases; the short form has fewer requests in each and half of the absences, and is for every test run. */
export function calibrationCases(form: 'full' | 'short'): CalibrationCase[] {
  const { ofFaults, durationMs, absencesMs, ofAbsences } = forms[form];
  return [
    ...(Object.keys(faults) as Fault[]).flatMap((fault) => ofFaults.map((way) => faultCase(fault, way, durationMs))),
    ...absencesMs.flatMap((awayMs) => ofAbsences.map((way) => absenceCase(awayMs, way))),
  ];
}

/** The cases that peers are put through: kept connections, and new ones for reading. */
export function peerCases(): CalibrationCase[] {
  const ways = [getKept, postKept, getNew];
  const ofPeers = ['none', 'rst', 'fin', 'truncated', 'close', 'status-503', 'accept-rst'] as const;
  return [
    ...ofPeers.flatMap((fault) => ways.map((way) => faultCase(fault, way, 2_000))),
    ...ways.map((way) => ({ ...faultCase('none', way, 2_000), awayMs: 300 })),
  ];
}
