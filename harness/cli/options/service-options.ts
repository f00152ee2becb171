/** The options of `measure`, checked: a service to ask, or a sentence on what is wrong. */
import { readFileSync } from 'node:fs';
import { whyUnreadable } from '../../gate/files/written-file.ts';
import { HarnessError } from '../../base/errors.ts';
import { answerLimits } from '../../in-lab/load/plan.ts';
import { methods } from '../../base/methods.ts';
import { isLoopback } from '../../conduct/service/address.ts';
import { scriptProblem } from '../../conduct/service/shell.ts';
import type { MeasureTimes } from '../../conduct/service/deploy-times.ts';
import type { Target } from '../../conduct/service/target.ts';
import { slotCount } from '../../experiment/load-schedule.ts';
import { serviceSchema, type Service } from '../../experiment/service.ts';
import { holdOf, refuseTooMany } from './hold-options.ts';
import type { MeasureOptions } from './measure-options.ts';
import { givenOption } from './option-words.ts';
import { byteSize, durationMs, oneOf, optionError, wholeNumber } from './option-values.ts';
import { claimOf } from './run-options.ts';
import { parseUrl, reachOf } from './reach-options.ts';
import { mixOf, parseHeader } from './request-options.ts';
import { tlsOf } from './tls-options.ts';
import { expand, shownScript, type Told } from '../../gate/files/secrets.ts';

/** The highest rate that another machine is asked at without --yes-i-own-this. */
const unownedRateLimit = 1_000;
/** Beyond this, connections crowd each other out rather than the service. */
const mostConnections = 8_192;
/** How long the load lasts; with a command, as long as that takes. */
const defaultDuration = '30s';
/** Load before the command: enough to see that the service is well. */
const leadMs = 1_000;

/**
 * What the options ask to measure, its host resolved.
 * @throws {HarnessError} naming the option that is wrong
 */
export async function targetOf(options: MeasureOptions, environment = process.env): Promise<Target> {
  const told = parseUrl(options.url, environment);
  const { url, path } = told;
  const tls = tlsOf(options, url);
  const headers = (options.header ?? []).map((text) => parseHeader(text, environment, options.secretHeader ?? []));
  const headersAs = (form: keyof Told): [string, string][] => [
    ['Host', url.host],
    ...headers.map(([name, told]): [string, string] => [name, told[form]]),
  ];
  const connections = oneOf('--connections', options.connections ?? 'mixed', ['kept', 'new', 'mixed']);
  const expectedStatus =
    options.expectStatus === undefined ? null : wholeNumber('--expect-status', options.expectStatus, 200, 599);
  const mix = await mixOf(options, url, { environment, connections, expectedStatus, headers });
  const body = bytesOf(options.body, environment);
  const script = parseScript(options.while);
  const aboutScript = ['whileTimeout', 'evenIfFailing', 'mustChange', 'restarts', 'every', 'claim'] as const;
  const stray = script === null ? givenOption(options, aboutScript) : undefined;
  if (stray !== undefined) throw optionError(`${stray} is about --while, which is missing.`);
  const ratePerSecond = wholeNumber('--rate', options.rate ?? '100', 1, 100_000);
  const timeoutMs = durationMs('--timeout', options.timeout ?? '30s', 10, 600_000);
  const { address, port, name } = await reachOf(told, options);
  const otherHost = port === null || isLoopback(address) ? null : `${url.hostname} (${address})`;
  if (otherHost !== null) refuseHeavyLoad(options, ratePerSecond, otherHost);
  const hold = holdOf(options, path, environment);
  const allowedMs = (option: string, text: string | undefined): number | null =>
    text === undefined ? null : durationMs(option, text, 0, 3_600_000);
  const service = serviceSchema.parse({
    url: `${told.origin}${path.shown}`,
    address,
    port,
    tls: tls?.shown ?? null,
    ...httpOf(options, [...headers, ...(mix?.headers ?? [])]),
    method: mix === null ? oneOf('--method', (options.method ?? 'GET').toUpperCase(), methods) : null,
    path: path.shown,
    headers: headersAs('shown'),
    bodyBytes: body?.length ?? null,
    expectedStatus,
    ...(mix !== null && { requests: mix.shown }),
    ratePerSecond,
    connections,
    timeoutMs,
    maxConnections:
      options.maxConnections === undefined
        ? Math.min(Math.max(64, Math.ceil((ratePerSecond * timeoutMs) / 1000)), mostConnections)
        : wholeNumber('--max-connections', options.maxConnections, 1, 60_000),
    maxHeadBytes: byteSize('--max-head', options.maxHead ?? String(answerLimits.maxHeadBytes), 1_024, 2 ** 24),
    maxAnswerBytes: byteSize('--max-answer', options.maxAnswer ?? String(answerLimits.maxAnswerBytes), 0, 2 ** 50),
    whileCommand: script === null ? null : shownScript(script, secretsIn([...headers, ...(mix?.headers ?? [])])),
    ...seriesOf(options),
    ...(hold !== null && { hold: hold.shown }),
    maxGapMs: allowedMs('--max-gap', options.maxGap),
    maxWaitMs: allowedMs('--max-wait', options.maxWait),
    mustChange: options.mustChange === true,
    ...witnessesOf(options),
    maxDropped: wholeNumber('--max-dropped', options.maxDropped ?? '0', 0, Number.MAX_SAFE_INTEGER),
  } satisfies { [Key in keyof Service]: unknown });
  const { maxConnections } = service;
  if (hold !== null) {
    await refuseTooMany(hold.shown, { host: otherHost, maxConnections, isOwn: options.yesIOwnThis === true });
  }
  const request = {
    ...{ target: path.sent, headers: headersAs('sent'), body, tls: tls?.used ?? null, name },
    ...(mix !== null && { mix: mix.used }),
    ...(hold !== null && { holdTarget: hold.target }),
  };
  return { service, request, command: script };
}

