/** What servers of HTTP/2 do to requests, and what each of these must come to. */
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
  readonly deadlineMs?: number;
  readonly maxHeadBytes?: number;
  readonly maxAnswerBytes?: number;
}

const half = 5;
const highest = 2 ** 31 - 1;

function write({ socket }: StreamRequest, ...parts: Buffer[]): void {
  socket.write(Buffer.concat(parts));
}

/** What is done to ten streams of a connection at once. The first five are answered, unless it says otherwise. */
function ofGroups(
  name: string,
  act: (group: readonly StreamRequest[], first: StreamRequest) => void,
  [fate, late = fate]: readonly [fate: string, late?: string],
  errors: readonly string[],
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

const connectionCases: StreamCase[] = [
  ...[0, 2, 11].map((code) =>
    ofGroups(
      `GOAWAY with code ${code}, and answers to the streams below its last id`,
      (group, first) => {
        write(first, frames.goaway(lastOf(group), code));
        soon(() => first.socket.end(answers(group)));
      },
      ['refused-stream'],
      [`GOAWAY ${{ 0: 'NO_ERROR', 2: 'INTERNAL_ERROR', 11: 'ENHANCE_YOUR_CALM' }[code] ?? ''}, wait`],
    ),
  ),
  ofGroups(
    'GOAWAY twice, the first with the highest id',
    (group, first) => {
      write(first, frames.goaway(highest), frames.ping());
      soon(() => {
        write(first, frames.goaway(lastOf(group)));
        soon(() => first.socket.end(answers(group)));
      });
    },
    ['refused-stream'],
    ['GOAWAY NO_ERROR, wait'],
  ),
  ofGroups(
    'GOAWAY that allows all, and a FIN before half of the answers',
    (group, first) => {
      write(first, frames.goaway(highest));
      soon(() => first.socket.end(answers(group)));
    },
    ['closed'],
    ['FIN after GOAWAY NO_ERROR, wait', 'close_notify after GOAWAY NO_ERROR, wait'],
  ),
  ofGroups(
    'GOAWAY that allows all, and a reset before half of the answers',
    (group, first) => {
      write(first, frames.goaway(highest, 1), answers(group));
      soon(() => first.raw.resetAndDestroy());
    },
    ['reset'],
    ['ECONNRESET after GOAWAY PROTOCOL_ERROR, wait'],
  ),
  ofGroups(
    'a FIN without GOAWAY',
    (group, first) => {
      write(first, answers(group));
      soon(() => first.raw.end());
    },
    ['closed'],
    ['FIN, wait'],
  ),
  ofGroups(
    'a FIN in bodies',
    (group, first) => {
      const begun = group.slice(lower(group).length).map(({ id }) => frames.headers(id, head(200)));
      write(first, answers(group), ...begun);
      soon(() => first.raw.end());
    },
    ['truncated', 'closed'],
    ['FIN, body', 'FIN, wait'],
  ),
  ofGroups(
    'a reset',
    (group, first) => {
      write(first, answers(group));
      soon(() => first.raw.resetAndDestroy());
    },
    ['reset'],
    ['ECONNRESET, wait'],
  ),
  ofGroups(
    'a FIN in the last frame of an answer',
    (group, first) => {
      const cut = group.slice(lower(group).length).flatMap(({ id }) => [frames.headers(id, head(200))]);
      const id = group.at(-1)?.id ?? 0;
      write(first, answers(group), ...cut, frames.data(id, 'never whole').subarray(0, 12));
      soon(() => first.raw.end());
    },
    ['truncated', 'closed'],
    ['FIN, body', 'FIN, wait'],
  ),
  ofGroups(
    'a frame that breaks the protocol',
    (group, first) => {
      write(first, answers(group));
      soon(() => write(first, frame(0, 0, 0, 'x')));
    },
    ['parse'],
    ['not HTTP/2: PROTOCOL_ERROR'],
  ),
];

/** What is done to each tenth request, while the connection goes on. */
function ofStreams(
  name: string,
  parts: (id: number) => Buffer[],
  fate: string,
  more: Partial<StreamCase> = {},
): StreamCase {
  const server = (told: Told): StreamServer => ({
    behave: (request) => {
      const { id, requestId, nthRequest } = request;
      const isTenth = nthRequest % 10 === 9;
      told.set(requestId, isTenth ? fate : 'ok');
      write(request, ...(isTenth ? parts(id) : [frames.ok(id)]));
    },
  });
  return { name, server, errors: [], ...more };
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

const reset = (code: number, name: string, fate = 'reset'): StreamCase =>
  ofStreams(`is reset by ${name}`, (id) => [frames.rst(id, code)], fate, { errors: [`RST_STREAM ${name}, wait`] });

const streamCases: StreamCase[] = [
  reset(2, 'INTERNAL_ERROR'),
  reset(8, 'CANCEL'),
  reset(0, 'NO_ERROR'),
  reset(1, 'PROTOCOL_ERROR'),
  reset(0xab, '0xab'),
  reset(7, 'REFUSED_STREAM', 'refused-stream'),
  ...[0, 2, 7, 8].map((code) =>
    ofStreams(
      `is reset by ${code} in its body`,
      (id) => [frames.headers(id, ok), frames.data(id, 'some of it', false), frames.rst(id, code)],
      'truncated',
      {
        errors: [
          `RST_STREAM ${['NO_ERROR', '', 'INTERNAL_ERROR'][code] ?? { 7: 'REFUSED_STREAM', 8: 'CANCEL' }[code] ?? ''}, body`,
        ],
      },
    ),
  ),
  ofStreams('is reset by NO_ERROR behind its answer', (id) => [frames.ok(id), frames.rst(id, 0)], 'ok'),
  ofStreams(
    'has a body shorter than its Content-Length',
    (id) => [frames.headers(id, head(200, { 'content-length': '5' })), frames.data(id, 'ok')],
    'parse',
    {
      errors: ['not HTTP/2: PROTOCOL_ERROR'],
    },
  ),
  ofStreams(
    'has a body longer than its Content-Length',
    (id) => [frames.headers(id, head(200, { 'content-length': '1' })), frames.data(id, 'ok')],
    'parse',
    {
      errors: ['not HTTP/2: PROTOCOL_ERROR'],
    },
  ),
  ofStreams('has a head that is no HTTP', (id) => [frames.headers(id, head(200, { 'X-Upper': 'a' }), true)], 'parse', {
    errors: ['not HTTP/2: PROTOCOL_ERROR'],
  }),
  ofStreams(
    'has trailers',
    (id) => [
      frames.headers(id, ok),
      frames.data(id, 'ok', false),
      frames.headers(id, head(200, { 'grpc-status': '0' }).subarray(1), true),
    ],
    'ok',
  ),
  ofStreams('has an interim answer first', (id) => [frames.headers(id, head(103, { link: 'x' })), frames.ok(id)], 'ok'),
  ofStreams('is reset behind an interim answer', (id) => [frames.headers(id, head(103)), frames.rst(id, 2)], 'reset', {
    errors: ['RST_STREAM INTERNAL_ERROR, wait'],
  }),
  ofStreams('has no body', (id) => [frames.headers(id, head(204), true)], 'ok'),
  ofStreams('is answered 503', (id) => [frames.headers(id, head(503), true)], 'status-503'),
  ofStreams('is padded', (id) => [frames.headers(id, ok), frame(0, 9, id, Buffer.from([3, 111, 107, 0, 0, 0]))], 'ok'),
  ofStreams('has a head above the limit', (id) => [...longHead(id, fields(200)), frames.data(id, 'ok')], 'local', {
    maxHeadBytes: 10_000,
    errors: ['limit: the head is above 10000 bytes (--max-head)'],
  }),
  ofStreams('has a head in three frames', (id) => [...longHead(id, fields(300)), frames.data(id, 'ok')], 'ok'),
  ofStreams(
    'has a body above the limit',
    (id) => [
      frames.headers(id, ok),
      frames.data(id, Buffer.alloc(16_000), false),
      frames.data(id, Buffer.alloc(16_000)),
    ],
    'local',
    { maxAnswerBytes: 20_000, errors: ['limit: the answer is above 20000 bytes (--max-answer)'] },
  ),
  ofStreams(
    'gets PING, SETTINGS and windows, and no answer',
    (id) => [frames.ping(), frames.settings(), frames.window(id, 100), frames.window(0, 100)],
    'timeout',
    { deadlineMs: 600, errors: ['deadline, wait'] },
  ),
  ofStreams('is never answered to its end', (id) => [frames.headers(id, ok), frames.data(id, 'x', false)], 'timeout', {
    deadlineMs: 600,
    errors: ['deadline, body'],
  }),
];

/** All of them. */
export const cases: readonly StreamCase[] = [...connectionCases, ...streamCases];
