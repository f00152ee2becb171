/** When requests arrived, beside when they should have: what a server can tell of a load generator's schedule. */
import { createSecureServer } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { execa } from 'execa';
import { monotonicUs } from '../base/clock.ts';

/** What the arrivals of one load come to. */
export interface ArrivalSummary {
  readonly arrived: number;
  /** Requests a second between the first and the last. */
  readonly achievedRate: number;
  /** Arrival less ideal slot, in milliseconds; slots are counted from the arrival that makes the smallest lag 0. */
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

/** Sums up arrivals (any clock's microseconds, in order of arrival) against an even schedule. */
export function summarizeArrivals(arrivalsUs: readonly number[], ratePerSecond: number): ArrivalSummary {
  const slotUs = 1e6 / ratePerSecond;
  const offsets = arrivalsUs.map((atUs, index) => atUs - index * slotUs);
  const earliest = offsets.reduce((least, offset) => Math.min(least, offset), Infinity);
  const lags = Float64Array.from(offsets, (offset) => (offset - earliest) / 1000).sort();
  const at = (share: number): number => lags[Math.max(0, Math.ceil(share * lags.length) - 1)] ?? Number.NaN;
  const spanUs = (arrivalsUs.at(-1) ?? 0) - (arrivalsUs[0] ?? 0);
  return {
    arrived: arrivalsUs.length,
    achievedRate: spanUs > 0 ? ((arrivalsUs.length - 1) * 1e6) / spanUs : 0,
    lagP50Ms: at(0.5),
    lagP99Ms: at(0.99),
    lagMaxMs: at(1),
  };
}

/** A server that remembers when requests arrive. */
export interface ArrivalServer {
  readonly port: number;
  /** Sums up what arrived since the last summary. */
  summary(ratePerSecond: number): ArrivalSummary;
  close(): void;
}

/** What is spoken with it: plain HTTP/1.1, the same over TLS, or HTTP/2 over TLS. */
export type Protocol = 'http' | 'https' | 'h2';

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const endOfHead = Buffer.from('\r\n\r\n');

/** Starts it in this process. As lean as can be: only GET, of HTTP/1.1 one at a time on a connection, answered at once. */
export async function startArrivalServer(protocol: Protocol = 'http'): Promise<ArrivalServer> {
  let arrivalsUs: number[] = [];
  const arrived = (): void => void arrivalsUs.push(monotonicUs());
  const server = await serverOf(protocol, arrived);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    summary: (ratePerSecond) => {
      const summary = summarizeArrivals(arrivalsUs, ratePerSecond);
      arrivalsUs = [];
      return summary;
    },
    close: () => void server.close(),
  };
}

async function serverOf(protocol: Protocol, arrived: () => void): Promise<Server> {
  const serve = (socket: Socket): void => serveOneByOne(socket, arrived);
  if (protocol === 'http') return createServer({ noDelay: true }, serve);
  const identity = await selfSigned();
  if (protocol === 'https') return createTlsServer({ ...identity, noDelay: true }, serve);
  const server = createSecureServer(identity);
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => {
    arrived();
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  return server;
}

function serveOneByOne(socket: Socket, arrived: () => void): void {
  let read: Buffer | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (part) => {
    read = read === undefined ? part : Buffer.concat([read, part]);
    if (!read.subarray(-endOfHead.length).equals(endOfHead)) return;
    arrived();
    read = undefined;
    socket.write(answer);
  });
}

/** A certificate that nobody signed: every tool is told to accept any. */
async function selfSigned(): Promise<{ key: string; cert: string }> {
  const { stdout } = await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', '-', '-out', '-'],
  ]);
  const part = (name: string): string =>
    new RegExp(`-----BEGIN ${name}-----[^]*?-----END ${name}-----`, 'u').exec(stdout)?.[0] ?? '';
  return { key: part('PRIVATE KEY'), cert: part('CERTIFICATE') };
}
