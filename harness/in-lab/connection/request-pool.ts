/** What a load asks of the connections that carry its requests, whatever they speak. */
import type { Target } from './connection.ts';
import type { Exchange } from '../load/exchange.ts';
import { NameWatch } from './name-watch.ts';
import type { LoadPlan } from '../load/plan.ts';

/** What a pool takes of a plan. */
export type PoolPlan = Pick<
  LoadPlan,
  'host' | 'port' | 'lookUp' | 'maxHeadBytes' | 'maxAnswerBytes' | 'maxConnections' | 'tls'
>;

/** Sends requests on kept and new connections. */
export interface RequestPool {
  /** How many requests have been given to a connection, and so sent. */
  readonly carried: number;
  /** Sends the request now, or as soon as a connection is free. */
  send(exchange: Exchange): void;
  /** Takes out the requests due until then that still wait for a connection. */
  takeWaiting(untilDueUs: number): Iterable<Exchange>;
  /** Ends every connection without settling what it carries. */
  close(): void;
}

/** Watches the plan's name, where it has one. @param moved is told where new connections go from now on */
export function watchOf(
  { host, port, lookUp = null }: PoolPlan,
  moved: (target: Pick<Target, 'host' | 'movedTo'>) => void,
): NameWatch | null {
  if (lookUp === null || port === null) return null;
  return new NameWatch(lookUp, host, port, (address) =>
    moved({ host: address, movedTo: address === host ? undefined : address }),
  );
}
