/** The options of `measure`, checked: a service to ask, or a sentence on what is wrong. */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import { HarnessError } from '../errors.ts';
import { answerLimits } from '../load/plan.ts';
import { methods, type Method } from '../scenario/methods.ts';
import { serviceSchema, type Service } from '../scenario/service.ts';
import { byteSize, durationMs, wholeNumber } from './option-values.ts';

/** Options as they are typed. */
export interface MeasureOptions {
  readonly url?: string;
  readonly rate?: string;
  readonly duration?: string;
  readonly method?: string;
  readonly body?: string;
  readonly header?: readonly string[];
  readonly connections?: string;
  readonly expectStatus?: string;
  readonly timeout?: string;
  readonly maxConnections?: string;
  readonly maxHead?: string;
  readonly maxAnswer?: string;
  readonly while?: string;
  readonly settle?: string;
  readonly settleTimeout?: string;
  readonly maxDropped?: string;
  readonly seed?: string;
  readonly json?: true;
  readonly out?: string;
  readonly yesIOwnThis?: true;
  readonly baseline?: true;
}

/** Above this rate a service on another machine may be hurt: the user has to say that it is theirs. */
const unownedRateLimit = 1_000;
/** Beyond this, connections crowd each other out rather than the service. */
const mostConnections = 8_192;
/** Headers that belong to the instrument. */
const ownHeaders = ['connection', 'content-length', 'transfer-encoding', 'x-request-id', 'expect', 'upgrade'];

/**
 * The service that the options name, its host resolved.
 * @throws {HarnessError} naming the option that is wrong
 */
export async function serviceOf(options: MeasureOptions): Promise<Service> {
  const url = parseUrl(options.url);
  const ratePerSecond = wholeNumber('--rate', options.rate ?? '100', 1, 100_000);
  const timeoutMs = durationMs('--timeout', options.timeout ?? '30s', 10, 600_000);
  const address = await resolve(url.hostname, url.port === '' ? 80 : Number(url.port));
  if (ratePerSecond > unownedRateLimit && !isLoopback(address) && options.yesIOwnThis !== true) {
    const load = `${ratePerSecond} requests a second to ${url.hostname} (${address})`;
    throw new HarnessError('service-not-yours', `${load}, which is not this machine.`);
  }
  if (options.baseline === true && !isLoopback(address) && options.yesIOwnThis !== true) {
    throw new HarnessError(
      'service-not-yours',
      `--baseline asks ${url.hostname} (${address}), which is not this machine, as fast as it answers.`,
    );
  }
  return serviceSchema.parse({
    url: url.href,
    address,
    port: url.port === '' ? 80 : Number(url.port),
    method: parseMethod(options.method),
    path: `${url.pathname}${url.search}`,
    headers: [['Host', url.host], ...(options.header ?? []).map(parseHeader)],
    bodyBase64: bytesOf(options.body)?.toString('base64') ?? null,
    expectedStatus:
      options.expectStatus === undefined ? null : wholeNumber('--expect-status', options.expectStatus, 200, 599),
    ratePerSecond,
    connections: parseConnections(options.connections),
    timeoutMs,
    maxConnections:
      options.maxConnections === undefined
        ? Math.min(Math.max(64, Math.ceil((ratePerSecond * timeoutMs) / 1000)), mostConnections)
        : wholeNumber('--max-connections', options.maxConnections, 1, 60_000),
    maxHeadBytes: byteSize('--max-head', options.maxHead ?? String(answerLimits.maxHeadBytes), 1_024, 2 ** 24),
    maxAnswerBytes: byteSize('--max-answer', options.maxAnswer ?? String(answerLimits.maxAnswerBytes), 0, 2 ** 50),
    whileCommand: parseWhile(options.while),
    maxGapMs: null,
    maxWaitMs: null,
    mustChange: false,
    maxDropped: wholeNumber('--max-dropped', options.maxDropped ?? '0', 0, Number.MAX_SAFE_INTEGER),
  } satisfies Record<keyof Service, unknown>);
}

function parseUrl(text: string | undefined): URL {
  if (text === undefined) {
    throw usage('measure needs --url: the service to ask.', 'Such as --url http://127.0.0.1:8080/');
  }
  const url = URL.parse(text);
  if (url === null) throw usage(`--url ${JSON.stringify(text)} is not a URL.`, 'Such as http://127.0.0.1:8080/path');
  if (url.protocol === 'https:') {
    throw usage('TLS is outside what is measured: --url must begin with http://.', 'Ask the service behind its TLS.');
  }
  if (url.protocol !== 'http:') throw usage(`--url must begin with http://, not ${url.protocol}//.`);
  if (url.username !== '') throw usage('--url must not hold a user name; send an Authorization header with --header.');
  return url;
}

/** How long an address of a name with several may take to accept a connection. */
const probeMs = 1_000;

/** The address of a host; of a name with several (localhost is 127.0.0.1 and ::1), the first at which somebody listens. */
async function resolve(hostname: string, port: number): Promise<string> {
  const literal = hostname.replace(/^\[|\]$/gu, '');
  if (isIP(literal) !== 0) return literal;
  let addresses: readonly string[];
  try {
    addresses = (await lookup(literal, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new HarnessError('host-unknown', `The host ${literal} of --url has no address.`, { cause });
  }
  if (addresses.length > 1) {
    for (const address of addresses) if (await isListening(address, port)) return address;
  }
  return addresses[0] ?? literal;
}

/** Does anybody accept a connection there? Nothing is sent on it. */
async function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeMs });
    const done = (accepted: boolean) => () => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false));
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

function parseMethod(text = 'GET'): Method {
  const method = methods.find((known) => known === text.toUpperCase());
  if (method === undefined) throw usage(`--method must be one of ${methods.join(', ')}, not ${JSON.stringify(text)}.`);
  return method;
}

function parseConnections(text = 'mixed'): Service['connections'] {
  if (text === 'kept' || text === 'new' || text === 'mixed') return text;
  throw usage(`--connections must be kept, new or mixed, not ${JSON.stringify(text)}.`);
}

function parseHeader(text: string): [string, string] {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*([\t\x20-\x7e\x80-\xff]*)$/u.exec(text);
  const [, name = '', value = ''] = match ?? [];
  if (match === null) throw usage(`--header ${JSON.stringify(text)} is not of the form "Name: value".`);
  if (ownHeaders.includes(name.toLowerCase())) throw usage(`The header ${name} is set by the instrument itself.`);
  return [name, value.trimEnd()];
}

/** The bytes of --body: of the file after an @, else of the text itself. */
function bytesOf(text: string | undefined): Buffer | null {
  if (text === undefined) return null;
  if (!text.startsWith('@')) return Buffer.from(text);
  try {
    return readFileSync(text.slice(1));
  } catch (cause) {
    throw usage(`The file of --body ${text} cannot be read.`, undefined, cause);
  }
}

/** A command that does nothing is a mistake: a deploy that never ran drops nothing. */
function parseWhile(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.split('\n').every((line) => /^\s*(#|$)/u.test(line))) {
    throw usage('--while has no command: it is empty, or only a comment.', 'Such as --while "systemctl restart shop"');
  }
  if (text.includes('\0')) throw usage('--while holds a NUL byte, which no command can.');
  return text;
}

function usage(message: string, hint?: string, cause?: unknown): HarnessError {
  return new HarnessError('option-value', message, { hint, cause });
}
