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
  const mix = placed.requests.map((written, index) => new Reader(placed, index, defaults).read(written));
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

interface Read {
  readonly entry: PlanMixEntry;
  readonly shown: Omit<ServiceRequest, 'slotsOf100'>;
  readonly headers: readonly (readonly [string, Told])[];
}

/** Reads one request of the list. */
class Reader {
  private readonly placed: PlacedRequests;
  private readonly index: number;
  private readonly defaults: MixDefaults;

  constructor(placed: PlacedRequests, index: number, defaults: MixDefaults) {
    this.placed = placed;
    this.index = index;
    this.defaults = defaults;
  }

  read(written: Written): Read {
    const { method, weight } = written;
    const path = shownPath(written.path);
    const name = written.name ?? `${method} ${path}`.slice(0, 80);
    const headers = this.headersOf(written);
    const { body, bytes } = this.bodyOf(written.body);
    const { expected, phrases } = this.expectedOf(written.expect);
    const mixed: MixedRequest = {
      name,
      target: this.pathOf(written.path),
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

  private pathOf(path: string): Template {
    const template = this.templateAt(['path'], path);
    // An environment variable may hold anything.
    if (/^[\x21\x22\x24-\x7e]*$/u.test(template.join(''))) return template;
    throw this.wrong(
      ['path'],
      'must be as it is sent: ASCII without spaces, # and control characters (%20 is a space)',
    );
  }

  /** Those of all requests, and over them its own. */
  private headersOf({
    headers,
  }: Written): (readonly [string, { readonly template: Template; readonly shown: string }])[] {
    const own = Object.entries(headers).map(([name, text]) => {
      const at = ['headers', name];
      if (isOwnHeader(name)) throw this.wrong(at, 'is set by the instrument itself');
      if (name.toLowerCase() === 'host')
        throw this.wrong(at, `is the same for all requests: ${this.defaults.hostField}`);
      const template = this.templateAt(at, text.trim());
      if (!isHeaderValue(template.join(''))) throw this.wrong(at, 'must be one line of Latin letters');
      return [name, { template, shown: shownHeader(name, text.trim(), this.defaults.secretHeaders) }] as const;
    });
    const names = new Set(own.map(([name]) => name.toLowerCase()));
    const common = this.defaults.headers
      .filter(([name]) => !names.has(name.toLowerCase()) && name.toLowerCase() !== 'host')
      .map(([name, { sent, shown }]) => [name, { template: [sent], shown }] as const);
    return [...common, ...own];
  }

  private bodyOf(text: string | undefined): { body: MixedRequest['body']; bytes: number | null } {
    if (text === undefined) return { body: null, bytes: null };
    if (text.startsWith('@')) {
      const bytes = this.fileOf(text);
      return { body: { base64: bytes.toString('base64') }, bytes: bytes.length };
    }
    const template = this.templateAt(['body'], text);
    const bytes = Buffer.from(template.filter((_, place) => place % 2 === 0).join(''));
    const isFixed = template.length === 1;
    return { body: isFixed ? { base64: bytes.toString('base64') } : { text: template }, bytes: bytes.length };
  }

  private fileOf(text: string): Buffer {
    try {
      return readFileSync(resolve(this.placed.folder, text.slice(1)));
    } catch (cause) {
      throw this.wrong(['body'], `the file ${text.slice(1)} ${whyUnreadable(cause)}`, cause);
    }
  }

  private expectedOf({ status, header, body, json }: Written['expect']): {
    expected: ExpectedAnswer;
    phrases: string[];
  } {
    const expectedStatus = status ?? this.defaults.expectedStatus;
    const expected: ExpectedAnswer = {
      status: expectedStatus,
      headers: Object.entries(header).map(([name, text]) => [name, this.matcherAt(['expect', 'header', name], text)]),
      body: body === undefined ? null : this.matcherAt(['expect', 'body'], body),
      json: Object.entries(json),
    };
    const phrase = (text: string, is: string): string =>
      'regex' in matcherOf(text) ? `matches ${text}` : `${is} ${JSON.stringify(text)}`;
    const phrases = [
      expectedStatus === null ? 'status 200 to 299' : `status ${expectedStatus}`,
      ...Object.entries(header).map(
        ([name, text]) => `header ${name} ${phrase(shownHeader(name, text, this.defaults.secretHeaders), 'is')}`,
      ),
      ...(body === undefined ? [] : [`body ${phrase(body, 'contains')}`]),
      ...Object.entries(json).map(([path, value]) => `json ${path} is ${JSON.stringify(value)}`),
    ];
    return { expected, phrases: phrases.map((text) => (text.length > 200 ? `${text.slice(0, 200)}…` : text)) };
  }

  /** In an expression, `${` is its own. */
  private matcherAt(at: Path, text: string): Matcher {
    const matcher = matcherOf(text);
    return 'text' in matcher ? { text: this.expandAt(at, text) } : matcher;
  }

  private templateAt(at: Path, text: string): Template {
    return templateOf(text, (variable) => this.expandAt(at, variable));
  }

  private expandAt(at: Path, text: string): string {
    try {
      return expand(this.labelOf(at), text, this.defaults.environment);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      throw usageError(error.message, error.hint, error);
    }
  }

  private wrong(at: Path, what: string, cause?: unknown): Error {
    return usageError(`${this.labelOf(at)}: ${what}.`, 'docs/measure.md has an example.', cause);
  }

  private labelOf(at: Path): string {
    return `${this.placed.where(this.index, ...at)}: ${this.placed.list}${[this.index, ...at].map(String).join('.')}`;
  }
}
