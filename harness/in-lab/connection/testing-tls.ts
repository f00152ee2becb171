/** What the tests of TLS share: an authority of their own, and its certificates. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsPlan } from '../load/plan.ts';

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

let made: Certificates | undefined;

/** Them, made once. */
export function certificates(): Certificates {
  return (made ??= makeCertificates());
}

/** Makes them with openssl. */
function makeCertificates(): Certificates {
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
export function tlsPlan(over: Partial<TlsPlan> = {}): TlsPlan {
  const { ca } = certificates();
  return { serverName: 'shop.test', ca, isInsecure: false, cert: null, key: null, resumes: false, ...over };
}
