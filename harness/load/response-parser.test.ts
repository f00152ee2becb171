import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError, ResponseParser, type Response } from './response-parser.ts';

/** Feeds the text in pieces of the given sizes, the last one as often as needed. */
function parse(text: string, sizes: readonly number[] = [text.length]): Response | undefined {
  const parser = new ResponseParser();
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (let piece = 0; from < bytes.length; piece++) {
    const size = Math.max(1, sizes[Math.min(piece, sizes.length - 1)] ?? 1);
    const response = parser.feed(bytes.subarray(from, from + size));
    from += size;
    if (response !== undefined) return response;
  }
  return parser.end();
}

const fixed = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App-Version: v3\r\n\r\nhello';
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\nX-T: 1\r\n\r\n';

describe('response parser', () => {
  it('reads a body of known length, and headers whatever their case', () => {
    const response = parse(fixed);
    expect(response?.status).toBe(200);
    expect(response?.body.toString()).toBe('hello');
    expect(response?.headers.get('x-app-version')).toBe('v3');
    expect(response?.keepAlive).toBe(true);
  });

  it('reads the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(fixed, chunked),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (text, sizes) => {
          expect(parse(text, sizes)?.body.toString()).toBe('hello');
        },
      ),
    );
  });

  it('has no answer while any byte of it is missing', () => {
    for (const text of [fixed, chunked]) {
      for (let length = 0; length < text.length; length++) expect(parse(text.slice(0, length))).toBeUndefined();
    }
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X, Close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', true],
    ['HTTP/1.1 204 No Content\r\n\r\n', true],
  ])('knows whether the connection stays open: %j', (text, keepAlive) => {
    expect(parse(text)?.keepAlive).toBe(keepAlive);
  });

  it('takes a body without a length as ended by the close, and the connection with it', () => {
    const response = parse('HTTP/1.1 200 OK\r\n\r\nhello');
    expect(response?.body.toString()).toBe('hello');
    expect(response?.keepAlive).toBe(false);
  });

  it('passes over an interim answer', () => {
    expect(parse(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${fixed}`)?.status).toBe(200);
  });

  it.each([
    ['bytes after the end', `${fixed}H`],
    ['no HTTP', 'SSH-2.0-OpenSSH'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and a coding', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a coding nobody knows', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a chunk too long', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a header name with a space', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello'],
    ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(ParseError);
  });
});
