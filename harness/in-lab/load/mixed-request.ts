/** A request of a mix that the user wrote: filled in for its slot, and its answer held against what is expected. */
import { isDeepStrictEqual } from 'node:util';
import { expectationWords } from '../../run/failure-words.ts';
import type { ExpectedAnswer, Matcher, MixedRequest, PlanMixEntry, Template } from './plan.ts';
import type { Answer } from '../connection/answer.ts';

/** Says whether an answer with the expected status is the one that is expected. */
export interface AnswerCheck {
  readonly needsBody: boolean;
  /** What a row says of the first expectation that is missed; null where none is. */
  missedBy(answer: Pick<Answer, 'headers' | 'body'>): string | null;
}

/** An entry whose expectations are ready to be asked. */
export interface CheckedEntry extends PlanMixEntry {
  readonly check?: AnswerCheck;
}

/** Makes the expectations of a mix ready. JSON paths are loaded only where there are any: the lab has no packages. */
export async function withChecks(mix: readonly PlanMixEntry[]): Promise<CheckedEntry[]> {
  return await Promise.all(
    mix.map(async (entry) => {
      const check = entry.mixed === undefined ? null : await answerCheck(entry.mixed.expected);
      return check === null ? entry : { ...entry, check };
    }),
  );
}

/** Null where nothing but the status is expected. */
export async function answerCheck({ headers, body, json }: ExpectedAnswer): Promise<AnswerCheck | null> {
  if (headers.length === 0 && body === null && json.length === 0) return null;
  const ofHeaders = headers.map(([name, matcher]) => ({
    words: expectationWords('header', name),
    key: name.toLowerCase(),
    isMet: matcherOf(matcher, (value, text) => value === text),
  }));
  const ofBody = body === null ? null : matcherOf(body, (value, text) => value.includes(text));
  const ofJson = await pathsOf(json);
  return {
    needsBody: ofBody !== null || ofJson.length > 0,
    missedBy: (answer) => {
      const header = ofHeaders.find(({ key, isMet }) => !isMet(answer.headers.get(key)));
      if (header !== undefined) return header.words;
      const text = answer.body?.toString('utf8');
      if (ofBody !== null && !ofBody(text)) return expectationWords('body');
      if (ofJson.length === 0) return null;
      const document = parsed(text);
      return ofJson.find(({ isMet }) => !isMet(document))?.words ?? null;
    },
  };
}

function matcherOf(
  matcher: Matcher,
  isText: (value: string, text: string) => boolean,
): (value: string | undefined) => boolean {
  if ('text' in matcher) return (value) => value !== undefined && isText(value, matcher.text);
  const regex = new RegExp(matcher.regex, matcher.flags);
  return (value) => value !== undefined && regex.test(value);
}

/** undefined where it is no JSON. */
function parsed(text = ''): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function pathsOf(
  json: ExpectedAnswer['json'],
): Promise<{ words: string; isMet: (document: unknown) => boolean }[]> {
  if (json.length === 0) return [];
  const { compile } = await import('json-p3');
  return json.map(([path, wanted]) => {
    const query = compile(path);
    const isMet = (document: unknown): boolean => {
      if (document === undefined) return false;
      try {
        const values = query.query(document as Parameters<typeof query.query>[0]).values();
        return values.length > 0 && values.every((value) => isDeepStrictEqual(value, wanted));
      } catch {
        // A document nested too deep for the path.
        return false;
      }
    };
    return { words: expectationWords('json', path), isMet };
  });
}

/** What a mixed request sends in one slot. Its body is null where it is the same in every slot. */
export function filledRequest({ target, headers, body }: MixedRequest, id: string, seq: number) {
  const fill = (template: Template): string => filled(template, id, seq);
  return {
    target: fill(target),
    headers: headers.map(([name, value]) => [name, fill(value)] as const),
    body: body === null || 'base64' in body ? null : Buffer.from(fill(body.text)),
  };
}

function filled(template: Template, id: string, seq: number): string {
  if (template.length === 1) return template[0] ?? '';
  return template.map((part, place) => (place % 2 === 0 ? part : part === 'id' ? id : String(seq))).join('');
}
