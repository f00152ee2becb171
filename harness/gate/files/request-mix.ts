/** A mix of requests that somebody wrote: what is sent, and what may be written down of it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import { slotsInBlock, type ConnectionMode } from '../../experiment/load-schedule.ts';
import type { ServiceRequest } from '../../experiment/service.ts';
import type { ExpectedAnswer, Matcher, MixedRequest, PlanMixEntry, Template } from '../../in-lab/load/plan.ts';
import { usageError } from '../refusals.ts';
import type { PlacedRequests } from './read-requests.ts';
import { isHeaderValue, isOwnHeader, matcherOf, templateOf, type WrittenRequests } from './requests.ts';
import { expand, shownHeader, shownPath, type Told } from './secrets.ts';
import { whyUnreadable } from './written-file.ts';
import type { Path } from './yaml-data.ts';

/** A mix in two halves: one is written down, the other is sent. */
export interface ToldMix {
  readonly shown: ServiceRequest[];
  readonly used: readonly PlanMixEntry[];
  /** Headers of its requests, with their secrets. */
  readonly headers: readonly (readonly [string, Told])[];
}

/** What holds for every request that does not say otherwise. */
export interface MixDefaults {
  readonly environment: NodeJS.ProcessEnv;
  readonly connections: ConnectionMode;
  readonly expectedStatus: number | null;
  readonly headers: readonly (readonly [string, Told])[];
  /** Names of further headers that hold secrets. */
  readonly secretHeaders: readonly string[];
  /** The field that sets the Host of all requests. */
  readonly hostField: string;
}

type Written = WrittenRequests[number];

/**
 * Makes a mix of the requests of a list.
 * @throws {HarnessError} naming the place in the file that is wrong
 */
export function mixOfList(placed: PlacedRequests, defaults: MixDefaults): ToldMix {
  const mix = placed.requests.map((written, index) => read(written, spotOf(placed, index, defaults), defaults));
  const used = mix.map(({ entry }) => entry);
  refuseTwins(used, placed);
  const slots = slotsInBlock(used, defaults.connections);
  const without = slots.indexOf(0);
  if (without >= 0) {
    const least = defaults.connections === 'mixed' ? '2 % (connections are mixed)' : '1 %';
    throw usageError(
      `${placed.where(without, 'weight')}: ${placed.list}${without}.weight: so small a share gets none of 100 slots.`,
      `A share of ${least} gets one for certain; or take the request out.`,
    );
  }
  return {
    shown: mix.map(({ shown }, index) => ({ ...shown, slotsOf100: slots[index] ?? 0 })),
    used,
    headers: mix.flatMap(({ headers }) => headers),
  };
}

function refuseTwins(mix: readonly PlanMixEntry[], { where, list }: PlacedRequests): void {
  const names = mix.map(({ mixed }) => mixed?.name.toLowerCase());
  const twin = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twin < 0) return;
  const first = where(names.indexOf(names[twin])).replace(/:\d+$/u, '');
  throw usageError(
    `${where(twin, 'name')}: ${list}${twin}: ${mix[twin]?.mixed?.name ?? ''} is there twice (${first}).`,
    'Give one of them a name of its own: name: …',
  );
}

/** A request of the list: errors name its place, and its texts have their variables. */
interface Spot {
  readonly folder: string;
  wrong(at: Path, what: string, cause?: unknown): Error;
  expanded(at: Path, text: string): string;
  template(at: Path, text: string): Template;
}

function spotOf({ where, list, folder }: PlacedRequests, index: number, { environment }: MixDefaults): Spot {
  const labelOf = (at: Path): string => `${where(index, ...at)}: ${list}${[index, ...at].map(String).join('.')}`;
  const expanded = (at: Path, text: string): string => {
    try {
      return expand(labelOf(at), text, environment);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      throw usageError(error.message, error.hint, error);
    }
  };
  return {
    folder,
    expanded,
    wrong: (at, what, cause) => usageError(`${labelOf(at)}: ${what}.`, 'docs/measure.md has an example.', cause),
    template: (at, text) => templateOf(text, (variable) => expanded(at, variable)),
  };
}

type Header<Value> = readonly [name: string, value: Value];

interface Read {
  readonly entry: PlanMixEntry;
  readonly shown: Omit<ServiceRequest, 'slotsOf100'>;
  readonly headers: readonly Header<Told>[];
}

