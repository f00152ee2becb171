/** What the tests of TLS share: an authority of their own, its certificates, and a raw server that speaks TLS. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { TlsPlan } from '../load/plan.ts';
import { listen } from '../load/testing.ts';

/** A certificate and its key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** An authority, what it signed, and one that nobody signed. */
export interface Certificates {
  readonly ca: string;
  /** For shop.test and 127.0.0.1. */
  readonly valid: Identity;
  readonly expired: Identity;
  readonly future: Identity;
  /** For other.test. */
  readonly otherName: Identity;
  readonly selfSigned: Identity;
  /** A client's. */
  readonly client: Identity;
}

/** Makes them with openssl. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  const openssl = (...words: string[]): void =>
    void execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const newKey = (name: string): void => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name);
  try {
    newKey('ca.key');
    openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=test authority', '-days', '30', '-out', 'ca.pem');
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'serial'), '1000\n');
    const signed = (name: string, names: string, from: string, to: string): Identity => {
      newKey(`${name}.key`);
      openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
      writeFileSync(join(folder, 'ca.conf'), caConfiguration(names));
      const dates = ['-startdate', from, '-enddate', to];
      openssl('ca', '-batch', '-notext', '-config', 'ca.conf', ...dates, '-in', `${name}.csr`, '-out', `${name}.pem`);
      return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
    };
    const [past, last, next, far] = [
      '20200101000000Z',
      '20200201000000Z',
      '20400101000000Z',
      '20490101000000Z',
    ] as const;
    const here = 'DNS:shop.test,IP:127.0.0.1';
    newKey('self.key');
    const selfWords = [
      '-subj',
      '/CN=shop.test',
      '-addext',
      `subjectAltName=${here}`,
      '-days',
      '30',
      '-out',
      'self.pem',
    ];
    openssl('req', '-x509', '-new', '-key', 'self.key', ...selfWords);
    return {
      ca: read('ca.pem'),
      valid: signed('valid', here, past, far),
      expired: signed('expired', here, past, last),
      future: signed('future', here, next, far),
      otherName: signed('other', 'DNS:other.test', past, far),
      selfSigned: { cert: read('self.pem'), key: read('self.key') },
      client: signed('client', 'DNS:client.test', past, far),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function caConfiguration(names: string): string {
  return `[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
x509_extensions = extensions
unique_subject = no
[any]
commonName = supplied
[extensions]
subjectAltName = ${names}
`;
}

/** TLS as a browser speaks it to shop.test, whose authority is the tests' own. */
export function tlsPlan({ ca }: Certificates, over: Partial<TlsPlan> = {}): TlsPlan {
  return { serverName: 'shop.test', ca, isInsecure: false, cert: null, key: null, resumes: false, ...over };
}

/** One request, read whole, and both layers of the connection that it came on. */
export interface SecureRequest {
  readonly socket: TLSSocket;
  /** The TCP connection: what is done to it, TLS does not know. */
  readonly raw: Socket;
  readonly method: string;
  /** 0 for the first request of the server. */
  readonly nth: number;
}

/** What a server does with a request. */
export type SecureBehaviour = (request: SecureRequest) => void;

/** A server that speaks TLS and counts what arrives. */
export interface SecureWitness {
  readonly port: number;
  /** How often each request id arrived. */
  readonly arrivals: Map<string, number>;
  /** Connections, and handshakes that were done. */
  readonly counts: { connections: number; handshakes: number; resumed: number };
  close(): void;
}

/** A server of one behaviour; `accept` may take a connection before TLS does. */
export async function secureServer(
  settings: TLSSocketOptions,
  behave: SecureBehaviour,
  accept: (raw: Socket, nth: number) => boolean = () => false,
): Promise<SecureWitness> {
  const secureContext = createSecureContext({ ...settings });
  const arrivals = new Map<string, number>();
  const counts = { connections: 0, handshakes: 0, resumed: 0 };
  const sockets = new Set<Socket>();
  let nth = 0;
  const server = createServer((raw) => {
    sockets.add(raw);
    raw.on('error', () => undefined);
    if (accept(raw, counts.connections++)) return;
    const socket = new TLSSocket(streamOver(raw), { ...settings, isServer: true, secureContext });
    socket.on('error', () => raw.destroy());
    socket.on('secure', () => {
      counts.handshakes++;
      if (socket.isSessionReused()) counts.resumed++;
    });
    let read = '';
    socket.on('data', (part: Buffer) => {
      read += part.toString('latin1');
      for (;;) {
        const end = read.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/iu.exec(read.slice(0, end))?.[1] ?? 0);
        if (end < 0 || read.length < end + 4 + length) return;
        const id = /x-request-id: (\S+)/iu.exec(read)?.[1] ?? '';
        arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
        const method = read.slice(0, read.indexOf(' '));
        read = read.slice(end + 4 + length);
        behave({ socket, raw, method, nth: nth++ });
      }
    });
  });
  const port = await listen(server);
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, arrivals, counts, close };
}

/** Both ends of the TCP connection stay in the test's hand: TLS neither closes it nor hears of its close. */
export function streamOver(raw: Socket): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => void raw.write(chunk, () => done()),
    final: (done) => {
      raw.end();
      done();
    },
  });
  raw.on('data', (bytes) => stream.push(bytes));
  raw.on('end', () => stream.push(null));
  return stream;
}
