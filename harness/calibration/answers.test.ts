import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError, ParseError } from '../in-lab/connection/answer.ts';
import { ResponseParser, type Response } from '../in-lab/connection/response-parser.ts';
import { answerCases, type Expected } from './answers.ts';

/** A longer answer is not cut at every place, but at one in a thousand. */
const longest = 5_000;

/** What comes of bytes that arrive in these pieces, and then the close. */
function resultOf(pieces: readonly Buffer[]): unknown {
  const parser = new ResponseParser({ keptBytes: 2 ** 20, maxHeadBytes: 300 * 1024, maxAnswerBytes: 2 ** 30 });
  let response: Response | undefined;
  try {
    for (const piece of pieces) {
      response = parser.feed(piece);
      if (response !== undefined) break;
    }
    response ??= parser.end();
  } catch (error) {
    if (error instanceof LimitError) return 'local';
    if (error instanceof ParseError) return { refused: error.message };
    throw error;
  }
  if (response === undefined) return parser.begunUs === null ? 'closed' : 'truncated';
  const { status, body, keepAlive, hasNoLength } = response;
  return { status, body: body?.toString('latin1'), isKept: keepAlive, endsByClose: hasNoLength };
}

function wanted(expected: Expected): unknown {
  if (typeof expected === 'string') return expected;
  if ('refused' in expected) return { refused: expect.stringContaining(expected.refused) as string };
  return { endsByClose: false, ...expected };
}

/** Bytes behind the end close a connection, which shows only where they come together with it. */
function apartFromEnd(result: unknown): unknown {
  return typeof result === 'object' ? { ...result, isKept: null } : result;
}

describe('an answer is read as what it is, however TCP cuts the bytes', () => {
  it.each(answerCases.map(({ name, ...one }) => [name, one] as const))('%s', (_, { bytes: text, expected }) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(resultOf([bytes])).toEqual(wanted(expected));
    const whole = apartFromEnd(resultOf([bytes]));
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    if (bytes.length <= longest) expect(apartFromEnd(resultOf(single))).toEqual(whole);
    for (let at = 1; at < bytes.length; at += bytes.length <= longest ? 1 : 1_009) {
      expect(apartFromEnd(resultOf([bytes.subarray(0, at), bytes.subarray(at)]))).toEqual(whole);
    }
  });
});

/** A change of an answer: some bytes at a place are replaced by others, taken from it or from nowhere. */
const mutation = fc.record({
  at: fc.nat(),
  removed: fc.nat(4),
  inserted: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom('\r', '\n', '\r\n', ' ', ':', ';', '0', ',', '\t'),
  ),
});

describe('damaged answers', () => {
  /** Of a refusal the reason may depend on how much had come; that it is refused may not. */
  const kindOf = (result: unknown): unknown =>
    typeof result === 'object' && result !== null && 'refused' in result ? 'refused' : apartFromEnd(result);

  it('crash nothing, and come to the same however TCP cuts them: 10 000 of them', () => {
    const mutated = fc.record({
      seed: fc.constantFrom(...answerCases.filter(({ bytes }) => bytes.length <= longest).map(({ bytes }) => bytes)),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
      cuts: fc.array(fc.nat(), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(mutated, ({ seed, mutations, cuts }) => {
        let bytes = Buffer.from(seed, 'latin1');
        for (const { at, removed, inserted } of mutations) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(inserted), bytes.subarray(place + removed)]);
        }
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
        expect(kindOf(resultOf(pieces.filter(({ length }) => length > 0)))).toEqual(kindOf(resultOf([bytes])));
      }),
      { numRuns: 10_000 },
    );
  });
});
