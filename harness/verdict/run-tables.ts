/** What the timeline tells, as tables beside those of the run's files; and the views over all tables. */
import { isOfProxy } from '../experiment/units.ts';
import type { RunDatabase } from '../run/database.ts';
import { slotsOf, type RunRecord } from '../run/run-record.ts';
import { quoted, rateOf, siteNamesOf } from '../run/tables.ts';
import type { TimelineEvent } from '../run/files/timeline.ts';
import { phaseAt, phasesOf } from './phases.ts';
import { causeSteps } from './queries/causes.ts';
import { makeDisagreements, suspectsAmong } from './queries/disagreements.ts';
import { restarts as restartQueries } from './queries/restarts.ts';
import { views, type View } from './queries/views.ts';
import { putProxyLog, type ProxyLogTold } from './proxy-log-tables.ts';
import { outagesOf, outOfRotation, type RestartWindow } from './restart-windows.ts';
import { putServerLogs, putUnitSpans } from './service/service-tables.ts';
import { windowsOf } from './service/service-windows.ts';
import type { Span } from './predict/spans.ts';
import { neverUs, toleranceUs } from './tolerances.ts';
import { unplannedEnds, type UnplannedEnd } from './unplanned-ends.ts';

const moment = (what: string): string => `${what}, µs; null where it was not seen.`;

/** Tables of what the timeline tells, for those who ask. */
export const derivedTables = {
  restarts: {
    about: 'The restarts, with their moments and windows.',
    columns: {
      restart: 'Its number, counted over all sites, from 1.',
      site: 'The site that was restarted.',
      deploy: 'The deploy that it is part of, from 1.',
      deployBeginUs: 'When the deploy began, µs.',
      deployEndUs: moment('When the deploy had ended'),
      siteBeginUs: 'Of several sites, or of a release: when the deploy came to this one, µs; else null.',
      retireUs: moment('From when on the deploy holds the old version to be out of rotation'),
      sigtermUs: moment('When SIGTERM reached the old process'),
      acceptStoppedUs: moment('When the old process accepted no more'),
      killedUs: moment('When systemd sent SIGKILL'),
      exitUs: moment('When the old process was gone'),
      startUs: moment('When the new process began'),
      internalListeningUs: moment('When the internal port of the new process listened'),
      acceptingUs: moment('When the new process accepted'),
      readyUs: moment('When the new process called itself ready'),
      givenUpUs: moment('When the new version was given up, not being ready in time'),
      steadyUs: moment('When a service of your own answered steadily again'),
      firstAnswerUs: moment(
        "When the proxy passed on the new version's first answer; of a service of your own, the first ok answer asked for after the start",
      ),
      atRiskFromUs: 'The at-risk span begins (glossary.md), µs.',
      atRiskToUs: 'The at-risk span ends, µs.',
      outageFromUs: moment('The outage window begins'),
      outageToUs: moment('The outage window ends'),
      toldUs: moment('When the old process was told to end'),
      outOfRotationUs: moment('From when on an answer of the old version is stale'),
      outageEnded: 'Did a process accept again before the load ended?',
    },
  },
  moments: {
    about:
      'What holds of a site from each moment to the next: restart, phase, and the restarts in whose windows it lies.',
    columns: {
      site: 'The site.',
      fromUs: 'From when on, µs.',
      restart: 'The restart that began last, from 1; 0 before the first.',
      phase: 'Its phase: before, draining, down, warming or after (glossary.md).',
      atRisk: 'Restarts in whose at-risk span it lies.',
      outage: 'Restarts in whose outage window it lies.',
    },
  },
  failed_tries: {
    about:
      'Tries of the proxy that failed, by its own log; with the nearest try before and after that failed otherwise.',
    columns: {
      site: 'The site whose backend was tried; where the log does not tell which of several, the try has a row for each.',
      atUs: 'When, µs.',
      failure: 'refused, reset, timeout, cancelled or other.',
      otherBeforeUs: 'The last try before it that failed otherwise, µs.',
      otherAfterUs: 'The first after it that failed otherwise, µs.',
    },
  },
  unit_spans: {
    about: "What the units of --journal went through, by systemd's journal.",
    columns: {
      unit: 'The unit.',
      state: 'stopping: from SIGTERM to its exit; gone: without a process; starting: until it answers.',
      fromUs: 'It begins, µs.',
      toUs: "The unit's next event of another state, µs.",
      line: 'The line of the timeline that shows its beginning.',
      said: 'That event, as it is cited.',
    },
  },
  server_logs: {
    about: 'The access logs of a service of your own (--access-log).',
    columns: {
      log: 'Its number, from 1.',
      path: 'The file.',
      joined: 'How its lines find their requests: id, time, too-coarse (no ids, stamps that many share) or nothing.',
    },
  },
  log_gaps: {
    about: 'Times in which an access log was emptied in place, so that lines of it may be lost.',
    columns: { log: 'The log.', fromUs: 'It was last read, µs.', toUs: 'It was found empty, µs.' },
  },
  server_pairs: {
    about: 'Of an access log without ids: each line with the requests whose it may be.',
    columns: {
      line: 'The line in witnesses/server-log.ndjson.gz.',
      log: 'The log.',
      seq: 'The slot of a request.',
      isMatch: 'It is this one’s, since no other could have it.',
    },
  },
  server_lines: {
    about: 'Lines of the access logs, each with its request.',
    columns: {
      line: `The line in witnesses/server-log.ndjson.gz.`,
      log: 'The log.',
      logLine: 'The line among those that were read of the log.',
      seq: 'The slot of the request.',
      isLikely: 'Not by its id, but by time, method, path and status.',
      isUnread: 'Only its id was read.',
      atUs: 'When, as the log has it, µs.',
      status: 'The status that it answered; null where it gave none.',
      bytes: 'Bytes that it sent, as it counts them.',
      durationUs: 'How long it took, µs.',
      upstream: 'Whom it asked.',
      upstreamStatus: 'What that one answered.',
      said: 'What went wrong.',
    },
  },
  log_counts: {
    about: 'What each access log has of the ok answers.',
    columns: {
      log: 'The log.',
      answered: 'Ok answers.',
      missing: 'Of them, those without a line (in a log without ids: without one that could be theirs).',
      isWhole: 'Are these so few that a missing line says something?',
      isAlone: 'Without ids: has it no more lines than there were requests, so that nobody else asks the same?',
    },
  },
  server_fates: {
    about: 'What each access log says of each drop.',
    columns: {
      line: 'The line in the ledger.',
      seq: 'The slot.',
      method: 'Method.',
      log: 'The log.',
      serverLine: 'The line in witnesses/server-log.ndjson.gz; null where it has none.',
      isLikely: 'Not by its id.',
      what: 'What it says of it.',
      isProcessed: 'Does the log have an answer 200 to 299, be it of an earlier try?',
    },
  },
  disagreements: {
    about: 'Rows of the ledger that another witness contradicts.',
    columns: { seq: 'The slot.', what: 'What does not agree.' },
  },
  causes: {
    about: 'Drops that a witness other than the client explains.',
    columns: {
      line: 'The line in the ledger.',
      failure: "Why the proxy's last try failed, where it was that.",
      file: 'The file of the witness.',
      witnessLine: 'The line that shows it.',
      said: 'What that line says, where it is about a unit of --journal.',
    },
  },
} as const;

