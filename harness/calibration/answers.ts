/**
 * Answers byte for byte, and what a client must make of each: by RFC 9110 and 9112, and by curl where they leave a choice.
 * The parser is tried with each however it is cut, the load generator and curl with each over a socket.
 */

/** What must come of an answer. */
export type Expected =
  /** Complete; `ok` where the status is from 200 to 299. */
  | {
      readonly status: number;
      readonly body: string;
      /** May the connection be used again? */
      readonly isKept: boolean;
      /** Its end is the close of the connection. */
      readonly endsByClose?: true;
    }
  /** No HTTP; refused at once, with this reason. */
  | { readonly refused: string }
  /** Begun, and not complete when the connection is closed. */
  | 'truncated'
  /** Not begun when the connection is closed. */
  | 'closed'
  /** Beyond a limit of the client's own. */
  | 'local';

/** One answer. */
export interface AnswerCase {
  readonly name: string;
  /** Latin-1. */
  readonly bytes: string;
  readonly expected: Expected;
  /** Where curl does otherwise: why this client does not. */
  readonly unlikeCurl?: string;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const five = 'Content-Length: 5\r\n';
const rest = `${five}\r\nhello`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const chunks = '5\r\nhello\r\n0\r\n\r\n';
const kept: Expected = { status: 200, body: 'hello', isKept: true };
const closing: Expected = { status: 200, body: 'hello', isKept: false };
const untilClose = { status: 200, body: 'hello', isKept: false, endsByClose: true } as const;
const refused = (reason: string): Expected => ({ refused: reason });

const empty = (status: number, isKept: boolean): Expected => ({ status, body: '', isKept });
const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';

type Row = readonly [name: string, bytes: string, expected: Expected, unlikeCurl?: string];

const groups: Readonly<Record<string, readonly Row[]>> = {
  'white space': [
    ['that is none, before a length', `${ok}Content-Length: \u00a05\r\n\r\nhello`, refused('Content-Length')],
    ['of another kind, before a length', `${ok}Content-Length: \u000b5\r\n\r\nhello`, refused('Content-Length')],
    ['of a CR in the line of a chunk', `${ok}${chunked}\r\n5\r\r\nhello\r\n0\r\n\r\n`, kept],
  ],
  'a folded header': [
    ['with spaces', `${ok}X: a\r\n  b\r\n${rest}`, kept],
    ['with a tab', `${ok}X: a\r\n\tb\r\n${rest}`, kept],
    ['the last one', `${ok}${five}X: a\r\n b\r\n\r\nhello`, kept],
    ['Connection', `${ok}Connection: keep-alive,\r\n close\r\n${rest}`, closing],
    ['Content-Length, followed by nothing', `${ok}Content-Length: 5\r\n \r\n\r\nhello`, kept],
    ['Content-Length', `${ok}Content-Length:\r\n 5\r\n\r\nhello`, kept, 'RFC 9112, 5.2: a fold stands for spaces'],
    ['Transfer-Encoding', `${ok}Transfer-Encoding:\r\n chunked\r\n\r\n${chunks}`, kept, 'RFC 9112, 5.2'],
    ['in an interim answer', `HTTP/1.1 103 Early Hints\r\nLink: a,\r\n b\r\n\r\n${ok}${rest}`, kept],
    ['in the trailers', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n`, kept],
    ['before the first header', `${ok} X: a\r\n${rest}`, refused('white space before the first header')],
  ],
  'line ends': [
    ['LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', kept],
    ['LF behind a header', 'HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello', kept],
    ['LF for the empty line', `${ok}${five}\nhello`, kept],
    ['LF in an interim answer', `HTTP/1.1 100 Continue\n\n${ok}${rest}`, kept],
    ['LF in chunks', `${ok}${chunked}\r\n5\nhello\n0\n\n`, kept],
    ['LF behind a chunk', `${ok}${chunked}\r\n5\r\nhello\n0\r\n\r\n`, kept],
    ['a CR in a value', `${ok}X: a\rb\r\n${rest}`, kept],
    ['a CR in the reason', `HTTP/1.1 200 O\rK\r\n${rest}`, kept],
    ['CR CR LF', `${ok}X: a\r\r\n${rest}`, kept],
    ['CR alone never ends a head', 'HTTP/1.1 200 OK\rContent-Length: 5\r\rhello', 'truncated'],
    ['an empty line first', `\r\n${ok}${rest}`, refused('does not begin with HTTP/1.')],
    ['an empty line of LF first', `\n${ok}${rest}`, refused('does not begin with HTTP/1.')],
  ],
  'the status line': [
    ['without a reason', `HTTP/1.1 200\r\n${rest}`, kept],
    ['with an empty reason', `HTTP/1.1 200 \r\n${rest}`, kept],
    ['with two spaces', `HTTP/1.1  200 OK\r\n${rest}`, kept],
    ['with a tab', `HTTP/1.1\t200 OK\r\n${rest}`, refused('not a status line')],
    ['with bytes above 127', `HTTP/1.1 200 \xe4\r\n${rest}`, kept],
    ['with a NUL', `HTTP/1.1 200 O\0K\r\n${rest}`, refused('not a status line')],
    ['of HTTP/1.0', `HTTP/1.0 200 OK\r\n${rest}`, closing],
    ['of HTTP/1.0 with keep-alive', `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${rest}`, kept],
    ['of HTTP/1.2', `HTTP/1.2 200 OK\r\n${rest}`, kept, 'RFC 9110, 2.5: a higher minor version is read as one’s own'],
    ['of HTTP/1.10', `HTTP/1.10 200 OK\r\n${rest}`, refused('not a status line')],
    [
      'of HTTP/2',
      `HTTP/2 200\r\n${rest}`,
      refused('does not begin with HTTP/1.'),
      'RFC 9110, 2.5: another major version',
    ],
    ['of HTTP/0.9', `HTTP/0.9 200 OK\r\n${rest}`, refused('does not begin with HTTP/1.')],
    ['in lower case', `http/1.1 200 OK\r\n${rest}`, kept],
    ['of ICY', `ICY 200 OK\r\n${rest}`, refused('does not begin with HTTP/1.')],
    ['with a status of two digits', `HTTP/1.1 20 OK\r\n${rest}`, refused('not a status line')],
    ['with a status of four digits', `HTTP/1.1 2000 OK\r\n${rest}`, refused('not a status line')],
    ['with a status below 100', `HTTP/1.1 099 OK\r\n${rest}`, refused('not a status: 099')],
    ['with a status above 599', `HTTP/1.1 600 No\r\n${rest}`, { status: 600, body: 'hello', isKept: true }],
    ['without a status', `HTTP/1.1 OK\r\n${rest}`, refused('not a status line')],
    ['behind a space', ` ${ok}${rest}`, refused('does not begin with HTTP/1.')],
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', refused('does not begin with HTTP/1.')],
    ['missing', '<html>hello</html>', refused('does not begin with HTTP/1.')],
    ['missing, shorter than it', 'no', refused('does not begin with HTTP/1.')],
  ],
  'a header': [
    ['without a value', `${ok}X:\r\n${rest}`, kept],
    ['with space before the colon', `${ok}X : 5\r\n${rest}`, kept],
    ['Content-Length with space before the colon', `${ok}Content-Length : 5\r\n\r\nhello`, kept, 'RFC 9112, 5.1'],
    ['with a space in its name', `${ok}X A: b\r\n${rest}`, kept],
    ['with a name that is no token', `${ok}X(A): b\r\n${rest}`, kept],
    ['without a name', `${ok}: b\r\n${rest}`, kept],
    ['without a colon', `${ok}nonsense\r\n${rest}`, refused('a header without a colon')],
    ['with a NUL', `${ok}X: a\0b\r\n${rest}`, refused('a NUL in a header')],
    ['with bytes above 127', `${ok}X: \xe4\xf6\xfc\r\n${rest}`, kept],
    ['with control bytes', `${ok}X: a\x01b\x7f\r\n${rest}`, kept],
    ['Connection as a list with empty elements', `${ok}Connection: , close,\r\n${rest}`, closing],
    ['Connection twice', `${ok}Connection: x\r\nConnection: Close\r\n${rest}`, closing],
    ['Proxy-Connection', `${ok}Proxy-Connection: close\r\n${rest}`, kept],
    ['of 70 kB', `${ok}X: ${'a'.repeat(70_000)}\r\n${rest}`, kept],
    ['400 of 1 kB', `${ok}${`X: ${'a'.repeat(1_000)}\r\n`.repeat(400)}${rest}`, 'local'],
  ],
  'Content-Length': [
    ['5, 5', `${ok}Content-Length: 5, 5\r\n\r\nhello`, kept],
    ['5 twice', `${ok}${five}${rest}`, kept],
    ['5, 6', `${ok}Content-Length: 5, 6\r\n\r\nhello`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['5 and 6', `${ok}Content-Length: 6\r\n${rest}`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['+5', `${ok}Content-Length: +5\r\n\r\nhello`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['-5', `${ok}Content-Length: -5\r\n\r\nhello`, refused('Content-Length')],
    ['0x5', `${ok}Content-Length: 0x5\r\n\r\nhello`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['5.0', `${ok}Content-Length: 5.0\r\n\r\nhello`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['5 bytes', `${ok}Content-Length: 5 bytes\r\n\r\nhello`, refused('Content-Length'), 'RFC 9112, 6.3: unrecoverable'],
    ['empty', `${ok}Content-Length:\r\n\r\nhello`, refused('Content-Length')],
    [',5', `${ok}Content-Length: ,5\r\n\r\nhello`, refused('Content-Length')],
    ['with space around', `${ok}Content-Length: \t 5 \t\r\n\r\nhello`, kept],
    ['with zeros before', `${ok}Content-Length: ${'0'.repeat(30)}5\r\n\r\nhello`, kept],
    ['of 26 digits', `${ok}Content-Length: ${'9'.repeat(26)}\r\n\r\nhello`, refused('beyond all'), 'it can never end'],
    ['more than is read', `${ok}Content-Length: 5000000000\r\n\r\nhello`, 'local', 'a limit of this client'],
    ['0', `${ok}Content-Length: 0\r\n\r\n`, { status: 200, body: '', isKept: true }],
  ],
  'Transfer-Encoding': [
    ['in other letters', `${ok}Transfer-Encoding: Chunked\r\n\r\n${chunks}`, kept],
    ['with empty elements', `${ok}Transfer-Encoding: , chunked,\r\n\r\n${chunks}`, kept],
    ['twice', `${ok}${chunked}${chunked}\r\n${chunks}`, kept],
    ['and a length behind it', `${ok}${chunked}Content-Length: 3\r\n\r\n${chunks}`, closing],
    ['and a length before it', `${ok}Content-Length: 3\r\n${chunked}\r\n${chunks}`, closing],
    ['gzip, chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n${chunks}`, kept, 'the content is not decoded'],
    [
      'chunked, gzip',
      `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n${chunks}`,
      { ...untilClose, body: chunks },
      'RFC 9112, 6.3: until the close',
    ],
    ['identity', `${ok}Transfer-Encoding: identity\r\n\r\nhello`, untilClose],
    ['unknown', `${ok}Transfer-Encoding: foo\r\n\r\nhello`, untilClose, 'RFC 9112, 6.3: until the close'],
    ['empty', `${ok}Transfer-Encoding:\r\n\r\nhello`, untilClose],
    ['chunked with a parameter', `${ok}Transfer-Encoding: chunked;q=1\r\n\r\n${chunks}`, refused('has no parameters')],
    ['in HTTP/1.0', `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${chunked}\r\n${chunks}`, closing],
  ],
  chunks: [
    ['with extensions', `${ok}${chunked}\r\n5;a=b;c="d;e\\"f"\r\nhello\r\n0;x\r\n\r\n`, kept],
    ['with the look of lines in an extension', `${ok}${chunked}\r\n5;a="\\r\\n0\\r\\n"\r\nhello\r\n0\r\n\r\n`, kept],
    ['with a CR in an extension', `${ok}${chunked}\r\n5;a="\rx"\r\nhello\r\n0\r\n\r\n`, kept],
    ['with space behind the size', `${ok}${chunked}\r\n5 \t; a = b\r\nhello\r\n0 \r\n\r\n`, kept],
    ['with space before the size', `${ok}${chunked}\r\n 5\r\nhello\r\n0\r\n\r\n`, refused('not a chunk size')],
    ['with zeros before the size', `${ok}${chunked}\r\n000000005\r\nhello\r\n000\r\n\r\n`, kept],
    ['with 39 zeros', `${ok}${chunked}\r\n${'0'.repeat(39)}5\r\nhello\r\n0\r\n\r\n`, kept, 'curl takes 16 digits'],
    ['with a size of 17 digits', `${ok}${chunked}\r\n${'F'.repeat(17)}\r\nhello`, refused('beyond all bounds')],
    ['with a size beyond what is read', `${ok}${chunked}\r\n100000000\r\nhello`, 'local', 'a limit of this client'],
    ['with a size of 0x5', `${ok}${chunked}\r\n0x5\r\nhello\r\n0\r\n\r\n`, refused('not a chunk size')],
    ['with a size of +5', `${ok}${chunked}\r\n+5\r\nhello\r\n0\r\n\r\n`, refused('not a chunk size')],
    [
      'with a size of 5g',
      `${ok}${chunked}\r\n5g\r\nhello\r\n0\r\n\r\n`,
      refused('not a chunk size'),
      'framing is exact',
    ],
    [
      'with a word behind it',
      `${ok}${chunked}\r\n5 x\r\nhello\r\n0\r\n\r\n`,
      refused('not a chunk'),
      'framing is exact',
    ],
    ['with an empty size', `${ok}${chunked}\r\n\r\nhello\r\n0\r\n\r\n`, refused('not a chunk size')],
    ['longer than their size', `${ok}${chunked}\r\n5\r\nhelloX\r\n0\r\n\r\n`, refused('longer than its size')],
    ['many', `${ok}${chunked}\r\n1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n`, kept],
    ['without the last one', `${ok}${chunked}\r\n5\r\nhello\r\n`, 'truncated'],
    ['without the empty line', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\n`, 'truncated'],
    ['without the end of the trailers', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\nX: y\r\n`, 'truncated'],
    ['with trailers', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n`, kept],
    ['with a trailer without a colon', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\nno\r\n\r\n`, refused('without a colon')],
    ['with a NUL in a trailer', `${ok}${chunked}\r\n5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n`, refused('a NUL')],
  ],
  'an answer without a body': [
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', empty(204, true)],
    ['204 and a body', 'HTTP/1.1 204 No Content\r\n\r\n{}', empty(204, false)],
    ['204 and a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}', empty(204, false)],
    ['204 and chunks', `HTTP/1.1 204 No Content\r\n${chunked}\r\n${chunks}`, empty(204, false)],
    ['304 with the length of what it stands for', `HTTP/1.1 304 Not Modified\r\n${five}\r\n`, empty(304, true)],
    ['304 and a body', `HTTP/1.1 304 Not Modified\r\n${rest}`, empty(304, false)],
    ['205 with its length', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', empty(205, true)],
    ['205 without a length', 'HTTP/1.1 205 Reset Content\r\n\r\n', { ...untilClose, status: 205, body: '' }],
  ],
  'interim answers': [
    ['100', `HTTP/1.1 100 Continue\r\n\r\n${ok}${rest}`, kept],
    ['102 with a length', `HTTP/1.1 102 Processing\r\n${five}\r\n${ok}${rest}`, kept],
    ['199', `HTTP/1.1 199 New\r\n\r\n${ok}${rest}`, kept],
    ['without a reason', `HTTP/1.1 100\r\n\r\n${ok}${rest}`, kept],
    ['that say close', `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${ok}${rest}`, kept],
    ['of HTTP/1.0', `HTTP/1.0 100 Continue\r\n\r\n${ok}${rest}`, kept],
    ['twelve', `${early.repeat(12)}${ok}${rest}`, kept],
    ['and nothing', early, 'closed'],
    ['cut', 'HTTP/1.1 103 Early Hints\r\nLi', 'closed', 'curl calls it an empty answer with status 103'],
    ['cut in the status', 'HTTP/1.1 1', 'closed'],
    ['and the beginning of the answer', `${early}HTTP/1.1 2`, 'truncated'],
    ['and no HTTP', `${early}hello`, refused('does not begin with HTTP/1.')],
    ['101', `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello`, refused('101'), 'it was not asked for'],
  ],
  'the end': [
    ['by the close', `${ok}\r\nhello`, untilClose],
    ['by the close, without a body', `${ok}\r\n`, { ...untilClose, body: '' }],
    ['by the close, of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', untilClose],
    ['followed by bytes', `${ok}${rest}EXTRA`, closing],
    ['followed by an empty line', `${ok}${rest}\r\n`, closing],
    ['followed by another answer', `${ok}${rest}${ok}${rest}`, closing],
    ['of chunks, followed by bytes', `${ok}${chunked}\r\n${chunks}EXTRA`, closing],
    ['with close, followed by bytes', `${ok}Connection: close\r\n${rest}EXTRA`, closing],
    ['missing in the body', `${ok}Content-Length: 10\r\n\r\nhello`, 'truncated'],
    ['missing in the head', `${ok}Content-Len`, 'truncated', 'curl takes what it has of the head'],
    ['missing in the status line', 'HTTP/1.1 20', 'truncated'],
    ['missing in the first word', 'HT', 'truncated'],
    ['missing altogether', '', 'closed'],
  ],
};

/** All answers. */
export const answerCases: readonly AnswerCase[] = Object.entries(groups).flatMap(([what, rows]) =>
  rows.map(([name, bytes, expected, unlikeCurl]) => ({
    name: `${what}: ${name}`,
    bytes,
    expected,
    ...(unlikeCurl === undefined ? {} : { unlikeCurl }),
  })),
);
