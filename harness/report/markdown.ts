/** report.md: what was asked, what came of it, and how far it can be trusted. Pure. */
import { markdownTable } from 'markdown-table';
import type { Baseline, Baselines } from '../load/baseline.ts';
import { subjectOf, type ExperimentRun, type RunRecord, type ServiceRun } from '../scenario/run-record.ts';
import { boundText } from '../verdict/citation.ts';
import type { Tally, Verdict } from '../verdict/verdict.ts';
import { meaningOf } from './palette.ts';

/** The charts of a report, by file name within charts/ and without the ending. */
export interface ReportCharts {
  readonly overview: string;
  readonly latency: string;
  readonly restarts: readonly string[];
  /** Restarts that have no chart of their own. */
  readonly restartsNotDrawn: number;
}

/** The report's text. */
export function reportMarkdown(
  run: RunRecord,
  verdict: Verdict,
  charts: ReportCharts,
  baselines: Baselines | null = null,
): string {
  const sections = [
    heading(run, verdict),
    reasons(verdict),
    run.kind === 'experiment' ? askedOfLab(run) : askedOfService(run),
    expectations(verdict),
    counts(verdict),
    restarts(verdict),
    writes(verdict),
    direct(verdict),
    causes(verdict),
    pictures(charts),
    trust(verdict),
    baselines === null ? '' : capacity(baselines),
    howToRepeat(run),
    words(verdict),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function heading(run: RunRecord, verdict: Verdict): string {
  const { id, title, question } = subjectOf(run);
  const variant = verdict.variant === null ? '' : ` (${verdict.variant})`;
  return [
    `# ${id} ${title}${variant}: ${verdict.verdict}`,
    `**${question}** ${sentence(verdict)}`,
    `\`\`\`\n${verdict.citation}\n\`\`\``,
  ].join('\n\n');
}

function sentence(verdict: Verdict): string {
  const { restarts, badRestarts, dropped, due } = verdict;
  if (verdict.verdict === 'aborted') return 'The run was cut short: nothing can be claimed from it.';
  const doubt = verdict.verdict === 'inconclusive' ? 'This run cannot be trusted. It counted: ' : '';
  const open = verdict.unexplained === null || dropped === 0 ? '' : ` Unexplained: ${verdict.unexplained}.`;
  if (restarts === 0) return `${doubt}${dropped} of ${due} requests were dropped, with no restart.${open}`;
  return (
    `${doubt}${badRestarts} of ${restarts} restarts dropped something (${boundText(verdict)}), ` +
    `${dropped} of ${due} requests in all, ${(dropped / restarts).toFixed(1)} a restart.${open}`
  );
}

function reasons({ reasons: why }: Verdict): string {
  return why.length === 0 ? '' : `## Why\n\n${why.map((reason) => `- ${reason}`).join('\n')}`;
}

function askedOfService({ service, durationMs }: ServiceRun): string {
  const { method, url, address, headers, body, expectedStatus, ratePerSecond, connections } = service;
  const rows = [
    ['request', `${method} ${url} (${address})`],
    ...headers.map(([name, value]) => ['header', `${name}: ${value}`]),
    ...(body === null ? [] : [['body', `${Buffer.byteLength(body)} bytes`]]),
    ['ok is', expectedStatus === null ? 'a complete answer with a status from 200 to 299' : `status ${expectedStatus}`],
    ['load', `${ratePerSecond} requests a second for ${(durationMs / 1000).toFixed(1)} s, ${connections} connections`],
    ['deadline', `${service.timeoutMs} ms from the due time; at most ${service.maxConnections} connections`],
    ['while', service.whileCommand === null ? 'nothing ran' : `\`${service.whileCommand}\``],
  ];
  return `## What was asked\n\n${markdownTable([['part', 'setting'], ...rows])}`;
}

function askedOfLab({ experiment, variant, variantAbout }: ExperimentRun): string {
  const { app, unit, sites, proxy, load, probe, deploy } = experiment;
  const mix = load.mix.map(({ method, path, weight }) => `${weight} × ${method} ${path}`).join(', ');
  const rows = [
    [
      'site',
      `${app.drain} drain, grace ${app.graceMs} ms, timeout ${app.shutdownTimeoutMs} ms, warm-up ${app.warmupMs} ms` +
        (app.fault === 'none' ? '' : `, **planted fault ${app.fault}**`),
    ],
    [
      'store',
      `SQLite, busy_timeout ${sites.busyTimeoutMs} ms, ${sites.transaction} transactions` +
        (sites.transactionHoldMs === 0 ? '' : ` that work for ${sites.transactionHoldMs} ms`),
    ],
    [
      'unit',
      [
        unit.activation === 'none'
          ? `the process owns the port${sites.backends === 2 ? '; two units, two ports, one database' : ''}`
          : `a socket unit owns ${unit.activation === 'both' ? 'both ports' : 'the port'}, Backlog=${unit.backlog ?? 'default'}`,
        `TimeoutStopSec=${unit.timeoutStopSec}, KillMode=${unit.killMode}, Restart=${unit.restart}`,
        ...(unit.socketTie === 'none'
          ? []
          : [`**${unit.socketTie === 'part-of' ? 'PartOf' : 'BindsTo'}= the service**`]),
        ...(unit.flushPending ? ['**FlushPending=yes**'] : []),
      ].join(', '),
    ],
    [
      'proxy',
      proxy.kind === 'none'
        ? 'none: the load goes to the site’s own port'
        : [
            proxy.kind,
            proxy.retry === undefined
              ? 'no retry'
              : `retry, ${proxy.retry.attempts} tries, waits from ${proxy.retry.initialIntervalMs} ms`,
            proxy.check === undefined
              ? 'no check'
              : `check ${proxy.check.path} every ${proxy.check.intervalMs} ms on the ${proxy.check.port} port, timeout ${proxy.check.timeoutMs} ms`,
            ...(deploy.action === 'swap' ? [`cut-over by ${proxy.cutover}`] : []),
          ].join(', '),
    ],
    [
      'load',
      `${load.ratePerSecond} requests a second, ${load.connections} connections: ${mix}; ${probe.ratePerSecond} a second beside it`,
    ],
    ['deploy', deploy.action === 'none' ? 'none' : `${deploy.restarts} × ${deploy.action}`],
  ];
  return [
    '## What was asked',
    experiment.hypothesis,
    ...(variant === null ? [] : [`Variant **${variant}**: ${variantAbout ?? ''}`]),
    markdownTable([['part', 'setting'], ...rows]),
  ].join('\n\n');
}

function expectations({ expectations: rows }: Verdict): string {
  const body = rows.map(({ what, expected, measured, met, because }) => [
    what,
    expected,
    measured,
    met ? 'yes' : '**no**',
    because,
  ]);
  return `## Expected and measured\n\n${markdownTable([['what', 'expected', 'measured', 'met', 'because'], ...body])}`;
}

function counts(verdict: Verdict): string {
  const whole: Tally = verdict;
  const parts: [string, Tally][] = [
    ['all', whole],
    ...Object.entries(verdict.byMethod),
    ...Object.entries(verdict.byConnection).map(([kind, tally]): [string, Tally] => [`${kind} connections`, tally]),
    ...sorted(verdict.byKind),
  ];
  const outcomes = Object.keys(verdict.outcomes).sort((a, b) =>
    a === 'ok' ? -1 : b === 'ok' ? 1 : a.localeCompare(b),
  );
  const rows = parts.map(([name, tally]) => [
    name,
    String(tally.due),
    String(tally.sent),
    ...outcomes.map((outcome) => String(tally.outcomes[outcome] ?? 0)),
    String(tally.dropped),
  ]);
  const { predicted } = verdict;
  const atRisk = Object.entries(verdict.atRisk.byMethod)
    .map(([method, { due, dropped }]) => `${dropped} of ${due} ${method}`)
    .join(', ');
  const difference = predicted.differencePercent === null ? '' : ` (measured ${signed(predicted.differencePercent)} %)`;
  return [
    `## Every due request, counted once`,
    markdownTable([['requests', 'due', 'sent', ...outcomes, 'dropped'], ...rows]),
    `Predicted from timeline and options alone: ${predicted.formula}${difference}. ` +
      `At risk (from the deploy to the new process's first answer): ${verdict.atRisk.dropped} of ${verdict.atRisk.due} dropped` +
      `${atRisk === '' ? '' : ` (${atRisk})`}. Stale answers: ${verdict.stale}. ` +
      `A client that sends idempotent requests again would have done so ${verdict.retryingClient.resent} times and, at ` +
      `best, seen ${verdict.retryingClient.droppedAtBest} failures (computed, never sent). ` +
      `Longest time without an ok answer, the slot between two of them taken off: ${inMs(verdict.gapMs)}, right to one ` +
      `slot (${(1000 / verdict.schedule.ratePerSecond).toFixed(1)} ms) either way. Longest wait for an ok answer, less what the ` +
      `request itself asked for: ${inMs(verdict.longestWaitMs)}.`,
  ].join('\n\n');
}

function restarts({ perRestart }: Verdict): string {
  if (perRestart.length === 0) return '';
  const rows = perRestart.map((row) => [
    row.voided ? `${row.restart} (void)` : String(row.restart),
    (row.deployBeginUs / 1e6).toFixed(3),
    inMs(row.outageMs),
    String(row.dueInOutage),
    String(row.inFlightAtSigterm),
    row.predictedDropped === null ? '–' : row.predictedDropped.toFixed(0),
    String(row.droppedInRestart),
    sorted(row.droppedByKind)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ') || '–',
    inMs(row.longestWaitMs),
  ]);
  const head = [
    'restart',
    'began, s',
    'outage window',
    'due in it',
    'in flight at SIGTERM',
    'predicted',
    'dropped',
    'of which',
    'longest wait',
  ];
  return (
    `## Restart by restart\n\n${markdownTable([head, ...rows])}\n\n` +
    'The outage window runs from the last accept of the old process to the first accept of the new one. A restart is ' +
    'void when a request that was due in it left more than 50 ms late: it proves nothing, but what it dropped counts.'
  );
}

function writes({ writes: of }: Verdict): string {
  if (of === null) return '';
  const { busy, examples } = of;
  const rows = [
    ['acknowledged (2xx)', of.acknowledged],
    ['failed (surely not applied)', of.failed],
    ['indeterminate', of.indeterminate],
    ['indeterminate, and in the database', of.recovered],
    ['**lost**: acknowledged, and not in the database', of.lost],
    ['**duplicated**: more than once in the database', of.duplicated],
    ['**misattributed**: failed, and in the database', of.misattributed],
    ['unexpected: in the database, and never sent', of.unexpected],
  ].map(([what, number]) => [String(what), String(number)]);
  const named = Object.entries(examples).filter(([, ids]) => ids.length > 0);
  return [
    '## Writes',
    'What the client was told, beside what the database held when every process had stopped.',
    markdownTable([['writes', 'number'], ...rows]),
    ...named.map(([what, ids]) => `${what}: ${ids.map((id) => `\`${id}\``).join(', ')}`),
    `integrity_check: ${of.integrity}. SQLITE_BUSY: ${busy.refused}` +
      (busy.refused === 0
        ? ''
        : `, after ${inMs(busy.shortestRefusalMs)} to ${inMs(busy.longestRefusalMs)} of waiting for the lock`) +
      `. Waits for the lock above 5 ms: ${busy.waits}, the longest ${inMs(busy.longestWaitMs)}.`,
  ].join('\n\n');
}

function causes({ reconciliation, unexplained }: Verdict): string {
  const { causes: of, examples, disagreements, disagreeing, rows } = reconciliation;
  const parts: string[] = [];
  if (unexplained !== null && (unexplained > 0 || Object.keys(of).length > 0)) {
    const body = sorted(of).map(([cause, count]) => {
      const example = examples[cause];
      const where = example?.file === undefined ? '' : `${example.file}:${example.line ?? '?'}`;
      return [cause, String(count), example === undefined ? '' : `row ${example.seq}, ${where}`];
    });
    parts.push(
      '## Why each was dropped',
      markdownTable([['cause', 'requests', 'for example'], ...body, ['**unexplained**', String(unexplained), '']]),
    );
  }
  if (disagreements.length > 0) {
    parts.push(
      '## Rows that do not agree with the other witnesses',
      `${disagreeing} of ${rows}; at most 50 are listed.\n\n` +
        disagreements.map(({ seq, what }) => `- row ${seq}: ${what}`).join('\n'),
    );
  }
  return parts.join('\n\n');
}

function direct({ direct: of }: Verdict): string {
  if (of === null) return '';
  const outcomes = sorted(of.outcomes)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
  return (
    `## Straight to the site's own port\n\n${of.ratePerSecond} requests a second from the server itself, each on a ` +
    `connection of its own: ${of.due} due, ${outcomes}, longest wait ${inMs(of.longestWaitMs)}. A refused connection, ` +
    'or a SYN that finds the queue full and is sent again a second later, is seen here as what it is; a proxy shows ' +
    '502 for the one, and answers on another connection meanwhile for the other.'
  );
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => a.localeCompare(b));
}