/** What the tables were made of. */
export interface RunTables extends ProxyLogTold {
  readonly windows: readonly RestartWindow[];
  readonly unplanned: readonly UnplannedEnd[];
}

/**
 * Makes the tables and views.
 * @param folder of the run, for the proxy's own log
 */
export async function makeRunTables(
  database: RunDatabase,
  { folder, run, timeline }: { folder: string; run: RunRecord; timeline: readonly TimelineEvent[] },
): Promise<RunTables> {
  const sites = siteNamesOf(run);
  const seen = windowsOf(run, timeline);
  await putRestarts(database, { run, timeline, windows: seen });
  const windows = run.kind === 'measure' ? await steadyByLedger(database, seen, rateOf(run)) : seen;
  if (windows !== seen) await putRestarts(database, { run, timeline, windows });
  const unplanned = run.kind === 'experiment' ? unplannedEnds(timeline, windows, sites[0]) : [];
  await putMoments(database, run, windows);
  await putSpans(database, { run, timeline, windows, unplanned });
  await putUnitSpans(database, run, timeline);
  await putServerLogs(database, run);
  const proxyLog = await putProxyLog(database, { folder, run });
  for (const [name, { sql }] of Object.entries(causeSteps)) await database.run(`create table ${name} as ${sql}`);
  await database.run('create macro atLeast0(x) as case when x < 0 then 0 else x end');
  for (const [name, { sql, about, isAskedOften }] of Object.entries<View>(views)) {
    const kind = isAskedOften === true ? 'table' : 'view';
    await database.run(`create ${kind} ${name} as ${sql}`);
    await database.run(`comment on ${kind} ${name} is ${quoted(about)}`);
  }
  await makeSuspects(database, slotsOf(run));
  await database.run(makeDisagreements);
  return { windows, unplanned, ...proxyLog };
}

