/** The short form of the calibration: the instrument against servers that fail in known ways. Real sockets, real time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { calibrationCases } from './cases.ts';
import { faults } from './faulty-server.ts';
import { runCase } from './run-case.ts';

const folder = mkdtempSync(join(tmpdir(), 'calibration-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('against a server that', () => {
  it.each(
    calibrationCases('short').map((calibration, index) => {
      const { fault, awayMs, method, connections } = calibration;
      const what = awayMs === 0 ? faults[fault].what : `is away for ${awayMs} ms`;
      return [`${what} (${method}, ${connections})`, calibration, String(index)] as const;
    }),
  )('%s, every count is right', async (_, calibration, name) => {
    const { wrong, server } = await runCase(calibration, {
      folder: join(folder, name),
      runId: `test-${name}`,
      signal: new AbortController().signal,
    });
    expect(wrong).toEqual([]);
    // A case in which nothing went wrong proves nothing.
    if (calibration.fault !== 'none') expect(server.faulted).toBeGreaterThan(0);
  });
});
