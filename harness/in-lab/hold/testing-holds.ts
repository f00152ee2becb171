/** What the tests of held connections share: holders without a load, and what a server does with what arrives. */
import type { Socket } from 'node:net';
import { createHash } from 'node:crypto';
import { monotonicUs } from '../../base/clock.ts';
import type { HoldKind } from '../../experiment/hold.ts';
import type { HoldRow } from '../../run/files/holds.ts';
import { answerLimits, type TlsPlan } from '../load/plan.ts';
import { rawServer, type TestServer } from '../load/testing-server.ts';
import { Holders } from './holders.ts';

/** Holders of one kind, and the rows that they have written so far. */
export interface Held {
  readonly rows: HoldRow[];
  readonly holders: Holders;
  /** Resolves with the first lives that ended, in the order of their ends. */
  ended(count: number): Promise<HoldRow[]>;
}

/** Holds connections to this port of 127.0.0.1, or to the Unix socket of this path. */
export function hold(
  place: number | string,
  kind: HoldKind,
  {
    count = 1,
    tls = null,
    deadlineMs = 20_000,
    isAtOnce = true,
  }: { count?: number; tls?: TlsPlan | null; deadlineMs?: number; isAtOnce?: boolean } = {},
): Held {
  const rows: HoldRow[] = [];
  const waiting: (() => void)[] = [];
  const plan = {
    ...{ runId: 'run', tls, deadlineMs },
    ...(typeof place === 'string' ? { host: place, port: null } : { host: '127.0.0.1', port: place }),
    hostHeaders: ['shop.test'] satisfies [string],
    maxHeadBytes: answerLimits.maxHeadBytes,
    hold: { kind, count, target: '/events', headers: [['X-Shop', 'yes']] as const, path: '' },
  };
  const holders = new Holders(plan, (row) => {
    rows.push(row);
    for (const wake of waiting.splice(0)) wake();
  });
  // At once, where the origin lies back as far as they are spread.
  holders.begin(monotonicUs() - (isAtOnce ? 1_000_000 : 0));
  const ended = async (wanted: number): Promise<HoldRow[]> => {
    while (rows.length < wanted) await new Promise<void>((resolve) => waiting.push(resolve));
    return rows.slice(0, wanted);
  };
  return { rows, holders, ended };
}

/** What a server does once the head of the first request on a connection has come. @param nth 0 for the server's first */
export type Behave = (socket: Socket, head: string, nth: number) => void;

/** A server that hands each connection over, with the head of its first request. */
export async function headServer(behave: Behave): Promise<TestServer> {
  let nth = 0;
  return await rawServer((socket) => {
    let read = '';
    socket.on('data', (bytes: Buffer) => {
      const hadHead = read.includes('\r\n\r\n');
      read += bytes.toString('latin1');
      if (!hadHead && read.includes('\r\n\r\n')) behave(socket, read, nth++);
    });
  });
}

/** The head of an event stream in chunks. */
export const streamHead =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n';

/** One chunk. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** What agrees on a web socket. */
export function upgraded(head: string): string {
  const key = /sec-websocket-key: (\S+)/iu.exec(head)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A frame as a server sends it. */
export function serverFrame(opcode: number, payload: Buffer | string, isLast = true): Buffer {
  const bytes = Buffer.from(payload);
  const length =
    bytes.length < 126 ? Buffer.from([bytes.length]) : Buffer.from([126, bytes.length >> 8, bytes.length & 255]);
  return Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | opcode]), length, bytes]);
}