/** Slots of which the ledger is joined with the logs at once: those of a long run together would not fit into the memory. */
const slotsAtOnce = 250_000;

async function makeSuspects(database: RunDatabase, slots: number): Promise<void> {
  await database.run(`create table suspects as ${suspectsAmong(slots > slotsAtOnce ? { to: slotsAtOnce } : {})}`);
  for (let from = slotsAtOnce; from < slots; from += slotsAtOnce) {
    const to = from + slotsAtOnce;
    await database.run(`insert into suspects ${suspectsAmong(to < slots ? { from, to } : { from })}`);
  }
}

const timeColumns = [
  'deployBeginUs',
  'deployEndUs',
  'siteBeginUs',
  'retireUs',
  'sigtermUs',
  'acceptStoppedUs',
  'killedUs',
  'exitUs',
  'startUs',
  'internalListeningUs',
  'acceptingUs',
  'readyUs',
  'givenUpUs',
  'steadyUs',
  'firstAnswerUs',
] as const satisfies (keyof RestartWindow)[];

/** A restart's moments as they were seen, with what follows from them. */
async function putRestarts(
  database: RunDatabase,
  { run, timeline, windows }: { run: RunRecord; timeline: readonly TimelineEvent[]; windows: readonly RestartWindow[] },
): Promise<void> {
  const endUs = run.durationMs * 1000;
  const outages = outagesOf(windows, endUs);
  const outUs =
    run.kind === 'experiment'
      ? outOfRotation(windows, timeline, run.experiment)
      : windows.map(({ retireUs }) => retireUs);
  const rows = windows.map((window, index) => {
    const atRisk = atRiskSpan(window, run);
    const outage = outages[index];
    return {
      ...window,
      atRiskFromUs: atRisk.fromUs,
      atRiskToUs: atRisk.toUs,
      outageFromUs: outage?.fromUs,
      outageToUs: outage?.toUs,
      outageEnded: outage?.hasEnded,
      // A process that is killed, or dies of the signal, says nothing of it: the deploy does.
      toldUs: window.sigtermUs ?? window.retireUs,
      outOfRotationUs: outUs[index],
    };
  });
  const further = ['atRiskFromUs', 'atRiskToUs', 'outageFromUs', 'outageToUs', 'toldUs', 'outOfRotationUs'];
  const times = [...timeColumns, ...further].map((name) => [name, 'DOUBLE'] as const);
  await database.put(
    'restarts',
    { restart: 'INTEGER', site: 'VARCHAR', deploy: 'INTEGER', ...Object.fromEntries(times), outageEnded: 'BOOLEAN' },
    rows,
  );
}

/**
 * The conductor learns four times a second how a service does; the ledger tells when it answered after its start, and to a
 * slot from when on it was steady: from
 * the end of the deploy, or from the slot after the last that was dropped before the service was called steady.
 */
async function steadyByLedger(
  database: RunDatabase,
  windows: readonly RestartWindow[],
  ratePerSecond: number,
): Promise<RestartWindow[]> {
  const rows = await database.all<{ restart: number; lastUs: number }>(restartQueries['last-drop-before-steady'].sql);
  const lastBadUs = new Map(rows.map(({ restart, lastUs }) => [restart, lastUs]));
  const answers = await database.all<{ restart: number; answeredUs: number }>(
    restartQueries['first-answer-after-start'].sql,
  );
  const answeredUs = new Map(answers.map((row) => [row.restart, row.answeredUs]));
  return windows.map((window) => {
    const firstAnswerUs = answeredUs.get(window.restart) ?? null;
    if (window.steadyUs === null) return { ...window, firstAnswerUs };
    const afterUs = (lastBadUs.get(window.restart) ?? -Infinity) + 1e6 / ratePerSecond;
    return { ...window, firstAnswerUs, steadyUs: Math.max(window.deployEndUs ?? window.deployBeginUs, afterUs) };
  });
}

