/** What a service answers before the command: a deploy is not to blame for faults that were there before it. */
import { readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { filledRequest } from '../../in-lab/load/mixed-request.ts';
import { endpointText } from './address.ts';
import { plainPieces } from '../../run/plain-file.ts';
import { isOfCertificate, noH2, notHttp2, notTls } from '../../run/failure-words.ts';
import { isOwnFault, type LedgerRow } from '../../run/files/ledger.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import type { Target } from './target.ts';

/** The answers before the command. */
export type Before = NonNullable<ServiceRun['before']>;

const askMs = 2_000;
/** Enough of a body to tell. */
const mostBody = 4_096;
/** Go (Caddy, Traefik), nginx and Apache answer plain HTTP on a port of TLS with 400 and these words. */
const saysTls = /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)|plain HTTP to an SSL-enabled/iu;

/** Counts the rows that are in the raw ledger by now. */
export async function readBefore(rawLedger: string, target: Target): Promise<Before> {
  const rows = (await rowsSoFar(rawLedger)).filter(({ outcome }) => !isOwnFault(outcome));
  const answers: Record<string, number> = {};
  for (const { outcome } of rows) answers[outcome] = (answers[outcome] ?? 0) + 1;
  const asExpected = answers['ok'] ?? 0;
  const example = asExpected === rows.length ? null : await exampleOf(rows, target);
  return { asked: rows.length, asExpected, answers, example };
}

/**
 * Why a load without a command has no ok answer: a sentence, or null where it has one, or no row by now. A failed handshake
 * has a note of its own.
 */
export async function whyNoneIsOk(rawLedger: string, target: Target): Promise<string | null> {
  const { answers, asExpected, example } = await readBefore(rawLedger, target);
  const [outcome] = Object.keys(answers);
  if (outcome === undefined || outcome === 'tls' || asExpected > 0) return null;
  return `At first no request was answered as expected: ${example ?? outcome}.`;
}

/** Did anything not come out as it should? */
export function isIll({ asked, asExpected }: Before): boolean {
  return asExpected < asked || asked === 0;
}

async function rowsSoFar(rawLedger: string): Promise<LedgerRow[]> {
  const folder = dirname(rawLedger);
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(rawLedger)));
  const rows = await Promise.all(names.map((name) => wholeRows(join(folder, name))));
  return rows.flat();
}

/** The last line may be half written. */
async function wholeRows(path: string): Promise<LedgerRow[]> {
  const pieces: Buffer[] = [];
  for await (const piece of plainPieces(path)) pieces.push(piece);
  const lines = Buffer.concat(pieces).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LedgerRow);
}

async function exampleOf(rows: readonly LedgerRow[], target: Target): Promise<string | null> {
  const bad = rows.filter(({ outcome }) => outcome !== 'ok');
  const neverEnded = bad.every(({ outcome, firstByteUs }) => outcome === 'timeout' && firstByteUs !== null);
  if (neverEnded && bad.length === rows.length) {
    return `answers had begun (status ${bad[0]?.status ?? 'unknown'}) and none ended`;
  }
  const redirect = bad.find(({ status }) => status !== null && status >= 300 && status < 400);
  if (redirect?.method === 'GET') {
    const { origin } = await askAgain(target, redirect);
    const where = `status ${redirect.status ?? ''} leads to ${origin ?? ''}`;
    if (target.request.tls === null && origin?.startsWith('https:') === true)
      return `${where}: ask that with --url https://…`;
    if (origin !== null) return `${where}; redirects are not followed`;
  }
  const refused = bad.find(({ status }) => status === 400);
  if (target.request.tls === null && refused !== undefined && saysTls.test((await askAgain(target, refused)).body))
    return 'status 400: the port speaks TLS; ask it with --url https://…';
  const row = bad.find(({ error }) => error !== null);
  const error = row?.error ?? null;
  if (row?.outcome === 'tls' && error !== null) return tlsExample(error, target);
  if (error === notHttp2) return `${error}; ask it with --http 1.1`;
  if (target.request.mix !== undefined) return mixExample(bad);
  return error === null ? null : `the first: ${error}`;
}

function mixExample(bad: readonly LedgerRow[]): string {
  const first = new Map(bad.toReversed().map(({ request = '', outcome, error }) => [request, error ?? outcome]));
  return [...first].map(([name, how]) => `${name}: ${how}`).join('; ');
}

function tlsExample(error: string, { service, request }: Target): string {
  const host = request.tls?.serverName ?? '';
  const why = `no TLS with ${host} (${endpointText(service)}): ${error.replace(/, \w+$/u, '')}`;
  if (isOfCertificate(error)) {
    const isUnknown = /self-signed|unknown authority/u.test(error);
    const way = isUnknown ? '--ca FILE accepts the authority that signed it, and ' : '';
    return `${why}; ${way}--insecure accepts any certificate`;
  }
  if (error.startsWith(notTls)) return `${why}; ask it with --url http://…`;
  if (error.startsWith(noH2) || error.startsWith('alert no_application_protocol'))
    return `${why}; ask it with --http 1.1`;
  const wantsCertificate = /alert (certificate_required|handshake_failure|bad_certificate|unknown_ca)/u.test(error);
  return wantsCertificate && service.tls?.certFile === null
    ? `${why}; if it asks clients for a certificate: --cert FILE --key FILE`
    : why;
}

/**
 * Asks once more.
 * @returns the origin that it redirects to (path and query may hold secrets); of a 400 the first bytes of its body
 */
async function askAgain(
  { service, request }: Target,
  row: LedgerRow,
): Promise<{ origin: string | null; body: string }> {
  const { address, port, url } = service;
  const origin = port === null ? 'http://localhost' : new URL(url).origin;
  const mixed = request.mix?.find((entry) => entry.mixed?.name === row.request)?.mixed;
  const { target, headers } = mixed === undefined ? request : filledRequest(mixed, row.requestId, row.seq);
  const { tls } = request;
  const asked = (tls === null ? httpRequest : httpsRequest)({
    ...(tls !== null && {
      servername: isIP(tls.serverName) === 0 ? tls.serverName : '',
      // Nothing but a Location is read, of a server whose certificate the load itself has checked.
      rejectUnauthorized: false,
      ...(tls.cert !== null && tls.key !== null && { cert: tls.cert, key: tls.key }),
    }),
    ...(port === null ? { socketPath: address } : { host: address, port }),
    path: target,
    headers: { ...Object.fromEntries(request.headers), ...Object.fromEntries(headers) },
    agent: false,
    timeout: askMs,
  });
  asked.on('timeout', () => asked.destroy());
  asked.on('error', () => undefined);
  asked.end();
  let body = '';
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const { location } = response.headers;
    if (response.statusCode !== 400) {
      return { origin: location === undefined ? null : (URL.parse(location, origin)?.origin ?? null), body };
    }
    for await (const piece of response as AsyncIterable<Buffer>) {
      body += piece.toString('latin1');
      if (body.length > mostBody) break;
    }
  } catch {
    // What it said until then may tell.
  } finally {
    asked.destroy();
  }
  return { origin: null, body };
}
