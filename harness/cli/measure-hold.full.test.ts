/** `measure --hold` as a user calls it: servers that restart in known ways, and say themselves what was open. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { measuring } from './testing-measure.ts';

const { measured, serveReplaceable } = measuring();

/**
 * Serves `/`, an event stream at `/events` and a web socket at `/socket`. At SIGTERM it writes down what was open, and ends:
 * `abrupt` at once, `mid` when it has written half an event to each, `goodbye` with the last chunk or a close frame.
 */
const script = `import { createServer } from 'node:http';
   import { createHash } from 'node:crypto';
   import { writeFileSync } from 'node:fs';
   const [, , port, pidFile, way] = process.argv;
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
   server.listen(Number(port), '127.0.0.1', () => writeFileSync(pidFile, String(process.pid)));
   process.on('SIGTERM', () => {
     writeFileSync(pidFile + '.open', String(streams.size + sockets.size));
     if (way === 'abrupt') process.exit();
     server.close();
     server.closeIdleConnections();
     for (const stream of streams) way === 'mid' ? stream.write('data: half') : stream.end();
     for (const socket of sockets) socket.end(Buffer.from([0x88, 2, 0x03, 0xe9]));
     setTimeout(() => process.exit(), 100);
   });`;

const quick = { rate: 100, settle: '500ms', maxDropped: 1_000 };
const events = { holdKind: 'sse', holdPath: '/events' };

/** A server; `open` tells what the last process that was told to end had open then. */
async function start(way: 'abrupt' | 'mid' | 'goodbye') {
  const { url, deploy, pidFile } = await serveReplaceable(script, way);
  return { asked: { ...quick, url }, deploy, open: () => Number(readFileSync(`${pidFile}.open`, 'utf8')) };
}

describe.concurrent('measure --hold', () => {
  it('counts each event stream that a server closes as it exits, in the step of the deploy, until it is back', async () => {
    const { asked, deploy, open } = await start('abrupt');
    const { verdict, textOf } = await measured({ ...asked, while: deploy, hold: 20, ...events });
    expect(open()).toBe(20);
    expect(verdict.holds).toMatchObject({
      ...{ opened: 40, messages: 40, bytes: 40 * 13, ended: 20, byEnding: { fin: 20 }, cut: 0, notBack: 0 },
      byStep: { refusing: 20 },
      perRestart: [{ open: 20, ended: 20 }],
    });
    // 0.3 s without a server at least, and the steps of the back-off.
    expect(verdict.holds?.longestBackMs).toBeGreaterThan(300);
    expect(textOf('report.md')).toContain('The service ended one of 20 held connections (sse)');
  });

  it('tells streams that are cut in the middle of an event, and fails by --max-cut', async () => {
    const { asked, deploy, open } = await start('mid');
    const { verdict, exitCode } = await measured({ ...asked, while: deploy, hold: 10, ...events, maxCut: 9 });
    expect(open()).toBe(10);
    expect(verdict.holds).toMatchObject({ ended: 10, byEnding: { cut: 10 }, cut: 10 });
    expect(verdict).toMatchObject({ verdict: 'fail', headline: '10 held connections cut in the middle of a message' });
    expect(exitCode).toBe(1);
  });

  it('tells web sockets and streams to which the server says goodbye', async () => {
    const { asked, deploy, open } = await start('goodbye');
    const of15 = { ...asked, while: deploy, hold: 15 };
    const { verdict } = await measured({ ...of15, holdKind: 'websocket', holdPath: '/socket', maxCut: 0 });
    expect(open()).toBe(15);
    expect(verdict.holds).toMatchObject({
      ...{ ended: 15, byEnding: { 'close-frame': 15 }, closeCodes: { '1001': 15 }, cut: 0, notBack: 0 },
      messages: 30,
    });
    const { verdict: ofStreams } = await measured({ ...of15, ...events });
    expect(open()).toBe(15);
    expect(ofStreams.holds).toMatchObject({ ended: 15, byEnding: { complete: 15 }, messages: 30 });
    const idle = await measured({ ...of15, holdKind: 'idle' });
    // closeIdleConnections() at the drain.
    expect(idle.verdict.holds).toMatchObject({ ended: 15, byEnding: { fin: 15 }, byStep: { refusing: 15 } });
  });
});

it('makes no claim where what is served at --hold-path is no event stream', async () => {
  const { asked } = await start('abrupt');
  const { verdict, exitCode } = await measured({ ...asked, hold: 2, holdKind: 'sse', duration: '2s' });
  expect([verdict.headline, exitCode]).toEqual(['no connection was held', 3]);
  expect(verdict.reasons.join()).toContain('the answer is no event stream (without a Content-Type)');
});
