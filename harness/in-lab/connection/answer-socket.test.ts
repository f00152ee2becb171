import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { AnswerSocket } from './answer-socket.ts';
import { listen } from '../load/testing.ts';

let server: Server;
afterEach(() => void server.close());

/** Both ends of a connection. */
async function connected(): Promise<{ client: AnswerSocket; peer: Socket }> {
  server = createServer();
  const port = await listen(server);
  const client = new AnswerSocket(() => undefined);
  client.connect({ host: '127.0.0.1', port });
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
  return { client, peer };
}

it.each<[string, (peer: Socket) => void]>([
  ['bytes', (peer) => void peer.write('x')],
  ['a close', (peer) => void peer.destroy()],
  ['a reset', (peer) => void peer.resetAndDestroy()],
])('sees %s of its peer before the loop has told of it', async (_, speak) => {
  const { client, peer } = await connected();
  client.on('error', () => undefined);
  peer.on('error', () => undefined);
  const before = client.isSilent();
  speak(peer);
  expect([before, client.isSilent()]).toEqual([true, false]);
  client.destroy();
  peer.destroy();
});
