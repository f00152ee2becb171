/** The short form of the calibration: the instrument against servers that fail in known ways. Real sockets, real time. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { calibrationCases, caseName, type CalibrationCase } from './cases.ts';
import { faults } from './faulty-server.ts';
import { runCase } from './run-case.ts';

const folder = testFolder();

async function expectRight(calibration: CalibrationCase): Promise<void> {
  const name = caseName(calibration).replaceAll(/\W+/gu, '-');
  const { signal } = new AbortController();
  const { wrong, server } = await runCase(calibration, { folder: join(folder, name), runId: `test-${name}`, signal });
  expect(wrong).toEqual([]);
  // A case in which nothing went wrong proves nothing.
  if (calibration.fault !== 'none') expect(server.faulted).toBeGreaterThan(0);
}

const cases = calibrationCases('short');
const present = cases.filter(({ awayMs }) => awayMs === 0);
const away = cases.filter(({ awayMs }) => awayMs > 0);

// Counts do not depend on how busy the machine is; the length of a gap does.
describe.concurrent('every count is right against a server that', () => {
  it.each(present.map((one) => [`${faults[one.fault].what} (${one.method}, ${one.connections})`, one] as const))(
    '%s',
    (_, calibration) => expectRight(calibration),
  );
});

describe('every count and the gap are right against a server that', () => {
  it.each(away.map((one) => [`is away for ${one.awayMs} ms (${one.method}, ${one.connections})`, one] as const))(
    '%s',
    (_, calibration) => expectRight(calibration),
  );
});
