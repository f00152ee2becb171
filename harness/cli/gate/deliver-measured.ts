/** A single measurement, where a CI system waits for what came of it. */
import { dirname, join } from 'node:path';
import type { Budget, Entry } from '../../gate/budgets.ts';
import { decide } from '../../gate/decide.ts';
import { readRun } from '../../verdict/record/read-run.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { Context } from '../context.ts';
import type { DeliveryOptions } from '../options/delivery-options.ts';
import { deliver } from './deliver.ts';

/** Hands on what came of a single measurement, whose budgets are its options, where a CI system waits for it. */
export async function deliverMeasured(context: Context, folder: string, options: DeliveryOptions): Promise<void> {
  const isAwaited =
    options.junit !== undefined ||
    options.summary !== undefined ||
    options.annotations === 'github' ||
    process.env['GITHUB_ACTIONS'] === 'true';
  if (!isAwaited) return;
  const run = await readRun(folder);
  const entry: Entry = { name: 'measure', line: 0, blocking: true, because: '', budgets: budgetsOf(run.run) };
  const result = decide({
    file: null,
    // No comparison is made.
    alpha: 0.01,
    entries: [entry],
    asked: new Set([entry.name]),
    attempts: new Map([[entry.name, [{ kind: 'run', ...run }]]]),
    baselines: new Map(),
  });
  // The command has said what came of it.
  const { json, ...others } = options;
  const words = { ...context, stdout: json === true ? context.stderr : context.stdout };
  await deliver(words, result, { folder: join(dirname(folder), 'gate'), budgetsPath: null, options: others });
}

function budgetsOf(run: RunRecord): Budget[] {
  if (run.kind !== 'measure') return [];
  const { maxDropped, maxGapMs, maxWaitMs } = run.service;
  const limits = [
    ['dropped', maxDropped, 'the limit that --max-dropped sets (0 unless said)'],
    ['gapMs', maxGapMs, 'the limit that --max-gap sets'],
    ['longestWaitMs', maxWaitMs, 'the limit that --max-wait sets'],
  ] as const;
  return limits.flatMap(([figure, max, because]) =>
    max === null ? [] : [{ figure, line: 0, max, blocking: true, because }],
  );
}
