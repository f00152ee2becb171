/** Frames at random, whole, cut and wrong: whatever a server says, each request is settled once and none is sent again. */
import { afterAll, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../base/random.ts';
import { outcomes } from '../load/testing.ts';
import { expectBalanced, stopServers } from '../load/testing-server.ts';
import { streamRowsOf, serve } from './testing-h2-load.ts';
import { frame, frames, head, maxStreams, type StreamRequest } from './testing-h2.ts';

afterAll(stopServers);

type Wrong = (id: number, below: (bound: number) => number) => Buffer;
const noise = (below: (bound: number) => number, length: number): Buffer =>
  Buffer.from(Array.from({ length: below(length) }, () => below(256)));

const wrongs: readonly Wrong[] = [
  (id, below) => frame(below(12), below(256), below(3) === 0 ? below(50) : id, noise(below, 30)),
  (_, below) => noise(below, 60),
  (id, below) => frames.goaway(below(2) === 0 ? below(60) : id, below(14)),
  (id, below) => frames.rst(id, below(14)),
  (_, below) => frames.settings([below(8), below(3) === 0 ? 2 ** 32 - 1 : below(200)]),
  (id, below) => frames.window(below(2) * id, below(2) * (2 ** 31 - 1)),
  (id, below) =>
    Buffer.concat([
      frames.headers(id, head(100 + below(500), { 'content-length': String(below(4)) })),
      frames.data(id, 'ok', below(2) === 0),
    ]),
  (id) => Buffer.concat([frames.ok(id), frames.rst(id, 0), frames.ok(id)]),
  (id) => Buffer.concat([frames.headers(id, head(103)), frames.headers(id, head(200)), frames.data(id, 'x', false)]),
];

function behaviour(random: Random): (request: StreamRequest) => void {
  const below = (bound: number): number => Math.floor(random() * bound);
  return ({ socket, raw, id }) => {
    const wrong = below(3) === 0 ? wrongs[below(wrongs.length)] : undefined;
    const bytes = wrong?.(id, below) ?? frames.ok(id);
    const at = below(4) === 0 ? below(bytes.length + 1) : bytes.length;
    const end = below(25);
    socket.write(bytes.subarray(0, at));
    setTimeout(() => {
      if (end === 0) raw.resetAndDestroy();
      else if (end === 1) raw.end();
      else if (end === 2) socket.end();
      else if (at < bytes.length && !socket.destroyed) socket.write(bytes.subarray(at));
    }, below(20));
  };
}

it.each(Array.from({ length: 12 }, (_, round) => round))('round %i', async (round) => {
  const random = seededRandom(round, 'chaos');
  const kind = round % 2 === 0 ? 'plain' : 'tls';
  const greeting = round % 3 === 0 ? frames.settings([maxStreams, 3 + round]) : frames.settings();
  const server = await serve({ behave: behaviour(random), greeting }, kind);
  const connections = (['kept', 'new', 'mixed'] as const)[round % 3] ?? 'kept';
  const rows = await streamRowsOf(server.port, kind, { connections, deadlineMs: 1_000, maxConnections: 60 });
  expect(rows.length).toBe(100);
  expectBalanced(rows, server);
  expect(outcomes(rows)['ok']).toBeGreaterThan(0);
});