/**
 * From just before SIGTERM until the new process is ready and, where there is a check, has been seen by it twice; of a
 * user's service, until its command has ended and it answers steadily. To the end of the load where neither was seen.
 */
function atRiskSpan(window: RestartWindow, run: RunRecord): Span {
  const endUs = run.durationMs * 1000;
  if (run.kind === 'measure') return { fromUs: window.deployBeginUs, toUs: window.steadyUs ?? endUs };
  const checkUs = (run.experiment.proxy.check?.intervalMs ?? 0) * 2_000;
  const againUs = Math.max(0, ...window.closedAgain.map(({ toUs }) => Math.min(toUs, endUs)));
  // In a swap the old process leaves after the new one is ready.
  const backUs = Math.max(
    window.givenUpUs ?? window.readyUs ?? endUs,
    window.firstAnswerUs ?? 0,
    window.exitUs ?? 0,
    againUs,
  );
  return { fromUs: window.siteBeginUs ?? window.deployBeginUs, toUs: backUs + checkUs };
}

/** Times in which a wait is a restart's doing, and ends of processes. */
async function putSpans(
  database: RunDatabase,
  {
    run,
    timeline,
    windows,
    unplanned,
  }: {
    run: RunRecord;
    timeline: readonly TimelineEvent[];
    windows: readonly RestartWindow[];
    unplanned: readonly UnplannedEnd[];
  },
): Promise<void> {
  const spans = [
    ...windows.map((window) => ({ site: window.site, ...atRiskSpan(window, run) })),
    ...unplanned.map(({ site, atUs, untilUs }) => ({ site, fromUs: atUs, toUs: untilUs })),
  ];
  const spanColumns = { site: 'VARCHAR', fromUs: 'DOUBLE', toUs: 'DOUBLE' } as const;
  await database.put('restless', spanColumns, lastingSpans(spans));
  const checkIntervalUs = run.kind === 'experiment' ? (run.experiment.proxy.check?.intervalMs ?? 0) * 1000 : 0;
  const ends = [
    ...windows.flatMap((window) => closedSpan(window, checkIntervalUs)),
    ...windows.flatMap(({ site, closedAgain }) => closedAgain.map((span) => ({ kind: 'closed', site, ...span }))),
    ...unplanned.map(({ site, atUs, untilUs, line }) => ({ kind: 'closed', site, fromUs: atUs, toUs: untilUs, line })),
    ...windows.flatMap(leavingSpan),
    ...(run.kind === 'experiment' && isOfProxy(run.experiment.deploy.action)
      ? windows.flatMap((window) => routelessSpan(window, timeline))
      : []),
  ].map((end, nth) => ({
    ...end,
    nth,
    fromUs: end.fromUs - toleranceUs,
    toUs: Math.min(end.toUs + toleranceUs, neverUs),
  }));
  const columns = { kind: 'VARCHAR', nth: 'INTEGER', ...spanColumns, line: 'INTEGER' } as const;
  await database.put('ends', columns, ends);
  await database.put('deaths', spanColumns, deathSpans(windows, unplanned));
}

/** Each span lasts at least as long as all that began before it: so the last that had begun tells whether any still goes on. */
function lastingSpans(spans: readonly (Span & { site: string })[]): (Span & { site: string })[] {
  const lastUs = new Map<string, number>();
  return spans
    .toSorted((a, b) => a.fromUs - b.fromUs)
    .map(({ site, fromUs, toUs }) => {
      const untilUs = Math.max(lastUs.get(site) ?? -Infinity, Math.min(toUs, neverUs));
      lastUs.set(site, untilUs);
      return { site, fromUs, toUs: untilUs };
    });
}

/** When a process died of a signal, or just after: it may have answered, and not yet written its line. */
function deathSpans(
  windows: readonly RestartWindow[],
  unplanned: readonly UnplannedEnd[],
): (Span & { site: string })[] {
  return [
    ...windows.flatMap(({ site, retireUs, exitUs, acceptStoppedUs }) =>
      exitUs === null || acceptStoppedUs !== exitUs
        ? []
        : [{ site, fromUs: retireUs ?? exitUs, toUs: exitUs + toleranceUs }],
    ),
    ...unplanned
      .filter(({ isDeath }) => isDeath)
      .map(({ site, atUs }) => ({ site, fromUs: atUs - toleranceUs, toUs: atUs + toleranceUs })),
  ];
}

