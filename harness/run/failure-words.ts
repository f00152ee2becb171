/** From what the system said to the outcome that the ledger records. */
import type { Outcome } from './files/ledger.ts';

/** How far a request had come when it failed. */
export type Step = 'connect' | 'handshake' | 'wait' | 'body';

/**
 * What a connection to a Unix socket says that was not taken. The kernel refuses at once where TCP would wait: a full queue
 * is EAGAIN, without a second try, which is what a proxy in front meets, too. No mode forbade it when the load began.
 */
export function socketWords(code: string): string {
  return notTaken.has(code) ? `${socketBegin}${code}` : code;
}

/** Begins the words of a row whose Unix socket was not there, or did not take its connection. */
const socketBegin = 'socket ';
const notTaken: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EAGAIN', 'EACCES', 'EPERM']);
/** Of a row that found the queue of a Unix socket full. */
export const queueFull = `${socketBegin}EAGAIN, connect`;

/**
 * The outcome of an error of the socket.
 * @param code the system's word (`ECONNREFUSED` …), as Node puts it in `error.code`, or TLS's (`tlsWords`)
 * @param step `connect` until the connection stands, `handshake` until TLS does, `wait` until the answer's first byte,
 *   `body` after it
 */
export function outcomeOfError(code: string, step: Step): Outcome {
  if (code.startsWith(socketBegin)) return 'refused';
  switch (code) {
    case 'EADDRNOTAVAIL':
    case 'EADDRINUSE':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EACCES':
    case 'EPERM':
      return 'local';
  }
  if (step === 'handshake') return 'tls';
  if (step === 'wait' && (code === resetWords('REFUSED_STREAM') || code.startsWith(goawayBegin)))
    return 'refused-stream';
  switch (code) {
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return 'unreachable';
    case 'ECONNREFUSED':
      return 'refused';
    case 'ETIMEDOUT':
      // On a connection that stands, the kernel gave up sending again: no answer came in time.
      return step === 'connect' ? 'connect-timeout' : 'timeout';
    default:
      if (step === 'body') return 'truncated';
      // A server may refuse a client's certificate when the client is done with the handshake and has sent its request.
      return code.startsWith(alertBegin) || code.startsWith(tlsBegin) ? 'tls' : 'reset';
  }
}

/** The outcome of a connection that the peer closed (FIN, or TLS's close_notify) before the answer was complete. */
export function outcomeOfEnd(step: Step): Outcome {
  if (step === 'handshake') return 'tls';
  return step === 'body' ? 'truncated' : 'closed';
}

/** The outcome of a request whose deadline passed. */
export function outcomeOfDeadline(step: Step): Outcome {
  if (step === 'handshake') return 'tls';
  return step === 'connect' ? 'connect-timeout' : 'timeout';
}

/** The outcome of a complete answer; an expected status of null stands for any from 200 to 299. */
export function outcomeOfAnswer(status: number, expectedStatus: number | null, bodyIsRight: boolean): Outcome {
  const isExpected = expectedStatus === null ? status >= 200 && status < 300 : status === expectedStatus;
  if (!isExpected) return `status-${status}`;
  return bodyIsRight ? 'ok' : 'wrong';
}

/** What a request says that found no connection free. */
export const noConnectionFree = 'no connection was free in time';
/** The same where the server answered no request at all meanwhile: it held every connection that is allowed. */
export const serverHeldAll = 'no connection was free in time: the server answered none';

/** The peer closed in the way of TLS. Without it, a close says `FIN`, and an answer that it would end may have been cut. */
export const closeNotify = 'close_notify';
/** What came in place of a handshake was of another protocol. */
export const notTls = 'TLS is not what the server speaks';

/** A server whose TLS does not choose HTTP/2. */
export const noH2 = 'h2 is not what the server speaks (ALPN)';
/** What came in place of HTTP/2 was of another protocol. */
export const notHttp2 = 'HTTP/2 is not what the server speaks';

/** What a row says of an answer that breaks the rules of HTTP/2. */
export function brokenHttp2(reason: string): string {
  return `not HTTP/2: ${reason}`;
}

