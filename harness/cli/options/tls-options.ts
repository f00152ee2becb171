/** The options of `measure` for https, checked: certificates that can be read, and a key that belongs to its certificate. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { whyUnreadable } from '../../gate/files/written-file.ts';
import type { TlsPlan } from '../../in-lab/load/plan.ts';
import type { MeasureOptions } from './measure-options.ts';
import { givenOption } from './option-words.ts';
import { oneOf, optionError } from './option-values.ts';

/**
 * TLS as the options ask for it: what is written down, and what is used; null where the URL is a plain one.
 * @throws {HarnessError} naming the option that is wrong
 */
export function tlsOf(options: MeasureOptions, { protocol, hostname }: URL) {
  if (protocol !== 'https:') {
    const stray = givenOption(options, ['ca', 'insecure', 'cert', 'key', 'tlsResume']);
    if (stray === undefined) return null;
    throw optionError(`${stray} is about https, and --url does not begin with https://.`);
  }
  const { insecure = false, cert, key, ca, tlsResume = 'off' } = options;
  if (insecure && ca !== undefined) {
    throw optionError('--insecure accepts any certificate, and --ca only some.', 'Leave out one of them.');
  }
  if (options.capacity === true && !insecure) {
    throw optionError(
      '--capacity is measured by autocannon, which checks no certificate: over https it needs --insecure.',
      'Leave out --capacity, or measure it on its own.',
    );
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw optionError(`--${given} needs --${missing}: a client shows a certificate and has its key.`);
  }
  const resumes = oneOf('--tls-resume', tlsResume, ['on', 'off']) === 'on';
  const used: TlsPlan = {
    serverName: hostname.replace(/^\[|\]$/gu, ''),
    ca: fileOf('--ca', ca),
    isInsecure: insecure,
    cert: fileOf('--cert', cert),
    key: fileOf('--key', key),
    resumes,
  };
  check(used, options);
  return { shown: { caFile: ca ?? null, isInsecure: insecure, certFile: cert ?? null, resumes }, used };
}

function fileOf(option: string, path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw optionError(`The file of ${option} ${path} ${whyUnreadable(cause)}.`, undefined, cause);
  }
}

/** Without this, each connection would find out, and the service be blamed. */
function check({ ca, cert, key }: TlsPlan, options: MeasureOptions): void {
  const isPem = (text: string | null): boolean => text?.includes('-----BEGIN ') ?? true;
  for (const [option, text] of Object.entries({ ca, cert, key })) {
    if (!isPem(text)) throw optionError(`The file of --${option} has no PEM in it (-----BEGIN …).`);
  }
  if (key?.includes('ENCRYPTED') === true) {
    throw optionError(
      'The key of --key is encrypted.',
      'openssl pkey -in KEY -out PLAIN writes it without a passphrase.',
    );
  }
  const tried: readonly (readonly [sentence: string, read: () => unknown])[] = [
    // Node takes a file without any certificate for an authority of nothing, and accepts none then.
    [`The file of --ca ${options.ca ?? ''} holds no certificate that can be read.`, () => certificateIn(ca)],
    [`The file of --cert ${options.cert ?? ''} holds no certificate that can be read.`, () => certificateIn(cert)],
    [`The key of --key is none of the certificate of --cert ${options.cert ?? ''}.`, () => pairOf(cert, key)],
  ];
  for (const [sentence, read] of tried) {
    try {
      read();
    } catch {
      // What OpenSSL says is left out: it may quote the file.
      throw optionError(sentence);
    }
  }
}

function certificateIn(text: string | null): unknown {
  return text === null ? null : new X509Certificate(text);
}

function pairOf(cert: string | null, key: string | null): unknown {
  return cert === null || key === null ? null : createSecureContext({ cert, key });
}
