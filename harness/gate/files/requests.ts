/** A mix of requests as a user writes it: a list in a budgets file, or in a file of its own. */
import { compile } from 'json-p3';
import { z } from 'zod';
import { messageOf } from '../../base/errors.ts';
import { methods } from '../../base/methods.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { Matcher, Template } from '../../in-lab/load/plan.ts';
import type { Path } from './yaml-data.ts';

/** In `mixed` connections each request gets one of fifty slots at least. */
const mostRequests = 50;
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/u;
/** Headers that belong to the instrument. */
const ownHeaders = ['connection', 'content-length', 'transfer-encoding', 'x-request-id', 'expect', 'upgrade'];
const headersSchema = z.record(z.string(), z.string()).default({});

const expectSchema = z.strictObject({
  status: z.number().int().min(200).max(599).optional(),
  /** A text that the header is, or an expression that it matches. */
  header: headersSchema,
  /** A text that the body contains, or an expression that it matches. */
  body: z.string().min(1).optional(),
  /** By JSON path: the value that all it selects must have. */
  json: z.record(z.string(), z.unknown()).default({}),
});

const requestSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(80)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be text without control characters')
      .optional(),
    method: z.enum(methods).default('GET'),
    path: z.string().startsWith('/', 'must begin with /: it is a path, not a whole URL'),
    weight: z.number().positive().max(1_000_000).default(1),
    headers: headersSchema,
    body: z.string().optional(),
    expect: expectSchema.default({ header: {}, json: {} }),
  })
  .superRefine(({ method, path, headers, expect }, context) => {
    const refuse = (at: PropertyKey[], message: string | null): void => {
      if (message !== null) context.addIssue({ code: 'custom', path: at, message });
    };
    const nameProblem = (name: string): string | null => (headerName.test(name) ? null : 'is no name of a header');
    for (const name of Object.keys(headers)) refuse(['headers', name], nameProblem(name));
    for (const [name, text] of Object.entries(expect.header)) {
      refuse(['expect', 'header', name], nameProblem(name) ?? regexProblem(text));
    }
    refuse(['path'], placeholder(path));
    refuse(['expect', 'body'], regexProblem(expect.body ?? ''));
    for (const jsonPath of Object.keys(expect.json)) refuse(['expect', 'json', jsonPath], jsonPathProblem(jsonPath));
    if (method === 'HEAD' && (expect.body !== undefined || Object.keys(expect.json).length > 0)) {
      refuse(['expect'], 'an answer to HEAD has no body: expect its status and headers');
    }
  });

/** A list of requests. */
export const requestsSchema = z.array(requestSchema).min(1).max(mostRequests);

/** A list of requests, as it was written. */
export type WrittenRequests = z.infer<typeof requestsSchema>;

/** Where texts are taken as they are written: digits, too. @param path within the list */
export function isRequestText([, field, part, ...rest]: Path): boolean {
  if (field !== 'expect') return field !== 'weight';
  return part === 'body' || (part === 'header' && rest.length > 0);
}

/** Does the instrument set it? */
export function isOwnHeader(name: string): boolean {
  return ownHeaders.includes(name.toLowerCase());
}

/** May a header have this value: one line of Latin letters? */
export function isHeaderValue(text: string): boolean {
  return headerValue.test(text);
}

/** What a text of a request is made of. */
const parts = /\$\$\{|\$\{[A-Za-z_]\w*\}|\{\{(?:id|seq)\}\}|\{(id|seq)\}/gu;

/**
 * Parts a text at `{id}` and `{seq}`; `{{id}}` stands for `{id}`.
 * @param expand gives what `${NAME}` and `$${` stand for
 */
export function templateOf(text: string, expand: (variable: string) => string): Template {
  const template: string[] = [''];
  const add = (more: string): void => {
    template.push(`${template.pop() ?? ''}${more}`);
  };
  let from = 0;
  for (const match of text.matchAll(parts)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [whole, name] = match;
    if (name !== undefined) template.push(name, '');
    else add(whole.startsWith('{{') ? whole.slice(1, -1) : expand(whole));
  }
  add(text.slice(from));
  return template;
}

/** A path is no text in which other braces would stand: they are a misspelt name. */
function placeholder(path: string): string | null {
  const other = /(?<![${])\{([^{}]*)\}/gu;
  const name = [...path.matchAll(other)].map((match) => match[1] ?? '').find((one) => one !== 'id' && one !== 'seq');
  if (name === undefined) return null;
  return `{${name}} is not filled in: there are {id} and {seq}. ${didYouMean(name, ['id', 'seq'])}`.trim();
}

const regexForm = /^\/(.+)\/([imsu]*)$/su;

/** A text between slashes is a regular expression. */
export function matcherOf(text: string): Matcher {
  const [, regex, flags = ''] = regexForm.exec(text) ?? [];
  return regex === undefined ? { text } : { regex, flags };
}

function regexProblem(text: string): string | null {
  const matcher = matcherOf(text);
  if ('text' in matcher) return null;
  const why = thrownBy(() => new RegExp(matcher.regex, matcher.flags));
  return why && `is no regular expression: ${why.replace(/^Invalid regular expression: /u, '')}`;
}

function jsonPathProblem(path: string): string | null {
  const why = thrownBy(() => compile(path));
  return why && `is no JSON path (RFC 9535, such as $.order.id): ${why}`;
}

function thrownBy(make: () => unknown): string | null {
  try {
    make();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
