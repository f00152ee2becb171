/** `measure --http 2` as a user calls it, by prior knowledge. */
import { createServer } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { frames, streamServer } from '../in-lab/connection/testing-h2.ts';
import { listen } from '../in-lab/load/testing.ts';
import { readLedger } from '../run/read-ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import { measuring } from './testing-measure.ts';

const { measured } = measuring();

const servers: { close(): unknown }[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

it('sends requests on streams, and tells those that were refused from those that were cut', async () => {
  const server = await streamServer({
    behave: ({ socket, id, nthRequest }) => {
      const [refused, internal] = [nthRequest % 10 === 3, nthRequest % 10 === 7];
      socket.write(refused ? frames.rst(id, 7) : internal ? frames.rst(id, 2) : frames.ok(id));
    },
  });
  servers.push(server);
  const asked = { http: 2, url: `http://127.0.0.1:${server.port}/`, duration: '1s', connections: 'kept' };
  const { verdict, exitCode, file, textOf } = await measured(asked);
  expect(exitCode).toBe(1);
  expect(verdict.outcomes).toEqual({ ok: 80, 'refused-stream': 10, reset: 10 });
  expect(verdict.failureKinds).toEqual({ 'stream refused': 10, 'cut in flight': 10 });
  expect(textOf(runFiles.report)).toMatch(/\| protocol +\| HTTP\/2 by prior knowledge +\|/u);
  expect(verdict.retryingClient).toEqual({ resent: 10, droppedAtBest: 10 });
  for await (const { protocol, streamId } of readLedger(file(runFiles.ledger))) {
    expect([protocol, typeof streamId]).toEqual(['h2', 'number']);
  }
});

it('says how to ask a server that speaks HTTP/1.1 only', async () => {
  const server = createServer((_, response) => response.end('ok'));
  servers.push(server);
  const url = `http://127.0.0.1:${await listen(server)}/`;
  const { verdict, exitCode } = await measured({ http: 2, url, while: 'true' });
  expect(exitCode).toBe(3);
  expect(verdict.reasons[0]).toContain('HTTP/2 is not what the server speaks; ask it with --http 1.1');
});
