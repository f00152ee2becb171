/** What was asked of the lab, or of a service: the settings of a run, in a table. */
import { markdownTable } from 'markdown-table';
import type { ExperimentRun, RunRecord, ServiceRun } from '../run/run-record.ts';

/** The section "What was asked". */
export function askedSection(run: RunRecord): string {
  return run.kind === 'experiment' ? askedOfLab(run) : askedOfService(run);
}

function askedOfService({ service, durationMs }: ServiceRun): string {
  const { method, url, address, headers, bodyBytes, expectedStatus, ratePerSecond, connections } = service;
  const rows = [
    ['request', `${method} ${url} (${address})`],
    ...headers.map(([name, value]) => ['header', `${name}: ${value}`]),
    ...(bodyBytes === null ? [] : [['body', `${bodyBytes} bytes`]]),
    ['ok is', expectedStatus === null ? 'a complete answer with a status from 200 to 299' : `status ${expectedStatus}`],
    ['load', `${ratePerSecond} requests a second for ${(durationMs / 1000).toFixed(1)} s, ${connections} connections`],
    ['deadline', `${service.timeoutMs} ms from the due time; at most ${service.maxConnections} connections`],
    ['while', service.whileCommand ?? 'nothing ran'],
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
