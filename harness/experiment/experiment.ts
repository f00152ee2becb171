/**
 * What an experiment is: data, checked by a schema whose errors name the field.
 * Files under experiments/ are written with {@link defineExperiment}; nothing in them runs anything.
 */
import { z } from 'zod';
import { HarnessError } from '../base/errors.ts';
import type { MixEntry } from './load-schedule.ts';
import { mistakesIn, mistakeText } from './mistakes.ts';
import { ownServiceSchema } from './own-service.ts';

/** A day: what is longer is a slip of the hand. */
const mostMs = 86_400_000;
const ms = z.number().int().nonnegative().max(mostMs);
/** What systemd, the kernel and the proxy count in. */
const mostInt = 2 ** 31 - 1;

const appSchema = z.strictObject({
  /** How long the new process warms up before it accepts public traffic. */
  warmupMs: ms,
  /**
   * What SIGTERM does to connections, once the grace period is over:
   * `polite` stops accepting, answers all that still arrives with `Connection: close` and leaves when no connection is
   * left; `naive` ends idle connections at once, as a framework's graceful close does; `none` dies of the signal.
   */
  drain: z.enum(['polite', 'naive', 'none']),
  /** In a polite drain, idle connections are ended after this long without any request. */
  drainQuietMs: ms.default(1_000),
  /** From SIGTERM (readyz 503 at once) to the moment the site stops accepting. */
  graceMs: ms,
  /** The longest that the graceful shutdown after the grace period may take. */
  shutdownTimeoutMs: ms,
  /** How long the site keeps an idle connection; above the proxy's 90 s, or the two race with no restart at all. */
  keepAliveTimeoutMs: ms,
  /**
   * A planted fault, to see that it is caught: the site lies about its writes or stores another text (every fiftieth),
   * takes 450 ms for each answer, goes on at SIGTERM, or spoils one answer of each process:
   * another body, a version that is out of rotation (every tenth answer), 2 s late, reset in mid-body, or none at all.
   */
  fault: z
    .enum([
      'none',
      'ack-before-commit',
      'apply-twice',
      'wrong-text',
      'slow-answers',
      'ignore-sigterm',
      'wrong-body',
      'old-version',
      'stall',
      'cut-answer',
      'no-answer',
    ])
    .default('none'),
});

const unitSchema = z.strictObject({
  /**
   * Who owns the ports: the process (`none`), or systemd socket units that outlive it, for the public port (`socket`)
   * or for the public and the internal one (`both`); `shared`: one socket unit for the public port of two colours.
   */
  activation: z.enum(['none', 'socket', 'both', 'shared']),
  /** Of a shared socket: what is left out of containers/one-socket, to see what it is for. */
  leftOut: z.enum(['holder', 'sockets', 'no-start-limit']).optional(),
  /** Backlog= of the socket unit; the kernel caps it at somaxconn. */
  backlog: z.number().int().positive().max(mostInt).optional(),
  /** TimeoutStopSec= of the service. */
  timeoutStopSec: z
    .number()
    .int()
    .positive()
    .max(mostMs / 1000),
  /** KillMode= of the service. */
  killMode: z.enum(['mixed', 'control-group', 'process']).default('mixed'),
  /** Restart= of the service. */
  restart: z.enum(['on-failure', 'always', 'no']).default('on-failure'),
  /** StartLimitBurst= of the service (in 10 s); a deploy that is repeated counts too. */
  startLimitBurst: z.number().int().positive().max(mostInt).default(50),
  /** Does the socket unit share its service's fate: PartOf= or BindsTo= the service? It should not. */
  socketTie: z.enum(['none', 'part-of', 'binds-to']).default('none'),
  /** FlushPending= of the socket unit: are waiting connections closed when the service stops? */
  flushPending: z.boolean().default(false),
});

const sitesSchema = z.strictObject({
  /** How many sites the server has, one when left out: each with its own domain, units, ports, env file and database. */
  count: z.number().int().min(1).max(20).optional(),
  /** 2: a second unit (the other colour) on the same SQLite file, with ports of its own unless they share a socket. */
  backends: z.union([z.literal(1), z.literal(2)]).default(1),
  store: z.literal('sqlite').default('sqlite'),
  /** PRAGMA busy_timeout. */
  busyTimeoutMs: ms.default(20_000),
  /** How a write begins: taking the lock (`immediate`), or reading first and upgrading (`deferred`). */
  transaction: z.enum(['immediate', 'deferred']).default('immediate'),
  /** How long a write works between the beginning of its transaction and its INSERT. */
  transactionHoldMs: ms.default(0),
});

