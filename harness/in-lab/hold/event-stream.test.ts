import { describe, expect, it } from 'vitest';
import { EventStream } from './event-stream.ts';

/** The stream, its bytes cut in two at this place. */
function read(text: string, cut = 0): EventStream {
  const stream = new EventStream();
  const bytes = Buffer.from(text);
  stream.feed(bytes.subarray(0, cut));
  stream.feed(bytes.subarray(cut));
  return stream;
}

describe('an event stream', () => {
  it.each<[string, string, number, boolean]>([
    ['an event', 'data: a\n\n', 1, false],
    ['several lines of data, which are one event', 'data: a\ndata: b\nid: 7\n\n', 1, false],
    ['lines that end with CR LF, or CR', 'data: a\r\n\r\ndata: b\r\r', 2, false],
    ['a mark of the byte order', '\uFEFFdata: a\n\n', 1, false],
    ['a mark that is half there', 'data: a\n\n'.replace('d', '\u00EFd'), 0, false],
    ['data without a colon, and empty data', 'data\n\ndata:\n\n', 2, false],
    ['comments, which keep alive', ': a\n\n:\n\n', 0, false],
    ['a comment that is cut', 'data: a\n\n: keep-al', 1, false],
    ['fields without data, which are no event', 'retry: 100\n\nid: 3\n\nevent: x\n\n', 0, false],
    ['fields that merely begin like data', 'database: a\n\n', 0, false],
    ['a line that is cut', 'data: a\n\ndata: b', 1, true],
    ['an event without its empty line', 'data: a\n', 0, true],
    ['an event of which only the name has come', 'event: x\n', 0, true],
  ])('with %s', (_, text, events, isMidway) => {
    for (let cut = 0; cut <= Buffer.byteLength(text); cut++) {
      expect(read(text, cut), `cut at ${cut}`).toMatchObject({ events, isMidway });
    }
  });
});
