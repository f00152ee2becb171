/** `measure`: the instrument on its own, for a service that the user runs. */
import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { baselinesOf, localBaseline } from '../conduct/baseline.ts';
import type { Baseline } from '../run/baseline.ts';
import type { MeasureTimes } from '../conduct/service/deploy.ts';
import { measureService } from '../conduct/service/measure-service.ts';
import { newRunId, runFiles } from '../run/run-folder.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { closingLines, exitCodeOf } from './print/closing.ts';
import { judge } from './runs/judging.ts';
import { interruptedCode, type Context } from './context.ts';
import { checkDelivery, type DeliveryOptions } from './options/delivery-options.ts';
import { pathText } from './print/path.ts';
import { deliverMeasured } from './gate/deliver-measured.ts';
import { HarnessError } from '../base/errors.ts';
import type { Service } from '../experiment/service.ts';
import { durationMs, highestSeed, wholeNumber } from './options/option-values.ts';
import { startProgress } from './print/progress.ts';
import { shownBody } from './options/secrets.ts';
import { targetOf, type MeasureOptions } from './options/service-options.ts';
import { requireWritable } from './runs/writable-folder.ts';
import { jsonText } from '../base/foreign-text.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** With a command, the load lasts as long as that takes, and this is not asked of it. */
const defaultDuration = '30s';
/** Load before the command: enough to see that the service is well. */
const leadMs = 1_000;

/** A measurement that was made. */
export interface Measured {
  readonly folder: string;
  readonly verdict: Verdict;
}

/** Measures one service; the exit code says what came of it. */
export async function measureCommand(context: Context, options: MeasureOptions & DeliveryOptions): Promise<number> {
  await checkDelivery(options);
  const { folder, verdict } = await measureOnce(context, options);
  const isReported = !context.signal.aborted;
  const closing = { hasReport: isReported, hasPage: isReported };
  if (options.json === true) context.stdout(jsonText(verdict));
  else context.stdout(closingLines(verdict, pathText(folder), context.colours.stdout, closing));
  await deliverMeasured(context, folder, options);
  return context.signal.aborted ? interruptedCode(context.signal) : exitCodeOf(verdict.verdict);
}

/** Measures one service, and writes its folder. */
export async function measureOnce(context: Context, options: MeasureOptions): Promise<Measured> {
  const target = await targetOf(options);
  const { service } = target;
  const seed =
    options.seed === undefined ? randomInt(0, highestSeed) : wholeNumber('--seed', options.seed, 0, highestSeed);
  const times = timesOf(options, service.ratePerSecond);
  const reports = resolve(options.out ?? 'reports');
  await requireWritable(reports);
  const runId = newRunId(new Date());
  const folder = join(reports, 'measure', runId);
  const title = `measure ${service.method} ${service.url}`;
  // How long a command takes nobody knows.
  const steps = options.while !== undefined ? [] : [{ text: title, expectedMs: times.durationMs }];
  const progress = startProgress(context, { steps });
  const takeBaseline = async (when: string): Promise<Baseline | null> => {
    if (options.baseline !== true || context.signal.aborted) return null;
    progress.phase(`baseline ${when} the load`);
    const { headers, body } = target.request;
    const url = `${new URL(service.url).origin}${target.request.target}`;
    return await localBaseline({ url, method: service.method, headers, body }, context.signal);
  };
  try {
    const before = await takeBaseline('before');
    progress.phase(title);
    await measureService(target, times, {
      seed,
      runId,
      folder,
      command: `${context.callOf('measure')} ${optionsToRepeat(options, seed, service)}`,
      signal: context.signal,
      evenIfFailing: options.evenIfFailing === true,
      progress,
      // What the command prints goes where progress goes: stdout is for results.
      onOutput: (text) => context.stderr(`${context.isTerminal ? '\r\u001b[K' : ''}${text}`),
    });
    if (options.baseline === true) {
      const baselines = baselinesOf(`${service.method} ${service.url}`, before, await takeBaseline('after'));
      await mkdir(join(folder, dirname(runFiles.baseline)), { recursive: true });
      await writeFile(join(folder, runFiles.baseline), `${JSON.stringify(baselines, null, 2)}\n`);
    }
    // A user who has interrupted it waits for its end, not for a report.
    const verdict = await judge(context, folder, { hasReport: !context.signal.aborted });
    progress.end();
    return { folder, verdict };
  } finally {
    progress.end();
  }
}

/** Options that do not change what is measured. */
const noPartOfIt = new Set(['out', 'json', 'junit', 'summary', 'annotations', 'budgets']);

/**
 * How long load and command last.
 * @throws {HarnessError} naming the option that is wrong
 */
export function timesOf(options: MeasureOptions, ratePerSecond: number): MeasureTimes {
  const asked = options.duration ?? (options.while === undefined ? defaultDuration : '1s');
  const loadMs = durationMs('--duration', asked, 100, 4 * 3_600_000);
  if (slotCount(ratePerSecond, loadMs) === 0) {
    const leastMs = Math.ceil(500 / ratePerSecond);
    throw new HarnessError(
      'option-value',
      `No request is due in ${asked} at --rate ${ratePerSecond}: --duration must be at least ${leastMs}ms.`,
    );
  }
  return {
    durationMs: loadMs,
    leadMs,
    whileTimeoutMs: durationMs('--while-timeout', options.whileTimeout ?? '30m', 1_000, 2 * 3_600_000),
    settleMs: durationMs('--settle', options.settle ?? '3s', 500, 600_000),
    settleTimeoutMs: durationMs('--settle-timeout', options.settleTimeout ?? '60s', 500, 3_600_000),
  };
}

/** The options again, with variables in place of what is secret. */
function optionsToRepeat(options: MeasureOptions, seed: number, { url, headers, whileCommand }: Service): string {
  const shown: MeasureOptions = {
    ...options,
    url,
    // The first is the Host of the URL.
    ...(options.header !== undefined && { header: headers.slice(1).map((header) => header.join(': ')) }),
    ...(options.body !== undefined && { body: shownBody(options.body) }),
    ...(whileCommand !== null && { while: whileCommand }),
  };
  const words = Object.entries({ ...shown, seed: String(seed) }).flatMap(([name, value]) => {
    if (noPartOfIt.has(name)) return [];
    const flag = `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one) => (one === true ? [flag] : [flag, quoted(String(one))]));
  });
  return words.join(' ');
}

function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
