/** The measurement of a service on its own: load, the command under it, and the files of a run like any other. */
import { cpus, release } from 'node:os';
import { HarnessError } from '../../base/errors.ts';
import type { MeasureTimes } from './deploy.ts';
import { Load, type LoadSetting } from './load.ts';
import { RunFiles } from './run-files.ts';
import type { Target } from './target.ts';

/** What a measurement needs beside the service. */
export interface MeasureSetting extends LoadSetting {
  /** The run's own folder; it is made. */
  readonly folder: string;
  /** The command that repeats the measurement. */
  readonly command: string;
}

/** Measures, and writes run.json, timeline and ledger. Whatever is recorded is kept. */
export async function measureService(target: Target, times: MeasureTimes, setting: MeasureSetting): Promise<void> {
  const { folder, runId, seed, command } = setting;
  const files = await RunFiles.begin(folder, {
    kind: 'measure',
    schema: 1,
    runId,
    seed,
    command,
    startedAt: new Date().toISOString(),
    originMonotonicUs: null,
    wallOffsetUs: null,
    durationMs: 0,
    fingerprint: {
      node: process.version,
      kernel: release(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: String(cpus().length),
    },
    aborted: null,
    unfinished: 0,
    troubles: [],
    service: target.service,
    before: null,
    commandRun: false,
    shell: null,
    listeners: null,
    underWay: null,
    notes: [],
  });
  try {
    const { known, due } = await new Load(target, times, setting, files).run();
    await files.end(known, due);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new HarnessError('disk-full', `The disk of ${folder} is full.`, {
      hint: `Make room, and \`verdict ${folder}\` counts the rows that are there.`,
      cause: error,
    });
  }
}
