/** What the tests of HTTP/2 share: a server that reads requests by Node, and writes its frames by hand. */
import { performServerHandshake, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { FrameReader, frameTypes, prefaceLength } from './http2-frames.ts';
import { rawServer, streamOver, type TestServer } from '../load/testing-server.ts';

/** A frame of any kind. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

const numbers = (...words: number[]): Buffer => {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [at, word] of words.entries()) bytes.writeUInt32BE(word, at * 4);
  return bytes;
};

/** A field that no table holds. */
function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

/** The status of a head: 200 is in the static table. */
export function head(status: number, fields: Record<string, string> = {}): Buffer {
  const first =
    status === 200 ? Buffer.from([0x88]) : Buffer.concat([Buffer.from([8, 3]), Buffer.from(String(status))]);
  return Buffer.concat([first, ...Object.entries(fields).map(([name, value]) => field(name, value))]);
}

/** Frames by their names. */
export const frames = {
  data: (id: number, body: Uint8Array | string, isLast = true) => frame(0, isLast ? 1 : 0, id, body),
  headers: (id: number, block: Uint8Array, isLast = false) => frame(1, isLast ? 5 : 4, id, block),
  rst: (id: number, code: number) => frame(3, 0, id, numbers(code)),
  settings: (...pairs: [id: number, value: number][]) =>
    frame(4, 0, 0, Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), numbers(value)])))),
  settingsAck: () => frame(4, 1, 0),
  ping: () => frame(6, 0, 0, '12345678'),
  goaway: (lastId: number, code = 0, text = '') =>
    frame(7, 0, 0, Buffer.concat([numbers(lastId, code), Buffer.from(text)])),
  window: (id: number, bytes: number) => frame(8, 0, id, numbers(bytes)),
  ok: (id: number) => Buffer.concat([frames.headers(id, head(200)), frames.data(id, 'ok')]),
} as const;

/** The parameter of SETTINGS that bounds how many streams are open. */
export const maxStreams = 3;

/** One connection of a server, whose frames the test writes. */
export interface StreamConnectionEnd {
  /** The TCP connection: what is done to it, neither TLS nor HTTP/2 knows. */
  readonly raw: Socket;
  /** Where frames go: TLS, or the same. */
  readonly socket: Duplex;
  /** Ids of its streams, in order. */
  readonly streams: number[];
  /** Has the client acknowledged what the server said first? */
  readonly heard: { isAcknowledged: boolean };
}

/** One request, whose head has arrived. */
export interface StreamRequest extends StreamConnectionEnd {
  readonly id: number;
  readonly headers: IncomingHttpHeaders;
  /** 0 for the server's first. */
  readonly nthRequest: number;
  readonly requestId: string;
}

/** A server that counts what arrives. */
export interface StreamWitness extends TestServer {
  /** How often each request id arrived. */
  readonly arrivals: Map<string, number>;
  readonly counts: { connections: number };
}

/** How a server behaves. */
export interface StreamServer {
  /** Over TLS, where given; its ALPN is h2 unless it says otherwise. */
  readonly tls?: TLSSocketOptions;
  /** What it says first. */
  readonly greeting?: Buffer;
  readonly behave?: (request: StreamRequest) => void;
  /** Takes a connection before anything is read of it: true where nothing shall be. */
  readonly accept?: (raw: Socket) => boolean;
}

/** Starts it. */
export async function streamServer(setting: StreamServer): Promise<StreamWitness> {
  const { tls, greeting = frames.settings(), accept = () => false } = setting;
  const behave = setting.behave ?? (({ socket, id }) => void socket.write(frames.ok(id)));
  const settings = { ALPNProtocols: ['h2'], ...tls };
  const secureContext = createSecureContext(settings);
  const witness = { arrivals: new Map<string, number>(), counts: { connections: 0 } };
  let nthRequest = 0;
  const server = await rawServer((raw) => {
    witness.counts.connections++;
    if (accept(raw)) return;
    const socket: Duplex =
      tls === undefined ? raw : new TLSSocket(streamOver(raw), { ...settings, isServer: true, secureContext });
    socket.on('error', () => raw.destroy());
    const end: StreamConnectionEnd = { raw, socket, streams: [], heard: { isAcknowledged: false } };
    const greet = (): void => void socket.write(Buffer.concat([greeting, frames.settingsAck()]));
    if (tls === undefined) greet();
    else socket.once('secure', greet);
    readRequests(end, witness, (id, headers) => {
      const requestId = String(headers['x-request-id']);
      behave({ ...end, id, headers, requestId, nthRequest: nthRequest++ });
    });
  });
  return { ...server, ...witness };
}

const pingType = 6;

type Arrived = (id: number, headers: IncomingHttpHeaders) => void;

/** Node reads what arrives; what it would answer goes nowhere. */
function readRequests(
  { socket, streams, heard }: StreamConnectionEnd,
  { arrivals }: Pick<StreamWitness, 'arrivals'>,
  arrived: Arrived,
): void {
  const reader = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  let acks = 0;
  // The client acknowledges what the test has said, of which the reader knows nothing; it has said SETTINGS once itself.
  const passing = new FrameReader(
    { begun: ({ type, isAck }) => isAck && (type === pingType || (type === frameTypes.settings && acks++ > 0)) },
    prefaceLength,
  );
  socket.on('data', (bytes: Buffer) => passing.read(Buffer.from(bytes), (part) => reader.push(part)));
  const session = performServerHandshake(reader, { settings: { initialWindowSize: 2 ** 24 } });
  session.on('error', () => undefined);
  // Behind the streams that came before it.
  session.once('localSettings', () => setImmediate(() => (heard.isAcknowledged = true)));
  session.on('stream', (stream, headers) => {
    const requestId = String(headers['x-request-id']);
    arrivals.set(requestId, (arrivals.get(requestId) ?? 0) + 1);
    const { id = 0 } = stream;
    streams.push(id);
    stream.on('error', () => undefined);
    stream.resume();
    arrived(id, headers);
  });
}

/** What a request that the server treats like this must come to. */
export type Told = Map<string, string>;

/**
 * Gathers the requests of a connection until there are ten, or no more come, and treats them together. Those that come
 * later on the connection are `late`.
 */
export function gather(
  told: Told,
  act: (group: readonly StreamRequest[]) => readonly string[],
  late = 'refused-stream',
): (request: StreamRequest) => void {
  const groups = new Map<Socket, StreamRequest[]>();
  const treated = new Set<Socket>();
  const timers = new Map<Socket, NodeJS.Timeout>();
  return (request) => {
    const { raw, requestId } = request;
    if (treated.has(raw)) {
      told.set(requestId, late);
      return;
    }
    const group = [...(groups.get(raw) ?? []), request];
    groups.set(raw, group);
    const treat = (): void => {
      treated.add(raw);
      for (const [at, outcome] of act(group).entries()) told.set(group[at]?.requestId ?? '', outcome);
    };
    clearTimeout(timers.get(raw));
    if (group.length === groupSize) treat();
    else timers.set(raw, setTimeout(treat, 150));
  };
}

const groupSize = 10;
