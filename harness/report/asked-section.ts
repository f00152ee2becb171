/** What was asked of the lab, or of a service: the settings of a run, in a table. */
import { present } from '../base/present.ts';
import { addressText } from '../base/address-text.ts';
import { commandSpacingMs } from '../experiment/deploy-schedule.ts';
import { askedOf, type ServiceRequest } from '../experiment/service.ts';
import { flatFields } from '../experiment/differences.ts';
import type { OwnService } from '../experiment/own-service.ts';
import type { ExperimentRun, RunRecord, ServiceRun } from '../run/run-record.ts';
import { paragraphs, tableOf } from './format.ts';

/** The section "What was asked". */
export function askedSection(run: RunRecord): string {
  const [intent, settings] = run.kind === 'experiment' ? askedOfLab(run) : [[], askedOfService(run)];
  const table = tableOf(settings, [
    ['part', ([part]) => part],
    ['setting', ([, setting]) => setting],
  ]);
  return paragraphs('## What was asked', ...intent, table);
}

type Setting = readonly [part: string, setting: string];

function askedOfService({ service, durationMs }: ServiceRun): Setting[] {
  const { address, port, tls, http, headers, bodyBytes, expectedStatus, ratePerSecond, connections, requests } =
    service;
  const okIs = expectedStatus === null ? 'a complete answer with a status from 200 to 299' : `status ${expectedStatus}`;
  return present<Setting>([
    [
      requests === undefined ? 'request' : 'mix',
      `${askedOf(service)}${port === null ? '' : ` (${addressText(address)})`}`,
    ],
    http !== undefined && ['protocol', `HTTP/2 by ${tls === null ? 'prior knowledge' : 'ALPN'}`],
    ...headers.map(([name, value]): Setting => ['header', `${name}: ${value}`]),
    bodyBytes !== null && ['body', `${bodyBytes} bytes`],
    requests === undefined && ['ok is', okIs],
    ...(requests ?? []).flatMap(askedOfRequest),
    ['load', `${ratePerSecond} requests a second for ${(durationMs / 1000).toFixed(1)} s, ${connections} connections`],
    ['deadline', `${service.timeoutMs} ms from the due time; at most ${service.maxConnections} connections`],
    service.hold !== undefined && ['held', heldText(service.hold)],
    ['while', service.whileCommand ?? 'nothing ran'],
    service.restarts !== undefined && ['restarts', seriesText(service.restarts, service.everyMs)],
  ]);
}

function askedOfRequest({ name, method, path, slotsOf100, headers, bodyBytes, expect }: ServiceRequest): Setting[] {
  const sent = [
    `${method} ${path}, ${slotsOf100} of 100 slots`,
    ...headers.map((header) => header.join(': ')),
    ...(bodyBytes === null ? [] : [`a body of ${bodyBytes} bytes`]),
  ];
  return [
    [name, sent.join('; ')],
    [`${name}: ok is`, expect.join('; ')],
  ];
}

function heldText({ count, kind, path }: NonNullable<ServiceRun['service']['hold']>): string {
  return `${count} connections: ${kind}, GET ${path}`;
}

function seriesText(restarts: number, everyMs: number | undefined): string {
  if (restarts === 1) return '1';
  const [shortest, longest] = commandSpacingMs(everyMs).map((ms) => ms / 1000);
  return (
    `${restarts} under one load; each begins ${shortest} to ${longest} s after the one before, or later: once the ` +
    'service is steady again'
  );
}

/** What the experiment means to show, and each of its fields, as --set has them: `app.drain` stands in the row `app`. */
function askedOfLab({ experiment, variant, variantAbout }: ExperimentRun): [string[], Setting[]] {
  const { app, unit, sites, proxy, load, probe, deploy, service } = experiment;
  const mix = load.mix.map(({ method, path, weight }) => `${weight} × ${method} ${path}`).join(', ');
  const { ratePerSecond, connections } = load;
  const parts =
    service === undefined
      ? { app, unit, sites, proxy, load: { ...load, mix }, probe, deploy }
      : {
          service: described(service),
          unit: setOver(service, unit),
          proxy,
          load: { ratePerSecond, connections },
          probe,
          deploy,
        };
  const settings = Object.entries(parts).map(([part, fields]): Setting => {
    const texts = Object.entries(flatFields(fields)).map((field) => field.join(' '));
    return [part, texts.join('; ')];
  });
  return [
    [experiment.hypothesis, ...(variant === null ? [] : [`Variant **${variant}**: ${variantAbout ?? ''}`])],
    [...settings, ...(service?.requests ?? []).flatMap(askedOfRequest)],
  ];
}

/** Where the unit or the socket is the user's own, an experiment's value counts only if it was asked for. */
function setOver({ unit: own, socket, unitChanges }: OwnService, unit: ExperimentRun['experiment']['unit']): object {
  const theirs = [
    ...(own === undefined ? [] : ['timeoutStopSec', 'killMode', 'restart']),
    ...(socket === undefined ? [] : ['backlog', 'flushPending']),
  ].filter((name) => !unitChanges.includes(name));
  return Object.fromEntries(Object.entries(unit).filter(([name]) => !theirs.includes(name)));
}

/** But for its requests, which have rows of their own. */
function described(service: OwnService): object {
  const { requests, contents, ...others } = service;
  return { ...others, requests: requests.length, contents: `sha256:${contents.slice(0, 16)}` };
}
