/** The cases of the calibration: every fault and every absence, by method and by kind of connection. */
import { faults, type ServerTask } from './faults.ts';

/** One case. */
export interface CalibrationCase extends ServerTask {
  readonly method: 'GET' | 'POST';
  readonly connections: 'kept' | 'new';
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
}

/** How long the listener is away. */
const absencesMs = [20, 100, 300, 1_000];

const combinations = (['GET', 'POST'] as const).flatMap((method) =>
  (['kept', 'new'] as const).map((connections) => ({ method, connections })),
);

/** All cases; the short form has fewer requests in each and half of the absences, and is for every test run. */
export function calibrationCases(form: 'full' | 'short'): CalibrationCase[] {
  const isShort = form === 'short';
  const ofFaults = faults.flatMap((fault) =>
    (isShort ? [combinations[0], combinations[3]] : combinations).flatMap((combination) =>
      combination === undefined
        ? []
        : [
            {
              fault,
              awayMs: 0,
              ...combination,
              ratePerSecond: 200,
              durationMs: isShort ? 500 : 2_000,
              timeoutMs: 1_000,
            },
          ],
    ),
  );
  const ofAbsences = (isShort ? [100, 300] : absencesMs).flatMap((awayMs) =>
    combinations
      .filter(({ method, connections }) => !isShort || (method === 'POST') === (connections === 'kept'))
      .map((combination) => ({
        fault: 'none' as const,
        awayMs,
        ...combination,
        ratePerSecond: 200,
        durationMs: awayMs + 1_200,
        timeoutMs: 5_000,
      })),
  );
  return [...ofFaults, ...ofAbsences];
}

/** The name of a case, for people and for its folder. */
export function caseName({ fault, awayMs, method, connections }: CalibrationCase): string {
  return `${awayMs === 0 ? fault : `away ${awayMs} ms`}, ${method}, ${connections}`;
}
