/** How far a run can be trusted, and how it is repeated. */
import type { Capacities } from '../run/capacity.ts';
import { cpuPressure } from '../run/files/kernel.ts';
import type { RunRecord } from '../run/run-record.ts';
import { isHalfDone } from '../verdict/citation.ts';
import { controlText } from '../verdict/controls.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { meaningOf } from './charts/palette.ts';
import { byName, figuresTable, inMs, inOrder, listOf, paragraphs, tableOf, type Figure } from './format.ts';

const singleRestartHint =
  '0 of 1 is at most 95 %, however many requests it met. `--restarts N` runs the command N times under one load; a command ' +
  'that itself deploys ten times is one restart.';

/** The section "How far to trust it". */
export function trustSection(run: RunRecord, verdict: Verdict): string {
  const { power } = verdict;
  const lines = [
    verdict.witnesses.proxy === null && 'No proxy of ours was part of it: the client is the only one who counted.',
    power.smallestWindowMs !== null &&
      `A failure window of ${inMs(power.smallestWindowMs)} or more in each restart would be detected with 95 % ` +
        `probability. To claim that 99 % of restarts are clean takes ${power.restartsFor99Percent} clean ones in a ` +
        `row, 99.9 % takes ${power.restartsFor999Permille}.`,
    run.kind === 'measure' &&
      verdict.perRestart.length === 1 &&
      !isHalfDone(run) &&
      `One restart bounds little: ${singleRestartHint}`,
    ...controlLines(verdict),
  ];
  return paragraphs('## How far to trust it', figuresTable(trustFigures(verdict)), listOf(lines));
}

function trustFigures({ schedule, longestOutageMs, witnesses: { proxy, kernel } }: Verdict): (Figure | false)[] {
  const moved = Object.entries(kernel).filter(([name, value]) => value !== 0 && name !== cpuPressure);
  return [
    ['requests a second, asked', schedule.ratePerSecond],
    ['requests a second, achieved', schedule.achievedRate, 'totals'],
    ['requests left late, median', inMs(schedule.lagP50Ms), 'totals'],
    ['requests left late, 99th percentile', inMs(schedule.lagP99Ms), 'totals'],
    ['requests left late, at most', inMs(schedule.lagMaxMs), 'totals'],
    ['not sent', schedule.unsent, 'outcomes'],
    ['failed by the generator’s own fault', schedule.local, 'outcomes'],
    ...(proxy === null ? [] : proxyFigures(proxy)),
    proxy !== null && ['longest outage window', inMs(longestOutageMs)],
    proxy !== null && [
      'kernel’s counters that moved over the load',
      moved.map((counter) => counter.join(' ')).join(', ') || 'none',
    ],
  ];
}

function proxyFigures(proxy: NonNullable<Verdict['witnesses']['proxy']>): Figure[] {
  return [
    ['in the proxy’s access log', proxy.arrived, 'proxy-witness'],
    ['written by the client', proxy.ledgerSent, 'proxy-witness'],
    ['missing in the proxy’s log', proxy.missing, 'proxy-witness'],
    ['unexpected there', proxy.extra, 'proxy-witness'],
    ['repeated there', proxy.repeated, 'proxy-witness'],
    ['answered otherwise there', proxy.disagreeing, 'proxy-witness'],
  ];
}

function controlLines({ controls }: Verdict): string[] {
  return (controls ?? []).map(
    ({ because, runId, badRestarts, restarts, ledger, ...control }) =>
      `Control ${control.role}, ${control.name}@${runId}: ${control.verdict}, ${control.dropped} of ${control.due} ` +
      `requests dropped, ${badRestarts} of ${restarts} restarts bad; it ` +
      `${control.holds ? controlText(control) : `**${controlText(control)}**`}: ${because}. ` +
      `Ledger sha256:${ledger.slice(0, 16)}.`,
  );
}

/** What another tool says the site can do; nothing where it was not asked. */
export function capacitySection(capacities: Capacities | null): string {
  if (capacities === null) return '';
  const { tool, request, before, after } = capacities;
  const connections = (before ?? after)?.connections ?? 0;
  const rows = [
    { when: 'before the load', of: before },
    { when: 'after it', of: after },
  ];
  return paragraphs(
    '## Capacity, by another tool',
    `${tool}, a closed model (${connections} connections, each asking again once it was answered): ${request}. It tells ` +
      'what the site can do, and is never the source of a count of lost requests.',
    tableOf(rows, [
      ['when', ({ when }) => when],
      ['requests a second', ({ of }) => of?.requestsPerSecond.toFixed(0) ?? null],
      ['latency p50', ({ of }) => of && `${of.latencyP50Ms} ms`],
      ['latency p99', ({ of }) => of && `${of.latencyP99Ms} ms`],
    ]),
  );
}

/** The command and the fingerprint. */
export function repeatSection({ command, fingerprint, startedAt, seed }: RunRecord): string {
  const call = command.startsWith('npx ') ? 'npx restart-proof query' : 'npm run query --';
  return paragraphs(
    '## How to repeat it',
    `\`\`\`\n${command}\n\`\`\``,
    `Seed ${seed}, begun ${startedAt}. \`${call} RUN NAME\` runs a query that this report names; without a name it lists all.`,
    tableOf(byName(fingerprint), [
      ['of the lab', ([name]) => name],
      ['value', ([, value]) => value],
    ]),
  );
}

/** What each outcome in the report means. */
export function wordsSection({ outcomes }: Verdict): string {
  const meanings = Object.keys(outcomes)
    .sort(inOrder)
    .map((outcome) => `**${outcome}**: ${meaningOf(outcome)}.`);
  return paragraphs(
    '## Words',
    listOf(['**dropped**: due and sent, without a complete, expected answer.', ...meanings]),
  );
}