function read(written: Written, spot: Spot, defaults: MixDefaults): Read {
  const { method, weight } = written;
  const path = shownPath(written.path);
  const name = written.name ?? `${method} ${path}`.slice(0, 80);
  const headers = headersOf(written, spot, defaults);
  const { body, bytes } = bodyOf(written.body, spot);
  const { expected, phrases } = expectedOf(written.expect, spot, defaults);
  const mixed: MixedRequest = {
    name,
    target: pathOf(written.path, spot),
    headers: headers.map(([header, { template }]) => [header, template]),
    body,
    expected,
  };
  return {
    entry: { method, path, weight, mixed },
    shown: {
      ...{ name, method, path, weight, bodyBytes: bytes, expect: phrases },
      headers: headers.map(([header, { shown }]) => [header, shown]),
    },
    headers: headers.map(([header, { template, shown }]) => [header, { sent: template.join(''), shown }]),
  };
}

function pathOf(path: string, spot: Spot): Template {
  const template = spot.template(['path'], path);
  // An environment variable may hold anything.
  if (/^[\x21\x22\x24-\x7e]*$/u.test(template.join(''))) return template;
  throw spot.wrong(['path'], 'must be as it is sent: ASCII without spaces, # and control characters (%20 is a space)');
}

/** Those of all requests, and over them its own. */
function headersOf(
  { headers }: Written,
  spot: Spot,
  { hostField, secretHeaders, headers: ofAll }: MixDefaults,
): Header<{ readonly template: Template; readonly shown: string }>[] {
  const own = Object.entries(headers).map(([name, text]) => {
    const at = ['headers', name];
    if (isOwnHeader(name)) throw spot.wrong(at, 'is set by the instrument itself');
    if (name.toLowerCase() === 'host') throw spot.wrong(at, `is the same for all requests: ${hostField}`);
    const template = spot.template(at, text.trim());
    if (!isHeaderValue(template.join(''))) throw spot.wrong(at, 'must be one line of Latin letters');
    return [name, { template, shown: shownHeader(name, text.trim(), secretHeaders) }] as const;
  });
  const taken = new Set(['host', ...own.map(([name]) => name.toLowerCase())]);
  const common = ofAll
    .filter(([name]) => !taken.has(name.toLowerCase()))
    .map(([name, { sent, shown }]) => [name, { template: [sent], shown }] as const);
  return [...common, ...own];
}

function bodyOf(text: string | undefined, spot: Spot): { body: MixedRequest['body']; bytes: number | null } {
  if (text === undefined) return { body: null, bytes: null };
  const fixed = (bytes: Buffer) => ({ body: { base64: bytes.toString('base64') }, bytes: bytes.length });
  if (text.startsWith('@')) {
    try {
      return fixed(readFileSync(resolve(spot.folder, text.slice(1))));
    } catch (cause) {
      throw spot.wrong(['body'], `the file ${text.slice(1)} ${whyUnreadable(cause)}`, cause);
    }
  }
  const template = spot.template(['body'], text);
  const bytes = Buffer.from(template.filter((_, place) => place % 2 === 0).join(''));
  return template.length === 1 ? fixed(bytes) : { body: { text: template }, bytes: bytes.length };
}

function expectedOf(
  { status: own, header, body, json }: Written['expect'],
  spot: Spot,
  { expectedStatus, secretHeaders }: MixDefaults,
): { expected: ExpectedAnswer; phrases: string[] } {
  const status = own ?? expectedStatus;
  // In an expression, `${` is its own.
  const matcherAt = (at: Path, text: string): Matcher => {
    const matcher = matcherOf(text);
    return 'text' in matcher ? { text: spot.expanded(at, text) } : matcher;
  };
  const phrase = (text: string, is: string): string =>
    'regex' in matcherOf(text) ? `matches ${text}` : `${is} ${JSON.stringify(text)}`;
  const phrases = [
    status === null ? 'status 200 to 299' : `status ${status}`,
    ...Object.entries(header).map(
      ([name, text]) => `header ${name} ${phrase(shownHeader(name, text, secretHeaders), 'is')}`,
    ),
    ...(body === undefined ? [] : [`body ${phrase(body, 'contains')}`]),
    ...Object.entries(json).map(([path, value]) => `json ${path} is ${JSON.stringify(value)}`),
  ];
  return {
    expected: {
      status,
      headers: Object.entries(header).map(([name, text]) => [name, matcherAt(['expect', 'header', name], text)]),
      body: body === undefined ? null : matcherAt(['expect', 'body'], body),
      json: Object.entries(json),
    },
    phrases: phrases.map((text) => (text.length > 200 ? `${text.slice(0, 200)}…` : text)),
  };
}
