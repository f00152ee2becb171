/** What servers of HTTP/2 do to requests, and what each of these must come to. */
import type { LoadPlan } from '../load/plan.ts';
import {
  frame,
  frames,
  gather,
  head,
  maxStreams,
  type StreamRequest,
  type StreamServer,
  type Told,
} from './testing-h2.ts';

/** One server, and the words that its failures may have. */
export interface StreamCase {
  readonly name: string;
  /** It writes down what each request that arrived must come to. */
  readonly server: (told: Told) => StreamServer;
  readonly errors: readonly string[];
  /** What its load must have. */
  readonly limits?: Partial<LoadPlan>;
}

const half = 5;
const highest = 2 ** 31 - 1;

function write({ socket }: StreamRequest, ...parts: Buffer[]): void {
  socket.write(Buffer.concat(parts));
}

/**
 * What is done to ten streams of a connection at once.
 * @param fate of those that are not the first five, which are answered; and of requests that come later
 */
function ofGroups(
  name: string,
  [fate, late = fate]: readonly [fate: string, late?: string],
  errors: readonly string[],
  act: (group: readonly StreamRequest[], first: StreamRequest) => void,
): StreamCase {
  const server = (told: Told): StreamServer => ({
    greeting: frames.settings([maxStreams, 2 * half]),
    behave: gather(
      told,
      (group) => {
        const [first] = group;
        if (first !== undefined) act(group, first);
        return group.map((_, at) => (at < Math.ceil(group.length / 2) ? 'ok' : fate));
      },
      late,
    ),
  });
  return { name, server, errors };
}

function lower(group: readonly StreamRequest[]): readonly StreamRequest[] {
  return group.slice(0, Math.ceil(group.length / 2));
}

function answers(group: readonly StreamRequest[]): Buffer {
  return Buffer.concat(lower(group).map(({ id }) => frames.ok(id)));
}

const lastOf = (group: readonly StreamRequest[]): number => lower(group).at(-1)?.id ?? 0;
/** The client reads what came before a reset only if it has the time. */
const soon = (act: () => void): void => void setTimeout(act, 30);
const inBodies = ['FIN, body', 'FIN, wait'];
const breaksProtocol = 'not HTTP/2: PROTOCOL_ERROR';

const connectionCases: StreamCase[] = [
  ...(
    [
      [0, 'NO_ERROR'],
      [2, 'INTERNAL_ERROR'],
      [11, 'ENHANCE_YOUR_CALM'],
    ] as const
  ).map(([code, word]) =>
    ofGroups(
      `GOAWAY with code ${code}, and answers to the streams below its last id`,
      ['refused-stream'],
      [`GOAWAY ${word}, wait`],
      (group, first) => {
        write(first, frames.goaway(lastOf(group), code));
        soon(() => first.socket.end(answers(group)));
      },
    ),
  ),
  ofGroups(
    'GOAWAY twice, the first with the highest id',
    ['refused-stream'],
    ['GOAWAY NO_ERROR, wait'],
    (group, first) => {
      write(first, frames.goaway(highest), frames.ping());
      soon(() => {
        write(first, frames.goaway(lastOf(group)));
        soon(() => first.socket.end(answers(group)));
      });
    },
  ),
  ofGroups(
    'GOAWAY that allows all, and a FIN before half of the answers',
    ['closed'],
    ['FIN after GOAWAY NO_ERROR, wait', 'close_notify after GOAWAY NO_ERROR, wait'],
    (group, first) => {
      write(first, frames.goaway(highest));
      soon(() => first.socket.end(answers(group)));
    },
  ),
  ofGroups(
    'GOAWAY that allows all, and a reset before half of the answers',
    ['reset'],
    ['ECONNRESET after GOAWAY PROTOCOL_ERROR, wait'],
    (group, first) => {
      write(first, frames.goaway(highest, 1), answers(group));
      soon(() => first.raw.resetAndDestroy());
    },
  ),
  ofGroups('a FIN without GOAWAY', ['closed'], ['FIN, wait'], (group, first) => {
    write(first, answers(group));
    soon(() => first.raw.end());
  }),
  ofGroups('a FIN in bodies', ['truncated', 'closed'], inBodies, (group, first) => {
    const begun = group.slice(lower(group).length).map(({ id }) => frames.headers(id, head(200)));
    write(first, answers(group), ...begun);
    soon(() => first.raw.end());
  }),
  ofGroups('a reset', ['reset'], ['ECONNRESET, wait'], (group, first) => {
    write(first, answers(group));
    soon(() => first.raw.resetAndDestroy());
  }),
  ofGroups('a FIN in the last frame of an answer', ['truncated', 'closed'], inBodies, (group, first) => {
    const cut = group.slice(lower(group).length).map(({ id }) => frames.headers(id, head(200)));
    const id = group.at(-1)?.id ?? 0;
    write(first, answers(group), ...cut, frames.data(id, 'never whole').subarray(0, 12));
    soon(() => first.raw.end());
  }),
  ofGroups('a frame that breaks the protocol', ['parse'], [breaksProtocol], (group, first) => {
    write(first, answers(group));
    soon(() => write(first, frame(0, 0, 0, 'x')));
  }),
];

