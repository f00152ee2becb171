import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { badRow, serviceRecord } from '../../verdict/testing.ts';
import { readBefore } from './answers-before.ts';

const folder = testFolder();

/** What is said of a service that answers 400 with this. */
async function toldOf(body: string): Promise<string | null> {
  const server = createServer((_, response) => response.writeHead(400, { Connection: 'close' }).end(body));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ledger = join(folder, `${port}.ndjson`);
  writeFileSync(ledger, `${JSON.stringify(badRow(0, { outcome: 'status-400', status: 400, error: null }))}\n`);
  const { service } = serviceRecord({ url: `http://127.0.0.1:${port}/`, address: '127.0.0.1', port });
  const request = { target: '/', headers: [], body: null, tls: null, name: null };
  return (await readBefore(ledger, { service, request, command: null })).example;
}

describe('a service that answers 400 before the command', () => {
  it.each([
    ['Go', 'Client sent an HTTP request to an HTTPS server.\n'],
    ['nginx', '<title>400 The plain HTTP request was sent to HTTPS port</title>'],
    ['Apache', '<p>Reason: You are speaking plain HTTP to an SSL-enabled server port.<br />'],
  ])('is to be asked with https:// where its words are those of TLS: %s', async (_, body) => {
    expect(await toldOf(body)).toBe('status 400: the port speaks TLS; ask it with --url https://…');
  });

  it('is not where its words are of anything else', async () => {
    expect(await toldOf('a parameter is missing')).toBeNull();
  });
});
