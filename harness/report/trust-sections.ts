/** How far a run can be trusted, and how it is repeated. */
import { markdownTable } from 'markdown-table';
import { cpuPressure } from '../lab/kernel-counters.ts';
import type { Baseline, Baselines } from '../conduct/baseline.ts';
import type { RunRecord } from '../run/run-record.ts';
import { controlText } from '../verdict/controls.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { inMs, inOrder } from './format.ts';
import { scopeText } from './scope.ts';
import { meaningOf } from './charts/palette.ts';

/** The section "How far to trust it". */
export function trustSection(run: RunRecord, verdict: Verdict): string {
  const { schedule, longestOutageMs, power, reconciliation, witnesses } = verdict;
  const { proxy, kernel } = witnesses;
  const counters = Object.entries(kernel)
    .filter(([name, value]) => value !== 0 && name !== cpuPressure)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  const lines = [
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
    ...controlLines(verdict),
    `- Holds for: ${scopeText(run, verdict)}`,
  ];
  return `## How far to trust it\n\n${lines.join('\n')}`;
}

/** Each control, why it belongs to the run, and what came of it. */
function controlLines({ controls }: Verdict): string[] {
  return (controls ?? []).map(
    ({ because, runId, badRestarts, restarts, ledger, ...control }) =>
      `- Control ${control.role}, ${control.name}@${runId}: ${control.verdict}, ${control.dropped} of ${control.due} ` +
      `requests dropped, ${badRestarts} of ${restarts} restarts bad; it ` +
      `${control.holds ? controlText(control) : `**${controlText(control)}**`}: ${because}. ` +
      `Ledger sha256:${ledger.slice(0, 16)}.`,
  );
}

/** What another tool says the site can do. */
export function capacitySection({ tool, request, before, after }: Baselines): string {
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

/** The command and the fingerprint. */
export function repeatSection({ command, fingerprint, startedAt, seed }: RunRecord): string {
  const rows = Object.entries(fingerprint).sort(([a], [b]) => inOrder(a, b));
  return [
    '## How to repeat it',
    `\`\`\`\n${command}\n\`\`\``,
    `Seed ${seed}, begun ${startedAt}.`,
    markdownTable([['of the lab', 'value'], ...rows]),
  ].join('\n\n');
}

/** What each outcome in the report means. */
export function wordsSection({ outcomes }: Verdict): string {
  const lines = Object.keys(outcomes)
    .sort((a, b) => inOrder(a, b))
    .map((outcome) => `- **${outcome}**: ${meaningOf(outcome)}.`);
  return `## Words\n\n${['- **dropped**: due and sent, without a complete, expected answer.', ...lines].join('\n')}`;
}