function pictures({ overview, latency, restarts: names, restartsNotDrawn }: ReportCharts): string {
  const picture = (name: string, what: string): string => `![${what}](charts/${name}.svg)\n\n[PNG](charts/${name}.png)`;
  const more = restartsNotDrawn === 0 ? [] : [`${restartsNotDrawn} further restarts are not drawn.`];
  return [
    '## Charts',
    picture(overview, 'Outcomes over the whole run'),
    picture(latency, 'Latency of every request over its due time'),
    ...names.map((name, index) => picture(name, `Outcomes around restart ${index + 1}`)),
    ...more,
  ].join('\n\n');
}

function trust({ schedule, witnesses, longestOutageMs, power, reconciliation }: Verdict): string {
  const { proxy, kernel } = witnesses;
  const counters = Object.entries(kernel)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return [
    '## How far to trust it',
    `- Schedule: ${schedule.ratePerSecond} a second asked, ${schedule.achievedRate ?? '–'} achieved; requests left ` +
      `${inMs(schedule.lagP50Ms)} late at the median, ${inMs(schedule.lagP99Ms)} at the 99th percentile, at most ` +
      `${inMs(schedule.lagMaxMs)}. Not sent: ${schedule.unsent}; failed by the generator's own fault: ${schedule.local}.`,
    ...(proxy === null
      ? ['- No proxy of ours was part of it: the client is the only one who counted.']
      : [
          `- Proxy's access log: ${proxy.arrived} arrived, ${proxy.ledgerSent} written by the client; missing ` +
            `${proxy.missing}, unexpected ${proxy.extra}, repeated ${proxy.repeated}, answered otherwise ${proxy.disagreeing}.`,
          `- Kernel's counters over the load: ${counters === '' ? 'none moved' : counters}.`,
          `- Longest outage window: ${inMs(longestOutageMs)}.`,
          `- Row by row, ledger, proxy's log and site's log agree in ${reconciliation.rows - reconciliation.disagreeing} of ` +
            `${reconciliation.rows}.`,
        ]),
    ...(power.smallestWindowMs === null
      ? []
      : [
          `- Power: a time of ${inMs(power.smallestWindowMs)} in each restart in which requests fail would have been met ` +
            `(with 95 %, by rate and restarts). To claim that 99 % of restarts are clean takes ` +
            `${power.restartsFor99Percent} clean ones in a row, 99.9 % takes ${power.restartsFor999Permille}.`,
        ]),
    '- Holds for: HTTP/1.1, no TLS, no upgraded connections, requests up to 30 s, one host.',
  ].join('\n');
}

