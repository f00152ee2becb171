import { describe, expect, it } from 'vitest';
import { ParseError } from '../connection/answer.ts';
import { serverFrame } from './testing-holds.ts';
import { closeFrame, FrameReader, newKey } from './web-socket.ts';

const code = (number: number): Buffer => Buffer.from([number >> 8, number & 255]);
const long = Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536)]);

/** What a reader has seen of the bytes, cut in two at this place. */
function read(bytes: Buffer, cut = 0) {
  const replies: Buffer[] = [];
  const reader = new FrameReader((frame) => replies.push(frame));
  reader.feed(bytes.subarray(0, cut));
  reader.feed(bytes.subarray(cut));
  const { messages, bytes: size, closeCode, isMidway } = reader;
  return { messages, bytes: size, closeCode, isMidway, replies };
}

/** A client's frame without its mask. */
function unmasked(frame: Buffer | undefined): [opcode: number, payload: string] {
  const [first = 0, second = 0] = frame ?? [];
  expect(second & 0x80).toBe(0x80);
  const mask = frame?.subarray(2, 6) ?? [];
  const payload = frame?.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  expect(payload).toHaveLength(second & 0x7f);
  return [first & 0x0f, Buffer.from(payload ?? []).toString('latin1')];
}

describe('the frames of a web socket', () => {
  const seen = (messages: number, bytes: number, closeCode: number | null, isMidway: boolean) => ({
    messages,
    bytes,
    closeCode,
    isMidway,
  });
  it.each<[string, Buffer[], ReturnType<typeof seen>]>([
    [
      'a text and a binary message',
      [serverFrame(1, 'hello'), serverFrame(2, 'x'.repeat(300))],
      seen(2, 305, null, false),
    ],
    ['an empty message', [serverFrame(1, '')], seen(1, 0, null, false)],
    [
      'a message in fragments, with a ping between',
      [serverFrame(1, 'a', false), serverFrame(9, 'p'), serverFrame(0, 'b')],
      seen(1, 2, null, false),
    ],
    ['a message that is cut', [serverFrame(1, 'hello').subarray(0, 4)], seen(0, 2, null, true)],
    ['a header that is cut', [serverFrame(2, 'x'.repeat(300)).subarray(0, 3)], seen(0, 0, null, true)],
    ['a last fragment that is missing', [serverFrame(1, 'a', false)], seen(0, 1, null, true)],
    ['a goodbye', [serverFrame(1, 'a'), serverFrame(8, code(1001))], seen(1, 1, 1001, false)],
    [
      'a goodbye without a code, and what follows it',
      [serverFrame(8, ''), serverFrame(1, 'a')],
      seen(0, 0, 1005, false),
    ],
  ])('hold %s', (_, frames, expected) => {
    const bytes = Buffer.concat(frames);
    for (let cut = 0; cut <= bytes.length; cut++) expect(read(bytes, cut), `cut at ${cut}`).toMatchObject(expected);
  });

  it('may be longer than 64 KiB', () => {
    expect(read(long, 5)).toMatchObject(seen(1, 65_536, null, false));
    expect(read(long.subarray(0, -1))).toMatchObject(seen(0, 65_535, null, true));
  });

  it('are answered where RFC 6455 says so: a ping with its bytes, a goodbye with its code', () => {
    const { replies } = read(
      Buffer.concat([serverFrame(9, 'ping 7'), serverFrame(10, 'x'), serverFrame(8, code(1012))]),
    );
    expect(replies.map(unmasked)).toEqual([
      [10, 'ping 7'],
      [8, code(1012).toString('latin1')],
    ]);
    expect(unmasked(closeFrame(1001))).toEqual([8, code(1001).toString('latin1')]);
  });

  it.each<[string, Buffer]>([
    ['an extension', Buffer.from([0xc1, 0])],
    ['a mask', Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ['a kind that nobody knows', Buffer.from([0x83, 0])],
    ['a ping in fragments', serverFrame(9, 'a', false)],
    ['a ping that is too long', serverFrame(9, 'x'.repeat(126))],
    ['a continuation of nothing', serverFrame(0, 'a')],
    ['a message within a message', Buffer.concat([serverFrame(1, 'a', false), serverFrame(1, 'b')])],
    ['half a code', serverFrame(8, 'x')],
  ])('with %s are none that a service may send', (_, bytes) => {
    expect(() => read(bytes)).toThrow(ParseError);
  });

  it('come after an agreement by RFC 6455, 1.3', () => {
    const { key, accept } = newKey();
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
    expect(accept).toMatch(/^[\w+/]{27}=$/u);
  });
});