/** What a row says of a stream that the server reset, by the code's name in RFC 9113. */
export function resetWords(code: string): string {
  return `RST_STREAM ${code}`;
}

const goawayBegin = 'GOAWAY ';

/** What a row says of a stream above the last one that the server will answer. */
export function goawayWords(code: string): string {
  return `${goawayBegin}${code}`;
}

const afterBegin = ' after GOAWAY ';

/** What a row says of a connection that ended by this word, where its server had said that it goes away. */
export function afterGoaway(word: string, code: string | null): string {
  return code === null ? word : `${word}${afterBegin}${code}`;
}

const alertBegin = 'alert ';
const tlsBegin = 'TLS ';
const certificateBegin = 'certificate ';

/** Why the client did not accept a certificate, by the codes of OpenSSL and Node. */
const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'of an unknown authority',
  CERT_UNTRUSTED: 'of an unknown authority',
  CERT_REVOKED: 'revoked',
  INVALID_PURPOSE: 'not for servers',
  CERT_SIGNATURE_FAILURE: 'with a wrong signature',
  INVALID_CA: 'of no authority',
  PATH_LENGTH_EXCEEDED: 'with too long a chain',
  CERT_CHAIN_TOO_LONG: 'with too long a chain',
  HOSTNAME_MISMATCH: 'for another name',
};

/** What a row says of a certificate that the client did not accept; null where the error is of another kind. */
export function certificateWords({ code }: NodeJS.ErrnoException): string | null {
  if (code === undefined || (code.startsWith('ERR_') && !(code in certificateReasons))) return null;
  return `${certificateBegin}${certificateReasons[code] ?? code}`;
}

/** What a row says of any other error of TLS: the server's alert by its name in RFC 8446, or what was wrong with its bytes. */
export function tlsWords({ code, message }: NodeJS.ErrnoException): string {
  const alert = /_ALERT_(.+)$/u.exec(code ?? '')?.[1];
  if (alert !== undefined) return `${alertBegin}${alert.toLowerCase()}`;
  const reason = /^ERR_(?:SSL|TLS)_(.+)$/u.exec(code ?? '')?.[1];
  return `${tlsBegin}${(reason ?? code ?? message).toLowerCase().replaceAll('_', ' ')}`;
}

/** Did the client end the handshake, since it does not accept the certificate? */
export function isOfCertificate(error: string): boolean {
  return error.startsWith(certificateBegin);
}

const expectationBegin = 'expected ';
/** Whatever a user calls a header, a row stays short. */
const mostExpectation = 100;

/** What an answer says that is not the expected one: which expectation it misses, and nothing of what it holds. */
export function expectationWords(what: 'header' | 'body' | 'json', of = ''): string {
  const words = `${expectationBegin}${what}${of === '' ? '' : ` ${of}`}`;
  return words.length > mostExpectation ? `${words.slice(0, mostExpectation)}…` : words;
}

const limitBegin = 'limit: ';

/** What an answer says that met a limit of the client's own. */
export function limitWords(message: string): string {
  return `${limitBegin}${message}`;
}

/** What a request says whose deadline passed. */
export function deadlineWords(step: Step): string {
  return `deadline, ${step}`;
}

const words = /^(.+), (connect|handshake|wait|body)$/su;

/** The outcome that belongs to the words of a row's error: the rules above, read backwards. */
export function outcomeOfWords(error: string): Outcome {
  if (error === noConnectionFree || error === serverHeldAll) return 'unsent';
  if (error.startsWith(limitBegin)) return 'local';
  if (error.startsWith(expectationBegin)) return 'wrong';
  const step = stepOfWords(error);
  // An answer that is no HTTP says what is wrong with it, and no step.
  if (step === null) return 'parse';
  const code = (error.slice(0, -`, ${step}`.length).split(afterBegin) as [string])[0];
  if (code === 'deadline') return outcomeOfDeadline(step);
  return code === 'FIN' || code === closeNotify ? outcomeOfEnd(step) : outcomeOfError(code, step);
}

/** The step in which the error came; null where its words tell of none. */
export function stepOfWords(error: string): Step | null {
  return (words.exec(error)?.[2] ?? null) as Step | null;
}