const retrySchema = z.strictObject({
  /** Tries in all, the first included. */
  attempts: z.number().int().min(1).max(mostInt).default(4),
  /** First wait between tries; 0 tries again at once. */
  initialIntervalMs: ms.default(0),
});

const checkSchema = z
  .strictObject({
    /** `/livez`, `/readyz` or `/healthz`. */
    path: z.enum(['/livez', '/readyz', '/healthz']).default('/healthz'),
    /** The port that is asked: the public one, or the internal one that answers from the first moment. */
    port: z.enum(['public', 'internal']).default('internal'),
    intervalMs: ms.min(1).default(1_000),
    timeoutMs: ms.min(1).default(1_000),
  })
  .refine(({ path, port }) => port === 'internal' || path === '/livez', 'the public port answers /livez only');

/** Two of these are below TimeoutStopSec= of traefik.service. */
const mostLeavingMs = 12_000;

/** Of a proxy that is itself restarted: systemd runs it on the server, from containers/proxy-unit. */
const proxyUnitSchema = z.strictObject({
  /** Who owns port 80: the proxy (`none`), or a systemd socket unit that outlives it. */
  activation: z.enum(['none', 'socket']).default('none'),
  /** lifeCycle.graceTimeOut: how long requests under way may take once it accepts no more. */
  graceTimeOutMs: ms.max(mostLeavingMs).default(10_000),
  /** lifeCycle.requestAcceptGraceTimeout: how long it goes on accepting after SIGTERM. */
  requestAcceptGraceMs: ms.max(mostLeavingMs).default(0),
});

const proxySchema = z.strictObject({
  /** `none`: the load goes to the site's own port. */
  kind: z.enum(['traefik', 'none']),
  unit: proxyUnitSchema.optional(),
  retry: retrySchema.optional(),
  check: checkSchema.optional(),
  /**
   * How a swap takes the old colour out of rotation: by the check (both are in the pool), or by rewriting the proxy's
   * file, which then names the active colour alone: replaced by rename (`atomic-rewrite`), or truncated and written
   * again, as a shell's redirection does (`in-place-rewrite`).
   */
  cutover: z.enum(['check', 'atomic-rewrite', 'in-place-rewrite']).default('check'),
});

const mixSchema = z.strictObject({
  method: z.enum(['GET', 'POST']),
  /** `/notes/:id` reads a note that exists, `/notes` writes one with an id of its own, `/slow?ms=N` takes N ms. */
  path: z.string().regex(/^(\/notes|\/notes\/:id|\/slow\?ms=\d+)$/u, 'must be /notes, /notes/:id or /slow?ms=N'),
  weight: z.number().positive().max(mostInt),
});

const loadSchema = z.strictObject({
  ratePerSecond: z.number().positive().max(5_000),
  mix: z.array(mixSchema).min(1),
  connections: z.enum(['kept', 'new', 'mixed']),
});

/** Deploys of the proxy itself. */
const proxyActions = ['proxy-restart', 'proxy-crash', 'proxy-upgrade', 'proxy-reload'] as const;

const deploySchema = z.strictObject({
  /**
   * What each deploy does: `restart` by systemctl; `crash`: SIGKILL, and systemd starts it again; `stop-start`: stop,
   * pause, start; `swap`: start the other colour, then stop this one; `bad-release`: a release that cannot start, and
   * after a while the good one again; `release`: Ansible releases a new version (see `release`). Of several sites one is
   * deployed after another, but for a release, which does as its playbook says.
   * Those of the proxy leave the site alone: `proxy-restart` by systemctl; `proxy-crash`: SIGKILL; `proxy-upgrade`: another
   * version's program in place of the one that runs, then a restart; `proxy-reload`: its file of routes is replaced.
   */
  action: z.enum(['restart', 'crash', 'stop-start', 'swap', 'bad-release', 'release', 'none', ...proxyActions]),
  restarts: z.number().int().nonnegative().max(4_000),
  /** From the start of one deploy to the start of the next: drawn evenly between the two, by the seed. */
  spacingMs: z
    .tuple([ms.min(100), ms.min(100)])
    .refine(([low, high]) => low <= high, 'the first of the two must not be above the second'),
  /** Load before the first deploy. */
  leadMs: ms,
  /** Load after the last deploy began: above the time a restart takes, or its tail is not seen. */
  tailMs: ms,
  /** stop-start: between the two. */
  pauseMs: ms.default(500),
  /** swap: how long both colours serve, from the new one being ready (and in the proxy's file) to the old one's end. */
  overlapMs: ms.default(0),
  /** swap: what ends the old colour; `nothing`: it goes on beside the new one. */
  oldEndsBy: z.enum(['SIGTERM', 'SIGKILL', 'nothing']).default('SIGTERM'),
  /** swap: the old colour is stopped before the new one is started. */
  oldFirst: z.boolean().optional(),
  /** swap: the new colour is given up when it is not ready by then; the old one goes on. */
  readyWithinSec: z.number().int().positive().max(3_600).optional(),
  /** swap: a write transaction of this length is begun on the old colour just before its end; 0: none. */
  longTransactionMs: ms.max(60_000).default(0),
  /** bad-release: it exits at its start, or is started by a wrapper that is not the process LISTEN_PID names. */
  badRelease: z.enum(['crash-at-start', 'wrapper']).default('crash-at-start'),
  /** bad-release: how long until it is taken back. */
  badForMs: ms.default(4_000),
});