/** What is done to each tenth request, while the connection goes on.  */
function ofStreams(
  name: string,
  [fate, error]: readonly [fate: string, error?: string],
  parts: (id: number) => Buffer[],
  limits: Partial<LoadPlan> = {},
): StreamCase {
  const server = (told: Told): StreamServer => ({
    behave: (request) => {
      const { id, requestId, nthRequest } = request;
      const isTenth = nthRequest % 10 === 9;
      told.set(requestId, isTenth ? fate : 'ok');
      write(request, ...(isTenth ? parts(id) : [frames.ok(id)]));
    },
  });
  return { name, server, errors: error === undefined ? [] : [error], limits };
}

const ok = head(200);
const fields = (count: number): Buffer =>
  Buffer.concat([
    ok,
    ...Array.from({ length: count }, (_, at) => head(200, { [`x-${at}`]: 'y'.repeat(100) }).subarray(1)),
  ]);

/** A head in as many frames as it needs. */
export function longHead(id: number, block: Buffer): Buffer[] {
  const size = 16_384;
  const rest = Array.from({ length: Math.ceil(block.length / size) }, (_, at) =>
    block.subarray(at * size, at * size + size),
  );
  return rest.map((part, at) => frame(at === 0 ? 1 : 9, at === rest.length - 1 ? 4 : 0, id, part));
}

const reset = (code: number, word: string, fate = 'reset'): StreamCase =>
  ofStreams(`is reset by ${word}`, [fate, `RST_STREAM ${word}, wait`], (id) => [frames.rst(id, code)]);

const resetInBody = (code: number, word: string): StreamCase =>
  ofStreams(`is reset by ${code} in its body`, ['truncated', `RST_STREAM ${word}, body`], (id) => [
    frames.headers(id, ok),
    frames.data(id, 'some of it', false),
    frames.rst(id, code),
  ]);

const ofLength = (id: number, length: number): Buffer[] => [
  frames.headers(id, head(200, { 'content-length': String(length) })),
  frames.data(id, 'ok'),
];
const soonOver = { deadlineMs: 2_000 };

const streamCases: StreamCase[] = [
  reset(2, 'INTERNAL_ERROR'),
  reset(8, 'CANCEL'),
  reset(0, 'NO_ERROR'),
  reset(1, 'PROTOCOL_ERROR'),
  reset(0xab, '0xab'),
  reset(7, 'REFUSED_STREAM', 'refused-stream'),
  resetInBody(0, 'NO_ERROR'),
  resetInBody(2, 'INTERNAL_ERROR'),
  resetInBody(7, 'REFUSED_STREAM'),
  resetInBody(8, 'CANCEL'),
  ofStreams('is reset by NO_ERROR behind its answer', ['ok'], (id) => [frames.ok(id), frames.rst(id, 0)]),
  ofStreams('has a body shorter than its Content-Length', ['parse', breaksProtocol], (id) => ofLength(id, 5)),
  ofStreams('has a body longer than its Content-Length', ['parse', breaksProtocol], (id) => ofLength(id, 1)),
  ofStreams('has a head that is no HTTP', ['parse', breaksProtocol], (id) => [
    frames.headers(id, head(200, { 'X-Upper': 'a' }), true),
  ]),
  ofStreams('has trailers', ['ok'], (id) => [
    frames.headers(id, ok),
    frames.data(id, 'ok', false),
    frames.headers(id, head(200, { 'grpc-status': '0' }).subarray(1), true),
  ]),
  ofStreams('has an interim answer first', ['ok'], (id) => [
    frames.headers(id, head(103, { link: 'x' })),
    frames.ok(id),
  ]),
  ofStreams('is reset behind an interim answer', ['reset', 'RST_STREAM INTERNAL_ERROR, wait'], (id) => [
    frames.headers(id, head(103)),
    frames.rst(id, 2),
  ]),
  ofStreams('has no body', ['ok'], (id) => [frames.headers(id, head(204), true)]),
  ofStreams('is answered 503', ['status-503'], (id) => [frames.headers(id, head(503), true)]),
  ofStreams('is padded', ['ok'], (id) => [
    frames.headers(id, ok),
    frame(0, 9, id, Buffer.from([3, 111, 107, 0, 0, 0])),
  ]),
  ofStreams(
    'has a head above the limit',
    ['local', 'limit: the head is above 10000 bytes (--max-head)'],
    (id) => [...longHead(id, fields(200)), frames.data(id, 'ok')],
    { maxHeadBytes: 10_000 },
  ),
  ofStreams('has a head in three frames', ['ok'], (id) => [...longHead(id, fields(300)), frames.data(id, 'ok')]),
  ofStreams(
    'has a body above the limit',
    ['local', 'limit: the answer is above 20000 bytes (--max-answer)'],
    (id) => [frames.headers(id, ok), ...[false, true].map((isLast) => frames.data(id, Buffer.alloc(16_000), isLast))],
    { maxAnswerBytes: 20_000 },
  ),
  ofStreams(
    'gets PING, SETTINGS and windows, and no answer',
    ['timeout', 'deadline, wait'],
    (id) => [frames.ping(), frames.settings(), frames.window(id, 100), frames.window(0, 100)],
    soonOver,
  ),
  ofStreams(
    'is never answered to its end',
    ['timeout', 'deadline, body'],
    (id) => [frames.headers(id, ok), frames.data(id, 'x', false)],
    soonOver,
  ),
];

/** All of them. */
export const cases: readonly StreamCase[] = [...connectionCases, ...streamCases];