function capacity({ tool, request, before, after }: Baselines): string {
  const taken: [string, Baseline | null][] = [
    ['before the load', before],
    ['after it', after],
  ];
  const rows = taken.map(([when, baseline]) =>
    baseline === null
      ? [when, '–', '–', '–']
      : [when, baseline.requestsPerSecond.toFixed(0), `${baseline.latencyP50Ms} ms`, `${baseline.latencyP99Ms} ms`],
  );
  const connections = (before ?? after)?.connections ?? 0;
  return [
    '## Capacity, by another tool',
    `${tool}, a closed model (${connections} connections, each asking again once it was answered): ${request}. It tells ` +
      'what the site can do, and is never the source of a count of lost requests.',
    markdownTable([['when', 'requests a second', 'latency p50', 'latency p99'], ...rows]),
  ].join('\n\n');
}

function howToRepeat({ command, fingerprint, startedAt, seed }: RunRecord): string {
  const rows = Object.entries(fingerprint).sort(([a], [b]) => a.localeCompare(b));
  return [
    '## How to repeat it',
    `\`\`\`\n${command}\n\`\`\``,
    `Seed ${seed}, begun ${startedAt}.`,
    markdownTable([['of the lab', 'value'], ...rows]),
  ].join('\n\n');
}

function words({ outcomes }: Verdict): string {
  const lines = Object.keys(outcomes)
    .sort((a, b) => a.localeCompare(b))
    .map((outcome) => `- **${outcome}**: ${meaningOf(outcome)}.`);
  return ['## Words', '- **dropped**: due and sent, without a complete, expected answer.', ...lines]
    .join('\n')
    .replace('## Words\n', '## Words\n\n');
}

function inMs(ms: number | null): string {
  return ms === null ? '–' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

function signed(value: number): string {
  return value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1);
}