/** Load on another machine may hurt: the user has to say that the service is theirs. */
function refuseHeavyLoad({ capacity, yesIOwnThis }: MeasureOptions, ratePerSecond: number, host: string): void {
  if (yesIOwnThis === true) return;
  if (ratePerSecond > unownedRateLimit) {
    const load = `${ratePerSecond} requests a second to ${host}`;
    throw new HarnessError('service-not-yours', `${load}, which is not this machine.`);
  }
  if (capacity === true) {
    const load = `--capacity asks ${host}, which is not this machine, as fast as it answers`;
    throw new HarnessError('service-not-yours', `${load}.`);
  }
}

/**
 * How long load and command last.
 * @throws {HarnessError} naming the option that is wrong
 */
export function timesOf(options: MeasureOptions, ratePerSecond: number): MeasureTimes {
  const asked = options.duration ?? (options.while === undefined ? defaultDuration : '1s');
  const loadMs = durationMs('--duration', asked, 100, 4 * 3_600_000);
  if (slotCount(ratePerSecond, loadMs) === 0) {
    const leastMs = Math.ceil(500 / ratePerSecond);
    throw optionError(
      `No request is due in ${asked} at --rate ${ratePerSecond}: --duration must be at least ${leastMs}ms.`,
    );
  }
  return {
    durationMs: loadMs,
    // Held connections are opened over the first second, and must stand when the command begins.
    leadMs: options.hold === undefined ? leadMs : 2 * leadMs,
    whileTimeoutMs: durationMs('--while-timeout', options.whileTimeout ?? '30m', 1_000, 2 * 3_600_000),
    settleMs: durationMs('--settle', options.settle ?? '3s', 500, 600_000),
    settleTimeoutMs: durationMs('--settle-timeout', options.settleTimeout ?? '60s', 500, 3_600_000),
  };
}

/** How often the command runs, and what that is to show; what was not asked for stays out of the run's record. */
function seriesOf({ restarts, every, claim }: MeasureOptions): Pick<Service, 'restarts' | 'everyMs' | 'claimPercent'> {
  if (every !== undefined && restarts === undefined)
    throw optionError('--every is about --restarts, which is missing.');
  return {
    ...(restarts !== undefined && { restarts: wholeNumber('--restarts', restarts, 1, 4_000) }),
    ...(every !== undefined && { everyMs: durationMs('--every', every, 100, 3_600_000) }),
    ...(claim !== undefined && { claimPercent: claimOf(claim) }),
  };
}

/** What is to be read beside the load; what was not asked for stays out of the run's record. */
function witnessesOf({ journal, accessLog }: MeasureOptions): Pick<Service, 'journal' | 'accessLogs'> {
  const wrong = journal?.find((unit) => !/^[\w:.@\\-]{1,250}$/u.test(unit));
  if (wrong !== undefined)
    throw optionError(`--journal takes the name of a unit, such as shop.service, not ${JSON.stringify(wrong)}.`);
  const named = journal?.map((unit) => (/\.(?:service|socket)$/u.test(unit) ? unit : `${unit}.service`));
  return {
    ...(named !== undefined && { journal: named }),
    ...(accessLog !== undefined && { accessLogs: [...accessLog] }),
  };
}

/** Fields of a head that HTTP/2 has no room for (RFC 9113, 8.2.2). */
const ofConnections = ['keep-alive', 'proxy-connection', 'http2-settings'];

/** HTTP/2, where it was asked for. */
function httpOf({ http = '1.1', capacity }: MeasureOptions, headers: readonly Header[]): Pick<Service, 'http'> {
  if (oneOf('--http', http, ['1.1', '2']) === '1.1') return {};
  if (capacity === true)
    throw optionError(
      '--capacity is measured by autocannon, which speaks HTTP/1.1 only.',
      'Leave out --capacity, or measure it on its own.',
    );
  const stray = headers.find(([name, { sent }]) => {
    const lower = name.toLowerCase();
    return ofConnections.includes(lower) || (lower === 'te' && sent.toLowerCase() !== 'trailers');
  });
  if (stray !== undefined)
    throw optionError(`The header ${stray[0]} is about one connection, and HTTP/2 knows none of that kind.`);
  return { http: '2' };
}

/** A command that does nothing is a mistake: a deploy that never ran drops nothing. */
function parseScript(script: string | undefined): string | null {
  if (script === undefined) return null;
  const problem = scriptProblem(script);
  if (problem !== null) throw optionError(`--while ${problem}.`, 'Such as --while "systemctl restart shop"');
  return script;
}

type Header = readonly [name: string, value: Told];

/** What must not stand in a script: values of headers that are left out, and their parts (`Bearer …`). */
function secretsIn(headers: readonly Header[]): string[] {
  const leastLetters = 8;
  return headers
    .filter(([, { sent, shown }]) => sent !== shown)
    .flatMap(([, { sent }]) => [sent, ...sent.split(' ').filter((part) => part.length >= leastLetters)]);
}

/** The bytes of the text, with variables in place; of a file after an @, as they are. */
function bytesOf(text: string | undefined, environment: NodeJS.ProcessEnv): Buffer | null {
  if (text === undefined) return null;
  if (!text.startsWith('@')) return Buffer.from(expand('--body', text, environment));
  try {
    return readFileSync(text.slice(1));
  } catch (cause) {
    throw optionError(`The file of --body ${text} ${whyUnreadable(cause)}.`, undefined, cause);
  }
}
