/** `measure --hold` as a user calls it: servers that restart in known ways, and say themselves what was open. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { listen } from '../in-lab/load/testing.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = testFolder();
const children: ChildProcess[] = [];
const pidFiles: string[] = [];
afterAll(() => {
  for (const file of pidFiles) process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Serves `/`, an event stream at `/events` and a web socket at `/socket`. At SIGTERM it writes down what was open, and ends:
 * `abrupt` at once, `mid` when it has written half an event to each, `goodbye` with the last chunk or a close frame.
 */
const serverScript = join(folder, 'server.mjs');
writeFileSync(
  serverScript,
  `import { createServer } from 'node:http';
   import { createHash } from 'node:crypto';
   import { writeFileSync } from 'node:fs';
   const [, , port, way, name] = process.argv;
   const [streams, sockets] = [new Set(), new Set()];
   const server = createServer((request, response) => {
     if (request.url !== '/events') return response.end('ok');
     response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: hello\\n\\n');
     streams.add(response);
     response.once('close', () => streams.delete(response));
   });
   server.on('upgrade', (request, socket) => {
     const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
     const accept = createHash('sha1').update(key).digest('base64');
     socket.write('HTTP/1.1 101 Go\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
     socket.write(Buffer.from([0x81, 2, 104, 105]));
     sockets.add(socket);
     socket.on('error', () => undefined);
     socket.once('close', () => sockets.delete(socket));
     socket.on('end', () => socket.end()).resume();
   });
   server.listen(Number(port), '127.0.0.1', () => writeFileSync(name + '.pid', String(process.pid)));
   process.on('SIGTERM', () => {
     writeFileSync(name + '.open', String(streams.size + sockets.size));
     if (way === 'abrupt') process.exit();
     server.close();
     server.closeIdleConnections();
     for (const stream of streams) way === 'mid' ? stream.write('data: half') : stream.end();
     for (const socket of sockets) socket.end(Buffer.from([0x88, 2, 0x03, 0xe9]));
     setTimeout(() => process.exit(), 100);
   });`,
);

interface Service {
  readonly url: string;
  readonly deploy: string;
  /** What the last process that was told to end had open then. */
  readonly open: () => number;
}

async function start(way: 'abrupt' | 'mid' | 'goodbye'): Promise<Service> {
  const free = createServer();
  const port = await listen(free);
  await new Promise((resolve) => free.close(resolve));
  const name = join(folder, String(port));
  pidFiles.push(`${name}.pid`);
  const command = `${process.execPath} ${serverScript} ${port} ${way} ${name}`;
  children.push(spawn(process.execPath, [serverScript, String(port), way, name]));
  await vi.waitFor(() => expect(readFileSync(`${name}.pid`, 'utf8')).toMatch(/^\d+$/u), 10_000);
  const deploy =
    `old=$(cat ${name}.pid); kill $old; while kill -0 $old 2>/dev/null; do sleep 0.02; done\n` +
    `sleep 0.2; setsid ${command} & until [ "$(cat ${name}.pid)" != $old ]; do sleep 0.02; done`;
  return { url: `http://127.0.0.1:${port}/`, deploy, open: () => Number(readFileSync(`${name}.open`, 'utf8')) };
}

const quick = ['--rate', '100', '--settle', '500ms', '--max-dropped', '1000'];
async function measured(...words: string[]): Promise<{ verdict: Verdict; exitCode: number | undefined }> {
  const asked = ['measure', '--json', '--out', folder, ...quick, ...words];
  const { stdout, exitCode } = await execa(process.execPath, [cliPath, ...asked], { reject: false });
  return { verdict: verdictSchema.parse(JSON.parse(stdout)), exitCode };
}

describe.concurrent('measure --hold', () => {
  it('counts each event stream that a server closes as it exits, in the step of the deploy, until it is back', async () => {
    const { url, deploy, open } = await start('abrupt');
    const hold = ['--hold', '20', '--hold-kind', 'sse', '--hold-path', '/events'];
    const { verdict } = await measured('--url', url, '--while', deploy, ...hold);
    expect(open()).toBe(20);
    expect(verdict.holds).toMatchObject({
      ...{ opened: 40, messages: 40, bytes: 40 * 13, ended: 20, byEnding: { fin: 20 }, cut: 0, notBack: 0 },
      byStep: { refusing: 20 },
      perRestart: [{ open: 20, ended: 20 }],
    });
    // 0.2 s without a server at least, and the steps of the back-off.
    expect(verdict.holds?.longestBackMs).toBeGreaterThan(200);
    const run = join(folder, 'measure', verdict.runId);
    expect(readFileSync(join(run, 'report.md'), 'utf8')).toContain(
      'The service ended one of 20 held connections (sse)',
    );
  });

  it('tells streams that are cut in the middle of an event, and fails by --max-cut', async () => {
    const { url, deploy, open } = await start('mid');
    const hold = ['--hold', '10', '--hold-kind', 'sse', '--hold-path', '/events', '--max-cut', '9'];
    const { verdict, exitCode } = await measured('--url', url, '--while', deploy, ...hold);
    expect(open()).toBe(10);
    expect(verdict.holds).toMatchObject({ ended: 10, byEnding: { cut: 10 }, cut: 10 });
    expect(verdict).toMatchObject({ verdict: 'fail', headline: '10 held connections cut in the middle of a message' });
    expect(exitCode).toBe(1);
  });

  it('tells web sockets and streams to which the server says goodbye', async () => {
    const { url, deploy, open } = await start('goodbye');
    const sockets = ['--hold', '15', '--hold-kind', 'websocket', '--hold-path', '/socket', '--max-cut', '0'];
    const { verdict } = await measured('--url', url, '--while', deploy, ...sockets);
    expect(open()).toBe(15);
    expect(verdict.holds).toMatchObject({
      ...{ ended: 15, byEnding: { 'close-frame': 15 }, closeCodes: { '1001': 15 }, cut: 0, notBack: 0 },
      messages: 30,
    });
    const streams = ['--hold', '15', '--hold-kind', 'sse', '--hold-path', '/events'];
    const { verdict: ofStreams } = await measured('--url', url, '--while', deploy, ...streams);
    expect(open()).toBe(15);
    expect(ofStreams.holds).toMatchObject({ ended: 15, byEnding: { complete: 15 }, messages: 30 });
    const idle = await measured('--url', url, '--while', deploy, '--hold', '15', '--hold-kind', 'idle');
    // closeIdleConnections() at the drain.
    expect(idle.verdict.holds).toMatchObject({ ended: 15, byEnding: { fin: 15 }, byStep: { refusing: 15 } });
  });
});

it('makes no claim where what is served at --hold-path is no event stream', async () => {
  const { url } = await start('abrupt');
  const { verdict, exitCode } = await measured('--url', url, '--hold', '2', '--hold-kind', 'sse', '--duration', '2s');
  expect([verdict.headline, exitCode]).toEqual(['no connection was held', 3]);
  expect(verdict.reasons.join()).toContain('the answer is no event stream (without a Content-Type)');
});
