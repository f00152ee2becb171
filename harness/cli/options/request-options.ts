/** `--requests`, and `requests` of a budgets file: the mix that is sent, and what may be written down of it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import { slotsInBlock, type ConnectionMode } from '../../experiment/load-schedule.ts';
import type { ServiceRequest } from '../../experiment/service.ts';
import { readRequests, type PlacedRequests } from '../../gate/files/read-requests.ts';
import { usageError } from '../../gate/refusals.ts';
import { whyUnreadable } from '../../gate/files/written-file.ts';
import { matcherOf, templateOf, type WrittenRequests } from '../../gate/files/requests.ts';
import type { Path } from '../../gate/files/yaml-data.ts';
import type { ExpectedAnswer, Matcher, MixedRequest, PlanMixEntry, Template } from '../../in-lab/load/plan.ts';
import { isHeaderValue, isOwnHeader } from './header-options.ts';
import { optionName, type MeasureOptions } from './measure-options.ts';
import { expand, shownHeader, shownPath, type Told } from './secrets.ts';

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
}

type Written = WrittenRequests[number];

/**
 * Reads the mix that the options ask for; null where they ask for a single request.
 * @throws {HarnessError} naming the option, or the place in the file, that is wrong
 */
export async function mixOf(options: MeasureOptions, url: URL, defaults: MixDefaults): Promise<ToldMix | null> {
  const placed = options.requests === undefined ? options.requestList : await readRequests(options.requests);
  if (placed === undefined) return null;
  const single = (['method', 'body', 'capacity'] as const).find((key) => options[key] !== undefined);
  if (single !== undefined) {
    throw usage(`--${optionName(single)} is about a single request, and --requests names several.`);
  }
  if (url.pathname !== '/' || url.search !== '') {
    throw usage('--url must have no path with --requests: each request has its own.', `Such as ${url.origin}/`);
  }
  const mix = placed.requests.map((written, index) => new Reader(placed, index, defaults, options).read(written));
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
  private readonly secretHeaders: readonly string[];

  constructor(placed: PlacedRequests, index: number, defaults: MixDefaults, { secretHeader = [] }: MeasureOptions) {
    this.placed = placed;
    this.index = index;
    this.defaults = defaults;
    this.secretHeaders = secretHeader;
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
      if (name.toLowerCase() === 'host') throw this.wrong(at, 'is the same for all requests: header: ["Host: …"]');
      const template = this.templateAt(at, text.trim());
      if (!isHeaderValue(template.join(''))) throw this.wrong(at, 'must be one line of Latin letters');
      return [name, { template, shown: shownHeader(name, text.trim(), this.secretHeaders) }] as const;
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
        ([name, text]) => `header ${name} ${phrase(shownHeader(name, text, this.secretHeaders), 'is')}`,
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

function usage(message: string, hint?: string): HarnessError {
  return new HarnessError('option-value', message, { hint });
}