/** How containers/control's playbook releases a version. */
const releaseSchema = z.strictObject({
  /** `serial`: how many sites are released at a time, before the next ones are begun; all when left out. */
  rolling: z.number().int().positive().max(20).optional(),
  /** How many sites are restarted at once, of those released at a time: 1 is a handler that loops over the units. */
  restartsAtOnce: z.number().int().positive().max(20).default(1),
  /** After each restart the playbook waits for readyz, and ends where a site does not get ready. */
  waitForReady: z.boolean().default(false),
  /** The longest wait for readyz. */
  readyWithinSec: z.number().int().positive().max(600).default(30),
  /** A rest after a site is ready, before the next is released. */
  settleMs: ms.default(0),
  /** How the proxy's file is written: by rename, or emptied first and filled by a slow template. */
  proxyFile: z.enum(['atomic', 'in-place']).default('atomic'),
  /** A release that is bad, and is taken back after deploy.badForMs: it exits at its start, or never gets ready. */
  bad: z.enum(['crash-at-start', 'never-ready']).optional(),
});

/** The report prints it beside what was measured. */
const because = z.string().min(10, 'say why, in at least ten letters');

const droppedExpectationSchema = z.union([
  z.strictObject({ max: z.number().nonnegative(), because }),
  z.strictObject({
    /** Compared, on both sides, with what timeline and options predict: within its range, give or take so much. */
    predicted: z.literal(true),
    withinPercent: z.number().positive(),
    because,
  }),
]);

/** Up to this rate: above it, how fast requests are worked off is a matter of the machine. */
const upToRatePerSecond = z.number().positive().optional();

const waitExpectationSchema = z.union([
  /** The longest wait may be this much above the longest outage window. */
  z.strictObject({ abovePercentOfOutage: z.number().nonnegative(), upToRatePerSecond, because }),
  z.strictObject({ maxMs: z.number().nonnegative(), upToRatePerSecond, because }),
]);

/** Figures that an expectation may bound; see harness/verdict/expectations.ts for what each is. */
export const boundedFigures = [
  'dropped-GET',
  'dropped-POST',
  'lost',
  'early',
  'altered',
  'duplicated',
  'misattributed',
  'busy',
  'busyLongestWaitMs',
  'busyShortestWaitMs',
  'longestWaitMs',
  'longestOutageMs',
  'stale',
  'refused-directly',
  'directLongestWaitMs',
  'status-502',
  'status-503',
  'status-404',
  'stallsOutside',
  'medianInSiteMs',
  'unplannedEnds',
  'killedStops',
  'givenUp',
  'sitesHurt',
  'sitesRestarted',
] as const;

/** A range that nothing is in. */
const minAboveMax = [
  ({ min, max }: { min?: number | undefined; max?: number | undefined }): boolean => (min ?? 0) <= (max ?? Infinity),
  'min must not be above max',
] as const;

