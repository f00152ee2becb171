import { describe, expect, it } from 'vitest';
import { codeName, FrameReader, frameTypes, readGoaway, readReset, readSetting } from './http2-frames.ts';
import { frame, frames, head } from './testing-h2.ts';

const all = Buffer.concat([
  frames.settings([3, 7], [4, 100]),
  frames.headers(1, head(200)),
  frames.goaway(5, 2, 'why'),
  frames.data(1, 'some', false),
  frames.rst(3, 7),
  frames.data(1, 'rest'),
  // A head in two frames ends its stream with the second.
  frame(1, 1, 5, head(204)),
  frame(9, 4, 5, Buffer.alloc(0)),
]);

function readIn(size: number): { passed: Buffer; told: unknown[] } {
  const told: unknown[] = [];
  const passed: Buffer[] = [];
  const reader = new FrameReader({
    begun: (seen) => {
      if (seen.type === frameTypes.settings) told.push(['settings', readSetting(seen, 3), readSetting(seen, 9)]);
      if (seen.type === frameTypes.reset) told.push(['reset', seen.streamId, readReset(seen)]);
      if (seen.type !== frameTypes.goaway) return false;
      told.push(['goaway', readGoaway(seen)]);
      return true;
    },
    ended: (streamId) => void told.push(['ended', streamId]),
  });
  for (let at = 0; at < all.length; at += size) reader.read(all.subarray(at, at + size), (part) => passed.push(part));
  return { passed: Buffer.concat(passed), told };
}

describe('frames', () => {
  it.each([1, 2, 7, 9, 10, 13, all.length])('are read in pieces of %i bytes, and all but GOAWAY pass', (size) => {
    const { passed, told } = readIn(size);
    expect(told).toEqual([
      ['settings', 7, null],
      ['goaway', { lastId: 5, code: 'INTERNAL_ERROR' }],
      ['reset', 3, 'REFUSED_STREAM'],
      ['ended', 1],
      ['ended', 5],
    ]);
    const goaway = frames.goaway(5, 2, 'why');
    const at = all.indexOf(goaway);
    expect(passed).toEqual(Buffer.concat([all.subarray(0, at), all.subarray(at + goaway.length)]));
  });

  it('end with the last byte of their payload', () => {
    const ended: number[] = [];
    const reader = new FrameReader({ begun: () => false, ended: (streamId) => void ended.push(streamId) });
    const last = frames.data(1, 'rest');
    reader.read(last.subarray(0, -1), () => undefined);
    expect(ended).toEqual([]);
    reader.read(last.subarray(-1), () => undefined);
    expect(ended).toEqual([1]);
  });

  it('have codes with names, or their number', () => {
    expect([codeName(0), codeName(13), codeName(0xab)]).toEqual(['NO_ERROR', 'HTTP_1_1_REQUIRED', '0xab']);
  });
});
