import { describe, expect, it } from 'vitest';
import { LimitError, ParseError, ResponseParser, type Response } from '../load/response-parser.ts';
import { answerCases, type Expected } from './answers.ts';

/** Above this length an answer is not tried cut at every place. */
const longest = 5_000;

/** What comes of bytes that arrive in these pieces, and then the close. */
function resultOf(pieces: readonly Buffer[]): unknown {
  const parser = new ResponseParser({ keepsBody: true, maxHeadBytes: 300 * 1024, maxAnswerBytes: 2 ** 30 });
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
  const { status, body, keepAlive, framing } = response;
  return { status, body: body?.toString('latin1'), isKept: keepAlive, endsByClose: framing === 'close' };
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

describe('an answer is read as what it is', () => {
  it.each(answerCases.map(({ name, bytes, expected }) => [name, bytes, expected] as const))(
    '%s',
    (_, bytes, expected) => {
      expect(resultOf([Buffer.from(bytes, 'latin1')])).toEqual(wanted(expected));
    },
  );
});

describe('however TCP cuts the bytes', () => {
  it.each(answerCases.map(({ name, bytes }) => [name, bytes] as const))('%s', (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = apartFromEnd(resultOf([bytes]));
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    if (bytes.length <= longest) expect(apartFromEnd(resultOf(single))).toEqual(whole);
    for (let at = 1; at < Math.min(bytes.length, longest); at++) {
      expect(apartFromEnd(resultOf([bytes.subarray(0, at), bytes.subarray(at)]))).toEqual(whole);
    }
  });
});
