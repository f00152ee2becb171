/** The request that opens a held connection. */
import type { LoadPlan } from '../load/plan.ts';
import type { LifeName } from './held-connection.ts';

/** A plan with connections to hold. */
export type HoldingPlan = Pick<
  LoadPlan,
  'runId' | 'host' | 'port' | 'lookUp' | 'tls' | 'hostHeaders' | 'deadlineMs' | 'maxHeadBytes'
> & {
  readonly hold: NonNullable<LoadPlan['hold']>;
};

/** Its bytes; what the user gave as a header takes the place of our own. */
export function holdRequest({ runId, hostHeaders, hold }: HoldingPlan, life: LifeName, key: string): Buffer {
  const own = {
    sse: [
      ['Accept', 'text/event-stream'],
      ['Cache-Control', 'no-cache'],
    ],
    websocket: [
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Version', '13'],
    ],
    idle: [],
    'slow-response': [],
  }[hold.kind];
  const given = new Set(hold.headers.map(([name]) => name.toLowerCase()));
  const lines = [
    ['Host', hostHeaders[0]],
    ['X-Request-Id', `${runId}-hold-${life.holder}-${life.generation}`],
    ['Connection', hold.kind === 'websocket' ? 'Upgrade' : 'keep-alive'],
    ...own.filter(([name = '']) => !given.has(name.toLowerCase())),
    ...hold.headers,
  ].map(([name = '', value = '']) => `${name}: ${value}\r\n`);
  return Buffer.from(`GET ${hold.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}
