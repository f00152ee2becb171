/** A single measurement, where a CI system waits for what came of it. */
import { dirname, join } from 'node:path';
import type { Budget, Entry } from '../gate/budgets.ts';
import { decide } from '../gate/decide.ts';
import { readRun } from '../verdict/read-run.ts';
import type { Context } from './context.ts';
import { deliver, type DeliveryOptions } from './deliver.ts';

/** Hands on what came of a single measurement, whose only budget is --max-dropped, where a CI system waits for it. */
export async function deliverMeasured(context: Context, folder: string, options: DeliveryOptions): Promise<void> {
  const isAwaited =
    options.junit !== undefined ||
    options.summary !== undefined ||
    options.annotations === 'github' ||
    process.env['GITHUB_ACTIONS'] === 'true';
  if (!isAwaited) return;
  const run = await readRun(folder);
  const budget: Budget = {
    figure: 'dropped',
    line: 0,
    max: run.run.kind === 'measure' ? run.run.service.maxDropped : 0,
    blocking: true,
    because: 'the limit that --max-dropped sets (0 unless said)',
  };
  const entry: Entry = { name: 'measure', line: 0, blocking: true, because: '', budgets: [budget] };
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
  await deliver(words, result, {
    folder: join(dirname(folder), 'gate'),
    budgetsPath: null,
    options: others,
    environment: process.env,
  });
}
