import { describe, expect, it } from 'vitest';
import {
  certificateWords,
  closeNotify,
  deadlineWords,
  limitWords,
  noConnectionFree,
  afterGoaway,
  goawayWords,
  outcomeOfDeadline,
  outcomeOfEnd,
  outcomeOfError,
  outcomeOfWords,
  resetWords,
  serverHeldAll,
  stepOfWords,
  tlsWords,
  type Step,
} from './failure-words.ts';

const steps: readonly Step[] = ['connect', 'handshake', 'wait', 'body'];
const codes = [
  'EADDRNOTAVAIL',
  'EMFILE',
  'EHOSTUNREACH',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'ECONNRESET',
  'EPIPE',
  'a, b',
  'alert x',
  'TLS x',
  'socket EAGAIN',
  resetWords('INTERNAL_ERROR'),
  resetWords('REFUSED_STREAM'),
  goawayWords('NO_ERROR'),
];

describe('the words of an error', () => {
  it.each(steps)('tell the outcome and the step that they were written with: %s', (step) => {
    for (const code of codes) {
      expect(outcomeOfWords(`${code}, ${step}`)).toBe(outcomeOfError(code, step));
      expect(stepOfWords(`${code}, ${step}`)).toBe(step);
    }
    expect(outcomeOfWords(deadlineWords(step))).toBe(outcomeOfDeadline(step));
    expect(outcomeOfWords(`FIN, ${step}`)).toBe(outcomeOfEnd(step));
    expect(outcomeOfWords(`${closeNotify}, ${step}`)).toBe(outcomeOfEnd(step));
  });

  it('tell of a handshake that failed, however it did, unless it was this machine’s own fault', () => {
    for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'alert x', 'certificate expired']) {
      expect(outcomeOfError(code, 'handshake')).toBe('tls');
    }
    expect(outcomeOfError('ENOBUFS', 'handshake')).toBe('local');
    expect([outcomeOfEnd('handshake'), outcomeOfDeadline('handshake')]).toEqual(['tls', 'tls']);
    expect([outcomeOfError('alert x', 'wait'), outcomeOfError('alert x', 'body')]).toEqual(['tls', 'truncated']);
  });

  it('name what Node says of TLS', () => {
    const named = (code: string) => certificateWords({ name: '', message: '', code });
    expect(named('CERT_HAS_EXPIRED')).toBe('certificate expired');
    expect(named('ERR_TLS_CERT_ALTNAME_INVALID')).toBe('certificate for another name');
    expect(named('CRL_HAS_EXPIRED')).toBe('certificate CRL_HAS_EXPIRED');
    expect(named('ERR_SSL_WRONG_VERSION_NUMBER')).toBeNull();
    const told = (code: string) => tlsWords({ name: '', message: '', code });
    // The one of OpenSSL 3.0, the other of 3.2 and later.
    expect(told('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')).toBe('alert handshake_failure');
    expect(told('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE')).toBe('alert handshake_failure');
    expect(told('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')).toBe('alert certificate_required');
    expect(told('ERR_SSL_BAD_RECORD_TYPE')).toBe('TLS bad record type');
  });

  it('tell what HTTP/2 refuses, which a client may send again, from what it cuts', () => {
    const outcomesOf = (code: string) => [outcomeOfError(code, 'wait'), outcomeOfError(code, 'body')];
    expect(outcomesOf(resetWords('REFUSED_STREAM'))).toEqual(['refused-stream', 'truncated']);
    expect(outcomesOf(goawayWords('INTERNAL_ERROR'))).toEqual(['refused-stream', 'truncated']);
    expect(outcomesOf(resetWords('INTERNAL_ERROR'))).toEqual(['reset', 'truncated']);
    expect(outcomeOfWords(`${afterGoaway('FIN', 'NO_ERROR')}, wait`)).toBe('closed');
    expect(outcomeOfWords(`${afterGoaway('ECONNRESET', 'NO_ERROR')}, wait`)).toBe('reset');
    expect(afterGoaway('FIN', null)).toBe('FIN');
  });

  it('tell what has no step', () => {
    expect(outcomeOfWords(noConnectionFree)).toBe('unsent');
    expect(outcomeOfWords(serverHeldAll)).toBe('unsent');
    expect(outcomeOfWords(limitWords('the answer is above 5 bytes, body'))).toBe('local');
    expect(outcomeOfWords('not a status: 7')).toBe('parse');
    expect(outcomeOfWords('ECONNRESET, waiting')).toBe('parse');
    expect(stepOfWords('not a status: 7')).toBeNull();
  });
});