/** What holds from each moment to the next, site by site. */
async function putMoments(database: RunDatabase, run: RunRecord, windows: readonly RestartWindow[]): Promise<void> {
  const rows = siteNamesOf(run).flatMap((site) =>
    momentsOf(
      run,
      windows.filter((window) => window.site === site),
    ).map((moment) => ({ site, ...moment })),
  );
  const flags = { atRisk: 'INTEGER[]', outage: 'INTEGER[]' } as const;
  const columns = { site: 'VARCHAR', fromUs: 'DOUBLE', restart: 'INTEGER', phase: 'VARCHAR', ...flags } as const;
  await database.put('moments', columns, rows);
}

/** Each begins where a restart, a phase or a window of the site begins or ends. */
function momentsOf(run: RunRecord, windows: readonly RestartWindow[]): object[] {
  const atRisk = windows.map((window) => ({ restart: window.restart, ...atRiskSpan(window, run) }));
  const outages = outagesOf(windows, run.durationMs * 1000).flatMap((outage, index) => {
    const restart = windows[index]?.restart;
    return outage === null || restart === undefined ? [] : [{ restart, ...outage }];
  });
  const spans = [...atRisk, ...outages, ...windows.flatMap(phasesOf)];
  const bounds = [
    ...windows.map(({ deployBeginUs }) => deployBeginUs),
    ...spans.flatMap(({ fromUs, toUs }) => [fromUs, toUs]),
  ];
  const known = bounds.filter((us) => us > -neverUs && us < neverUs);
  const [isAtRisk, isOut] = [holding(atRisk), holding(outages)];
  return [-neverUs, ...new Set(known.sort((a, b) => a - b))].map((fromUs) => ({
    fromUs,
    ...phaseAt(
      fromUs,
      windows.findLast(({ deployBeginUs }) => deployBeginUs <= fromUs),
    ),
    atRisk: isAtRisk(fromUs),
    outage: isOut(fromUs),
  }));
}

/** Tells, of moments in their order, the restarts in whose spans each lies. */
function holding(spans: readonly (Span & { restart: number })[]): (us: number) => number[] {
  const coming = spans.toSorted((a, b) => b.fromUs - a.fromUs);
  let open: typeof coming = [];
  return (us) => {
    for (let next = coming.at(-1); next !== undefined && next.fromUs <= us; next = coming.at(-1)) {
      open.push(next);
      coming.pop();
    }
    open = open.filter(({ toUs }) => us < toUs);
    return open.map(({ restart }) => restart).sort((a, b) => a - b);
  };
}

type End = Span & { readonly kind: string; readonly site: string; readonly line: number };

/** The end that left the port closed. */
function closedSpan(
  { site, acceptStoppedUs, acceptStoppedLine, acceptingUs }: RestartWindow,
  checkIntervalUs: number,
): End[] {
  if (acceptStoppedUs === null) return [];
  // In a swap it is the old colour's port that closes, and the proxy goes on asking it until its check has noticed.
  const isSwap = acceptingUs !== null && acceptingUs < acceptStoppedUs;
  const toUs = isSwap ? acceptStoppedUs + 2 * checkIntervalUs : (acceptingUs ?? Infinity);
  return [{ kind: 'closed', site, fromUs: acceptStoppedUs, toUs, line: acceptStoppedLine }];
}

/** A process that is leaving may reset what it has not answered. */
function leavingSpan({ site, retireUs, acceptStoppedUs, exitUs, acceptStoppedLine }: RestartWindow): End[] {
  const fromUs = retireUs ?? acceptStoppedUs;
  if (fromUs === null) return [];
  return [{ kind: 'leaving', site, fromUs, toUs: exitUs ?? acceptStoppedUs ?? fromUs, line: acceptStoppedLine }];
}

/**
 * Of a proxy that was restarted: it had no route until its own log says that it made them. Where it accepted in between the
 * log may tell late; but its start it tells first.
 */
function routelessSpan(
  { site, restart, startUs, acceptingUs, readyUs }: RestartWindow,
  timeline: readonly TimelineEvent[],
): End[] {
  if (acceptingUs === null || readyUs === null) return [];
  const made = timeline.findIndex((event) => event.kind === 'ready' && event.restart === restart);
  return [{ kind: 'routeless', site, fromUs: startUs ?? acceptingUs, toUs: readyUs, line: made + 1 }];
}
