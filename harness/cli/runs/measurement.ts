/** One measurement of a service that the user runs, and its folder. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { capacitiesOf, localCapacity } from '../../conduct/capacity.ts';
import { quoted } from '../../conduct/run-request.ts';
import { loadBoundMs, type MeasureTimes } from '../../conduct/service/deploy-times.ts';
import { measureService } from '../../conduct/service/measure-service.ts';
import { askedOf, type Service } from '../../experiment/service.ts';
import type { Capacity } from '../../run/capacity.ts';
import { newRunId, runFiles } from '../../run/run-folder.ts';
import { restartsFor } from '../../verdict/pool/claim.ts';
import type { Context } from '../context.ts';
import type { MeasureOptions } from '../options/measure-options.ts';
import { optionArguments } from '../options/option-words.ts';
import { seedOf } from '../options/option-values.ts';
import { shownBody } from '../../gate/files/secrets.ts';
import { targetOf, timesOf } from '../options/service-options.ts';
import { startProgress } from '../print/progress.ts';
import { judge } from './judging.ts';
import { jsonFile, requireWritable, writeFiles } from './out-folder.ts';

/** Measures one service, and writes its folder. */
export async function measureOnce(context: Context, options: MeasureOptions) {
  const target = await targetOf(options);
  const { service } = target;
  const seed = seedOf(options.seed);
  const times = timesOf(options, service.ratePerSecond);
  const reports = resolve(options.out ?? 'reports');
  await requireWritable(reports);
  const runId = newRunId(new Date());
  const folder = join(reports, 'measure', runId);
  const title = `measure ${askedOf(service)}`;
  // How long a command takes nobody knows.
  const steps = options.while !== undefined ? [] : [{ text: title, expectedMs: times.durationMs }];
  for (const sentence of seriesSentences(service, times)) context.stderr(`${sentence}\n`);
  const progress = startProgress(context, { steps });
  const takeCapacity = async (when: string): Promise<Capacity | null> => {
    if (options.capacity !== true || context.signal.aborted) return null;
    progress.phase(`capacity ${when} the load`);
    const { headers, body, tls } = target.request;
    const { cert, key } = options;
    const origin = service.port === null ? 'http://localhost' : new URL(service.url).origin;
    const place = {
      url: `${origin}${target.request.target}`,
      ...(service.port === null && { socketPath: service.address }),
      ...(tls !== null && isIP(tls.serverName) === 0 && { serverName: tls.serverName }),
      ...(cert !== undefined && key !== undefined && { identity: { certFile: cert, keyFile: key } }),
    };
    return await localCapacity({ ...place, method: service.method ?? 'GET', headers, body }, context.signal);
  };
  try {
    const before = await takeCapacity('before');
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
    if (options.capacity === true) {
      const capacities = capacitiesOf(askedOf(service), before, await takeCapacity('after'));
      await writeFiles(folder, { [runFiles.capacity]: jsonFile(capacities) });
    }
    // A user who has interrupted it waits for its end, not for a report.
    const verdict = await judge(context, folder);
    progress.end();
    return { folder, verdict };
  } finally {
    progress.end();
  }
}

/** What a user should know before a series of deploys begins: how long it may take, and what it cannot show. */
function seriesSentences(service: Service, times: MeasureTimes): string[] {
  const { restarts = 1, claimPercent } = service;
  const needed = claimPercent === undefined ? 0 : restartsFor(claimPercent / 100);
  return [
    ...(restarts === 1
      ? []
      : [
          `${restarts} restarts under one load, which ends with the last of them, or after ` +
            `${(loadBoundMs(service, times) / 3_600_000).toFixed(1)} h at most.`,
        ]),
    ...(restarts >= needed
      ? []
      : [
          `--claim ${claimPercent ?? ''} takes ${needed} clean restarts in a row: ${restarts} can refute it, and not bear ` +
            `it out (--restarts ${needed}).`,
        ]),
  ];
}

/** Options that do not change what is measured. */
const noPartOfIt = new Set(['out', 'json', 'junit', 'summary', 'annotations', 'budgets', 'compare', 'rounds']);

/** The options again, with variables in place of what is secret. */
function optionsToRepeat(asked: MeasureOptions, seed: number, service: Service): string {
  const { requestList, ...options } = asked;
  const { url, headers, whileCommand, hold } = service;
  const shown: MeasureOptions = {
    ...options,
    url,
    ...(requestList !== undefined && options.requests === undefined && { requests: requestList.source }),
    // The first is the Host of the URL.
    ...(options.header !== undefined && { header: headers.slice(1).map((header) => header.join(': ')) }),
    ...(options.body !== undefined && { body: shownBody(options.body) }),
    ...(whileCommand !== null && { while: whileCommand }),
    ...(options.holdPath !== undefined && hold !== undefined && { holdPath: hold.path }),
  };
  const words = Object.entries({ ...shown, seed }).filter(([key]) => !noPartOfIt.has(key));
  return optionArguments(Object.fromEntries(words)).map(quoted).join(' ');
}
