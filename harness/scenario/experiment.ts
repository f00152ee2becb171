/**
 * What an experiment is: data, checked by a schema whose errors name the field.
 * Files under experiments/ are written with {@link defineExperiment}; nothing in them runs anything.
 */
import { z } from 'zod';

const ms = z.number().int().nonnegative();

const appSchema = z.strictObject({
  /** How long the new process warms up before it accepts public traffic. */
  warmupMs: ms,
  /**
   * What SIGTERM does to connections, once the grace period is over:
   * `polite` stops accepting, answers all that still arrives with `Connection: close` and leaves when no connection is
   * left; `naive` ends idle connections at once, as a framework's graceful close does; `none` dies of the signal.
   */
  drain: z.enum(['polite', 'naive', 'none']),
  /** From SIGTERM (readyz 503 at once) to the moment the site stops accepting. */
  graceMs: ms,
  /** The longest that the graceful shutdown after the grace period may take. */
  shutdownTimeoutMs: ms,
  /** How long the site keeps an idle connection; above the proxy's 90 s, or the two race with no restart at all. */
  keepAliveTimeoutMs: ms,
});

const unitSchema = z.strictObject({
  /** Who owns the public port: the process (`none`), or a systemd socket unit that outlives it (`socket`). */
  activation: z.enum(['none', 'socket']),
  /** Backlog= of the socket unit; the kernel caps it at somaxconn. */
  backlog: z.number().int().positive().optional(),
  /** TimeoutStopSec= of the service. */
  timeoutStopSec: z.number().int().positive(),
});

const retrySchema = z.strictObject({
  /** Tries in all, the first included. */
  attempts: z.number().int().min(2),
  /** First wait between tries; 0 tries again at once. */
  initialIntervalMs: ms,
});

const checkSchema = z.strictObject({
  path: z.string().startsWith('/'),
  /** The port that is asked: the public one, or the internal one that answers from the first moment. */
  port: z.enum(['public', 'internal']),
  intervalMs: ms.min(1),
  timeoutMs: ms.min(1),
});

const proxySchema = z.strictObject({
  kind: z.literal('traefik'),
  retry: retrySchema.optional(),
  check: checkSchema.optional(),
});

const mixSchema = z.strictObject({
  method: z.enum(['GET', 'POST']),
  /** `/notes/:id` reads a note that exists, `/notes` writes one with an id of its own, `/slow?ms=N` takes N ms. */
  path: z.string().regex(/^(\/notes|\/notes\/:id|\/slow\?ms=\d+)$/u, 'must be /notes, /notes/:id or /slow?ms=N'),
  weight: z.number().positive(),
});

const loadSchema = z.strictObject({
  ratePerSecond: z.number().positive().max(5_000),
  mix: z.array(mixSchema).min(1),
  connections: z.enum(['kept', 'new', 'mixed']),
});

const deploySchema = z.strictObject({
  action: z.enum(['restart', 'none']),
  restarts: z.number().int().nonnegative().max(1_000),
  /** From the start of one deploy to the start of the next: drawn evenly between the two, by the seed. */
  spacingMs: z
    .tuple([ms.min(100), ms.min(100)])
    .refine(([low, high]) => low <= high, 'the first of the two must not be above the second'),
  /** Load before the first deploy. */
  leadMs: ms,
  /** Load after the last deploy began: above the time a restart takes, or its tail is not seen. */
  tailMs: ms,
});

const expectationSchema = z.union([
  z.strictObject({ max: z.number().nonnegative(), because: z.string().min(10) }),
  z.strictObject({
    /** Compared with what timeline and options predict; |measured − predicted| ≤ withinPercent of the prediction. */
    predicted: z.literal(true),
    withinPercent: z.number().positive(),
    because: z.string().min(10),
  }),
]);

const waitExpectationSchema = z.strictObject({
  /** The longest wait may be this much above the longest outage window. */
  abovePercentOfOutage: z.number().nonnegative(),
  because: z.string().min(10),
});

const expectSchema = z.strictObject({
  dropped: expectationSchema,
  badRestarts: z
    .union([
      z.strictObject({ max: z.number().int().nonnegative(), because: z.string().min(10) }),
      z.strictObject({ all: z.literal(true), because: z.string().min(10) }),
    ])
    .optional(),
  longestWait: waitExpectationSchema.optional(),
});

/** The schema of an experiment; strict, so that a misspelt field is an error and not a silent default. */
export const experimentSchema = z.strictObject({
  id: z.string().regex(/^E\d+$/u, 'must be E and a number'),
  title: z.string().min(3),
  question: z.string().min(10),
  hypothesis: z.string().min(10),
  app: appSchema,
  unit: unitSchema,
  proxy: proxySchema,
  load: loadSchema,
  deploy: deploySchema,
  expect: expectSchema,
});

/** One experiment, as the lab, the load and the verdict read it. */
export type Experiment = z.infer<typeof experimentSchema>;
/** One entry of the load's mix. */
export type MixEntry = z.infer<typeof mixSchema>;

/**
 * Checks an experiment's data and gives it its type.
 * @throws {z.ZodError} naming each field that is wrong.
 */
export function defineExperiment(data: z.input<typeof experimentSchema>): Experiment {
  return experimentSchema.parse(data);
}
