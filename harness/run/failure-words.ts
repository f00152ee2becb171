/** From what the system said to the outcome that the ledger records. */
import type { Outcome } from './files/ledger.ts';

/** How far a request had come when it failed. */
export type Step = 'connect' | 'wait' | 'body';

/**
 * The outcome of an error of the socket.
 * @param code the system's word (`ECONNREFUSED` …), as Node puts it in `error.code`
 * @param step `connect` until the connection stands, `wait` until the answer's first byte, `body` after it
 */
export function outcomeOfError(code: string, step: Step): Outcome {
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
      return step === 'body' ? 'truncated' : 'reset';
  }
}

/** The outcome of a connection that the peer closed (FIN) before the answer was complete. */
export function outcomeOfEnd(step: Step): Outcome {
  return step === 'body' ? 'truncated' : 'closed';
}

/** The outcome of a request whose deadline passed. */
export function outcomeOfDeadline(step: Step): Outcome {
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

const limitBegin = 'limit: ';

/** What an answer says that met a limit of the client's own. */
export function limitWords(message: string): string {
  return `${limitBegin}${message}`;
}

/** What a request says whose deadline passed. */
export function deadlineWords(step: Step): string {
  return `deadline, ${step}`;
}

const words = /^(.+), (connect|wait|body)$/su;

/** The outcome that belongs to the words of a row's error: the rules above, read backwards. */
export function outcomeOfWords(error: string): Outcome {
  if (error === noConnectionFree || error === serverHeldAll) return 'unsent';
  if (error.startsWith(limitBegin)) return 'local';
  const step = stepOfWords(error);
  // An answer that is no HTTP says what is wrong with it, and no step.
  if (step === null) return 'parse';
  const code = error.slice(0, -`, ${step}`.length);
  if (code === 'deadline') return outcomeOfDeadline(step);
  return code === 'FIN' ? outcomeOfEnd(step) : outcomeOfError(code, step);
}

/** The step in which the error came; null where its words tell of none. */
export function stepOfWords(error: string): Step | null {
  return (words.exec(error)?.[2] ?? null) as Step | null;
}
