/** A service that the user runs, as `measure` asks it: where it is, what is sent, and what may be lost. */
import { z } from 'zod';
import { methods } from '../base/methods.ts';
import { holdKinds, mostHeld } from './hold.ts';

/** How TLS was spoken with a service. The files are named as the user wrote them; what a key file holds is a secret. */
const tlsSchema = z.strictObject({
  /** Authorities that were accepted in place of those of Node; null: Node's. */
  caFile: z.string().nullable(),
  /** Any certificate was accepted. */
  isInsecure: z.boolean(),
  /** The client's own certificate. */
  certFile: z.string().nullable(),
  /** Could a new connection take up the session of one before it? */
  resumes: z.boolean(),
});

/** One request of a mix, as it may be shown. */
export const requestSchema = z.strictObject({
  name: z.string().min(1),
  method: z.enum(methods),
  /** As it was written: with `{id}` and `{seq}`, and without secrets. */
  path: z.string().startsWith('/'),
  weight: z.number().positive(),
  /** How many of each 100 slots are its own. */
  slotsOf100: z.number().int().positive(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** How long the body is without what is filled in; null without a body. */
  bodyBytes: z.number().int().nonnegative().nullable(),
  /** What makes an answer ok, each a phrase: `status 201`, `header ETag is "5"`. */
  expect: z.array(z.string()),
});

/** Connections that were held open beside the load. */
const holdSchema = z.strictObject({
  count: z.number().int().positive().max(mostHeld),
  kind: z.enum(holdKinds),
  /** Path and query, without secrets. */
  path: z.string().startsWith('/'),
  /** How many may be cut in the middle of a message; null: any. */
  maxCut: z.number().int().nonnegative().nullable(),
});

/** The schema of a measured service. */
export const serviceSchema = z.strictObject({
  /** As the user wrote it, without its secrets. */
  url: z.string(),
  /** The address that the URL's host was resolved to at first; of a Unix socket its path. */
  address: z.string(),
  /** null of a Unix socket. */
  port: z.number().int().min(1).max(65_535).nullable(),
  /** null where requests went in plain text. */
  tls: tlsSchema.nullable().default(null),
  /** The protocol; left out: HTTP/1.1. */
  http: z.literal('2').optional(),
  /** null where the load is a mix. */
  method: z.enum(methods).nullable(),
  /** Path and query, without secrets. */
  path: z.string().startsWith('/'),
  /** In place of a secret stands the variable that holds it: `${AUTHORIZATION}`. */
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** How long the body is, which itself is not written down; null without a body. */
  bodyBytes: z.number().int().nonnegative().nullable(),
  /** The status that is ok; null stands for any from 200 to 299. */
  expectedStatus: z.number().int().nullable(),
  /** The mix, where the load is one; then method, path and body are theirs. */
  requests: z.array(requestSchema).min(1).optional(),
  ratePerSecond: z.number().positive(),
  connections: z.enum(['kept', 'new', 'mixed']),
  /** From a request's due time to its complete answer. */
  timeoutMs: z.number().int().positive(),
  maxConnections: z.number().int().positive(),
  /** Most bytes of an answer's head and of its body that are read; what is above is no fault of the service. */
  maxHeadBytes: z.number().int().positive(),
  maxAnswerBytes: z.number().int().positive(),
  /** The command that runs under the load, for the user's shell, without its secrets. */
  whileCommand: z.string().nullable(),
  /** How often the command runs under the one load; left out: once. */
  restarts: z.number().int().positive().optional(),
  /** From one of its runs to the next, on average. */
  everyMs: z.number().int().positive().optional(),
  /** The share of clean restarts that is claimed. */
  claimPercent: z.number().optional(),
  /** Left out where no connection was held. */
  hold: holdSchema.optional(),
  maxDropped: z.number().int().nonnegative(),
  /** The longest silence that is allowed; null: any. */
  maxGapMs: z.number().nonnegative().nullable().default(null),
  /** The longest wait for an ok answer that is allowed; null: any. */
  maxWaitMs: z.number().nonnegative().nullable().default(null),
  /** Units whose lines in systemd's journal are a witness; left out: none. */
  journal: z.array(z.string()).optional(),
  /** Access logs that are a witness; left out: none. */
  accessLogs: z.array(z.string()).optional(),
  /** The run says nothing if nothing of the service was seen to change. */
  mustChange: z.boolean().default(false),
});

/** One request of a mix, as a run records it. */
export type ServiceRequest = z.infer<typeof requestSchema>;
/** A measured service. */
export type Service = z.infer<typeof serviceSchema>;

/** What is asked, in a few words: `GET http://…/`, or how many requests of which service. */
export function askedOf({ method, url, requests }: Service): string {
  return method === null ? `a mix of ${requests?.length ?? 0} requests to ${url}` : `${method} ${url}`;
}