const boundSchema = z
  .strictObject({
    of: z.enum(boundedFigures),
    min: z.number().nonnegative().optional(),
    max: z.number().nonnegative().optional(),
    because,
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'a bound has a min, a max or both')
  .refine(...minAboveMax);

const expectSchema = z.strictObject({
  dropped: droppedExpectationSchema.optional(),
  badRestarts: z
    .union([
      z
        .strictObject({
          min: z.number().int().nonnegative().optional(),
          max: z.number().int().nonnegative().optional(),
          because,
        })
        .refine(({ min, max }) => min !== undefined || max !== undefined, 'takes min, max, both, or all: true')
        .refine(...minAboveMax),
      z.strictObject({ all: z.literal(true), because }),
    ])
    .optional(),
  longestWait: waitExpectationSchema.optional(),
  /** At least this share of all restarts is clean; a run with too few restarts to claim it is inconclusive. */
  claim: z
    .strictObject({
      cleanPercent: z.number().min(50).lt(100),
      because: because.default('the claim that was asked for'),
    })
    .optional(),
  bounds: z.array(boundSchema).default([]),
});

const experimentShape = z.strictObject({
  id: z.string().regex(/^E(0|[1-9]\d*)$/u, 'must be E and a number, such as E8'),
  title: z.string().min(3),
  question: z.string().min(10),
  hypothesis: z.string().min(10),
  app: appSchema,
  unit: unitSchema,
  sites: sitesSchema.prefault({}),
  proxy: proxySchema,
  load: loadSchema,
  /** A few requests beside the load, straight to the site's own port: they see what the proxy hides. */
  probe: z.strictObject({ ratePerSecond: z.number().nonnegative().max(200) }).default({ ratePerSecond: 20 }),
  deploy: deploySchema,
  release: releaseSchema.optional(),
  expect: expectSchema,
});

/** As it runs. */
const runningShape = experimentShape.extend({
  /** A service of the user's own (--app) in place of the demo site: `app`, `sites` and the load's mix are then not its own. */
  service: ownServiceSchema.optional(),
});

/** The schema of an experiment; strict, so that a misspelt field is an error and not a silent default. */
export const experimentSchema = runningShape.superRefine((experiment, context) => {
  const { unit, sites, proxy, deploy } = experiment;
  const wrong = (path: string[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  const isShared = unit.activation === 'shared';
  const isSwap = deploy.action === 'swap';
  const isOfProxy = proxyActions.some((one) => one === deploy.action);
  if ((deploy.action === 'release') !== (experiment.release !== undefined)) {
    wrong(['deploy', 'action'], 'a release takes the part release, and that part takes action=release');
  }
  if (isOfProxy && proxy.unit === undefined) {
    wrong(['proxy', 'unit'], 'a deploy of the proxy takes the part proxy.unit');
  }
  if (proxy.unit !== undefined) {
    if (!isOfProxy && deploy.action !== 'none') {
      wrong(['deploy', 'action'], 'with proxy.unit it is the proxy that is deployed, or nothing');
    }
    if (proxy.kind === 'none') wrong(['proxy', 'kind'], 'proxy.unit is that of a proxy: traefik');
    if (proxy.retry !== undefined || proxy.check !== undefined) {
      wrong(['proxy', 'unit'], 'a deploy of the proxy is measured without retry and check');
    }
    if ((sites.count ?? 1) > 1) wrong(['sites', 'count'], 'a deploy of the proxy takes one site: 1');
    if (sites.backends === 2) wrong(['sites', 'backends'], 'a deploy of the proxy takes one backend: 1');
  }
  if ((sites.count ?? 1) > 1 && (proxy.kind === 'none' || proxy.cutover !== 'check')) {
    wrong(['sites', 'count'], 'several sites take a proxy, of which no deploy of one site rewrites the file: 1');
  }
  if (deploy.action === 'release' && (proxy.kind === 'none' || unit.leftOut !== undefined)) {
    wrong(['deploy', 'action'], 'a release takes a proxy and whole wiring');
  }
  if (isShared ? sites.backends === 1 : isSwap !== (sites.backends === 2)) {
    wrong(['deploy', 'action'], 'a swap takes sites.backends=2, and two backends take a swap');
  }
  if (sites.backends === 2 && unit.activation !== 'none' && !isShared) {
    wrong(['unit', 'activation'], 'two colours own their ports (none), or share one (shared)');
  }
  if (isSwap && !isShared && proxy.kind === 'none') wrong(['proxy', 'kind'], 'a swap takes a proxy');
  if (isSwap && !isShared && proxy.cutover === 'check' && proxy.check === undefined) {
    wrong(['proxy', 'check'], 'a swap by check takes one');
  }
  if (isShared) {
    if (proxy.check?.port === 'internal')
      wrong(['proxy', 'check', 'port'], 'colours of one socket are asked at it: public');
    if (proxy.cutover !== 'check')
      wrong(['proxy', 'cutover'], 'colours of one socket are one backend to the proxy: check');
    if (unit.socketTie !== 'none') wrong(['unit', 'socketTie'], 'a shared socket belongs to neither colour: none');
    if (unit.flushPending) wrong(['unit', 'flushPending'], 'what waits at a shared socket is never flushed: false');
  } else if (unit.leftOut !== undefined || deploy.oldFirst === true || deploy.oldEndsBy === 'nothing') {
    wrong(['unit', 'activation'], 'leftOut, oldFirst and oldEndsBy=nothing are those of a shared socket');
  }
  if (deploy.oldEndsBy === 'nothing' && deploy.restarts > 1) {
    wrong(['deploy', 'restarts'], 'an old colour that is never stopped leaves none that is idle: 1');
  }
  if (proxy.cutover !== 'check' && !isSwap) {
    wrong(['proxy', 'cutover'], 'the proxy’s file is rewritten by a swap only');
  }
  if (proxy.cutover !== 'check' && proxy.check !== undefined) {
    wrong(['proxy', 'check'], 'a swap by file takes none: with each new file the proxy forgets what it has checked');
  }
  if (proxy.kind === 'none' && (proxy.retry !== undefined || proxy.check !== undefined)) {
    wrong(['proxy', 'kind'], 'no proxy, no retry and no check');
  }
  if (unit.activation === 'none' && (unit.socketTie !== 'none' || unit.flushPending || unit.backlog !== undefined)) {
    wrong(['unit', 'activation'], 'backlog, socketTie and flushPending are those of a socket unit');
  }
  if (deploy.action !== 'none' && deploy.restarts === 0) wrong(['deploy', 'restarts'], 'at least one, or action none');
});

/** A value that a field may be given: what --set can say. */
export const valueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const variantSchema = z.strictObject({
  /** What differs, and what the mechanism makes of it, in one or two sentences. */
  about: z.string().min(10),
  /** Path and value of each field that differs; null takes an optional part away. The paths are those of --set. */
  set: z.record(z.string(), valueSchema),
  /** What is expected in place of the experiment's own expectations; left out where they hold unchanged. */
  expect: expectSchema.optional(),
});

/** The schema of an experiment's file: the experiment, its variants, and what it is to be compared with. */
export const experimentFileSchema = experimentShape
  .extend({
    /**
     * The run without which this one says nothing: another experiment that must come out as expected (C0), or a variant
     * of this one whose mechanism is off, which must drop something (C+).
     */
    control: z.union([
      z.strictObject({ experiment: z.string(), because }),
      z.strictObject({ variant: z.string(), because }),
    ]),
    variants: z
      .record(
        z.string().regex(/^[a-z0-9-]+$/u, 'a variant’s name must be lower case, digits and dashes'),
        variantSchema,
      )
      .default({}),
  })
  .superRefine(({ control, variants }, context) => {
    if (!('variant' in control) || Object.hasOwn(variants, control.variant)) return;
    const names = Object.keys(variants);
    const message = `there is no variant ${JSON.stringify(control.variant)}; ${
      names.length === 0 ? 'the file has none' : `there are ${names.join(', ')}`
    }`;
    context.addIssue({ code: 'custom', path: ['control', 'variant'], message });
  });

/** One experiment, as the lab, the load and the verdict read it. */
export type Experiment = z.infer<typeof experimentSchema>;

/** The requests of its load: those of the user's own service, or of the demo site. */
export function mixOf({ service, load }: Pick<Experiment, 'service' | 'load'>): readonly MixEntry[] {
  return service?.requests ?? load.mix;
}

/** An experiment's file. */
export type ExperimentFile = z.infer<typeof experimentFileSchema>;
/** An experiment's file as it is written, before defaults are filled in. */
export type ExperimentData = z.input<typeof experimentFileSchema>;
/** Variants as they are written in a file. */
export type Variants = NonNullable<ExperimentData['variants']>;
/** A value that --set, a variant or a sweep gives to a field. */
export type FieldValue = z.infer<typeof valueSchema>;

/**
 * Checks an experiment's file and gives it its type.
 * @throws {HarnessError} naming each field that is wrong
 */
export function defineExperiment(data: ExperimentData): ExperimentFile {
  const checked = experimentFileSchema.safeParse(data);
  if (checked.success) return checked.data;
  const mistakes = mistakesIn(checked.error, data, experimentFileSchema);
  throw new HarnessError('experiment-invalid', mistakes.map(mistakeText).join('\n'), { cause: checked.error });
}
