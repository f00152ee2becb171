/** The advice in words, and as advice.json. */
import { counted } from '../base/counted.ts';
import { byCount, inMs, tableOf } from '../report/format.ts';
import { boundText } from '../verdict/citation.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { dropsPerRestart, objectionTo } from './choose.ts';
import type { Decision, Drops, Measured, Refuted, Second, Tried } from './choose.ts';
import { type Broken, type Finding, findingsOf } from './explain.ts';
import type { RecommendedFile } from './recommended-files.ts';
import { wayText } from './ways.ts';

/** All that is known when `advise` ends. */
export interface Advice {
  readonly service: string;
  /** The command that asks the same again. */
  readonly command: string;
  readonly tried: readonly Tried[];
  readonly seconds: ReadonlyMap<string, Second>;
  readonly decision: Exclude<Decision, { kind: 'confirm' }>;
  /** The longest wait without a restart, ms; null: not measured. */
  readonly quietWaitMs: number | null;
  /** Points in which `doctor` saw the service break its contract; null: it was not asked. */
  readonly broken: readonly Broken[] | null;
  /** What ended it early, in a sentence; null: nothing. */
  readonly endedBy: string | null;
  /** To copy, below recommended/. */
  readonly files: readonly RecommendedFile[];
  /** A run's folder as the user would write it. */
  readonly pathOf: (folder: string) => string;
}

/** advice.md. */
export function adviceText(advice: Advice): string {
  const parts = [
    `# ${advice.service}: how to restart it`,
    ...headParts(advice),
    ...(advice.endedBy === null ? [] : [advice.endedBy]),
    candidatesTable(advice.tried),
    ...(advice.quietWaitMs === null ? [] : [`Without a restart the longest wait is ${inMs(advice.quietWaitMs)}.`]),
    ...section('What to change in the service', findingsOf(allRuns(advice), advice.broken).map(findingText)),
    ...section('What each lost', lossLines(advice)),
    ...section('Not to be trusted', doubtLines(advice)),
    ...section('Not tried', notTriedLines(advice)),
    ...section(
      'Files to copy',
      advice.files.map(({ path, what }) => `- \`recommended${path}\`: ${what}.`),
    ),
    `Again: \`${advice.command}\``,
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, lines.join('\n')];
}

/** Every run, second ones too. */
function allRuns({ tried, seconds }: Pick<Advice, 'tried' | 'seconds'>): Tried[] {
  return [...tried, ...seconds.values()];
}

function headParts(advice: Advice): string[] {
  const { decision } = advice;
  switch (decision.kind) {
    case 'recommended':
      return recommendedParts(advice, decision);
    case 'all-lossy': {
      const { least } = decision;
      return [
        '**No recommendation: no way that was tried lost nothing.**',
        `Least was lost by ${wayText(least.way)}: ${figuresText(least.verdict)}. That is what was measured, and no recommendation.`,
        citationBlock(advice, least),
        ...decision.refuted.map(refutedText),
      ];
    }
    case 'unknown':
      return [
        '**No recommendation: which way loses nothing is not known.**',
        ...(advice.tried.some((one) => one.kind === 'measured')
          ? ['What might lose nothing cannot be trusted. Run it again on a quiet machine.']
          : []),
        ...decision.refuted.map(refutedText),
      ];
  }
}

function recommendedParts(advice: Advice, decision: Extract<Decision, { kind: 'recommended' }>): string[] {
  const { bearing, runnerUp, refuted } = decision;
  const { way, verdict } = bearing;
  return [
    `**Recommended: ${wayText(way)}.** ${figuresText(verdict)}. It needs ${way.needs}.`,
    citationBlock(advice, bearing),
    `${whyText(decision)} ${secondText(decision)}`,
    ...refuted.map(refutedText),
    runnerUp === null
      ? 'There is no runner-up: no other lost nothing.'
      : `Runner-up: ${wayText(runnerUp.way)}, in ${restartsWord(runnerUp.verdict)} only: ${figuresText(runnerUp.verdict)}.`,
  ];
}

function restartsWord({ restarts }: Pick<Verdict, 'restarts'>): string {
  return counted(restarts, 'restart');
}

/** Bad restarts with their bound, wait and writes. */
function figuresText(verdict: Verdict): string {
  const { badRestarts, restarts, longestWaitMs, dropped } = verdict;
  const what = dropped === 0 ? 'dropped anything' : 'dropped something';
  const lost = dropped === 0 ? '' : `; ${(dropped / Math.max(1, restarts)).toFixed(1)} requests a restart`;
  return (
    `${badRestarts} of ${restarts} restarts ${what} (${boundText(verdict)})${lost}; longest wait ${inMs(longestWaitMs)}; ` +
    writesText(verdict)
  );
}

function writesText(verdict: Verdict): string {
  const { writes } = verdict;
  if (writes === null) {
    return wereLookedUp(verdict)
      ? 'what became of the writes is not known'
      : 'writes were not checked (service.yaml has no `writes`)';
  }
  return `${writes.lost === 0 ? 'none' : writes.lost} of ${writes.acknowledged} acknowledged writes lost`;
}

function citationBlock({ pathOf }: Advice, { verdict, folder }: Measured): string {
  return `\`\`\`\n${verdict.citation}\nnpm run verify -- ${pathOf(folder)}\n\`\`\``;
}

function whyText({ first, ties, runnerUp }: Extract<Decision, { kind: 'recommended' }>): string {
  if (ties.length > 0) {
    const others = ties.map(({ way, verdict }) => `${wayText(way)}, ${inMs(verdict.longestWaitMs)}`).join('; ');
    return (
      `It waits as long as others that lost nothing, as far as these runs can tell (${inMs(first.verdict.longestWaitMs)}; ` +
      `${others}), and is the simplest of them.`
    );
  }
  return runnerUp === null
    ? 'It is the only one that lost nothing.'
    : 'Of those that lost nothing it has the shortest longest wait.';
}

function secondText({ first, second, bearing }: Extract<Decision, { kind: 'recommended' }>): string {
  if (bearing === second) {
    return `It was chosen by a run of ${restartsWord(first.verdict)}; the figures are those of a second run, made after that.`;
  }
  const why =
    second.kind === 'not-tried'
      ? second.why
      : `its second run dropped nothing, and cannot be trusted: ${objectionTo(second.verdict)?.why ?? ''}`;
  return `**The figures are those of the run by which it was chosen**: ${why}`;
}

function refutedText({ first, second, objection }: Refuted): string {
  const { dropped, due, restarts } = second.verdict;
  const lost = dropped > 0 ? `it dropped ${dropped} of ${due} requests` : objection.why;
  const doubt = objection.kind === 'untrusted' ? ', in a run that cannot be trusted' : '';
  return (
    `Not recommended: ${wayText(first.way)} lost nothing in ${restartsWord(first.verdict)}; when it was run again with ` +
    `${restarts}, ${lost}${doubt}.`
  );
}

/** Were the writes looked up, in vain? */
function wereLookedUp({ reasons }: Verdict): boolean {
  return reasons.some((reason) => reason.endsWith('[strange-writes]'));
}

function candidatesTable(tried: readonly Tried[]): string {
  const known =
    (text: (measured: Measured) => string) =>
    (one: Tried): string =>
      one.kind === 'measured' ? text(one) : '–';
  return tableOf(tried, [
    ['way', ({ way }) => wayText(way)],
    ['bad restarts', known(({ verdict }) => `${verdict.badRestarts} of ${verdict.restarts}`)],
    ['dropped a restart', known((one) => dropsPerRestart(one).toFixed(1))],
    ['of which POST', known(({ verdict }) => postsPerRestart(verdict).toFixed(1))],
    ['longest wait', known(({ verdict }) => inMs(verdict.longestWaitMs))],
    [
      'writes lost',
      known(({ verdict }) => String(verdict.writes?.lost ?? (wereLookedUp(verdict) ? 'not known' : 'not checked'))),
    ],
    ['result', (one) => (one.kind === 'not-tried' ? 'not tried' : statusText(one))],
  ]);
}

function postsPerRestart({ byMethod, restarts }: Verdict): number {
  return (byMethod['POST']?.dropped ?? 0) / Math.max(1, restarts);
}

function statusText({ verdict }: Measured): string {
  const objection = objectionTo(verdict);
  if (objection === null) return 'lost nothing';
  const what = verdict.dropped > 0 ? ['drops'] : objection.kind === 'lossy' ? [objection.why] : [];
  return [...what, ...(objection.kind === 'untrusted' ? ['not to be trusted'] : [])].join('; ');
}

/** Runs against which something speaks of this kind. */
function runsWith(advice: Advice, is: (verdict: Verdict) => boolean): Measured[] {
  return allRuns(advice).flatMap((one) => (one.kind === 'measured' && is(one.verdict) ? one : []));
}

function lossLines(advice: Advice): string[] {
  const isLossy = (verdict: Verdict): boolean => verdict.dropped > 0 || objectionTo(verdict)?.kind === 'lossy';
  return runsWith(advice, isLossy).map(({ way, verdict, drops, folder }) => {
    const lost =
      verdict.dropped > 0
        ? `${verdict.dropped} of ${verdict.due} requests: ${causesText(drops)}`
        : (objectionTo(verdict)?.why ?? '');
    return `- ${wayText(way)}, ${restartsWord(verdict)}: ${lost}. (${advice.pathOf(folder)})`;
  });
}

/** Those of which the same is said have one line. */
function notTriedLines({ tried }: Advice): string[] {
  const byWhy = Map.groupBy(
    tried.filter((one) => one.kind === 'not-tried'),
    ({ why }) => why,
  );
  return [...byWhy].map(([why, all]) => `- ${all.map(({ way }) => wayText(way)).join(', ')}: ${why}`);
}

function doubtLines(advice: Advice): string[] {
  const isDoubtful = (verdict: Verdict): boolean => objectionTo(verdict)?.kind === 'untrusted';
  return runsWith(advice, isDoubtful).map(
    ({ way, verdict, folder }) => `- ${wayText(way)}: ${objectionTo(verdict)?.why ?? ''} (${advice.pathOf(folder)})`,
  );
}

/** Causes, the most frequent first, with their POSTs. */
function causesText(drops: readonly Drops[]): string {
  const all: Record<string, number> = {};
  const posts: Record<string, number> = {};
  for (const { cause, method, count } of drops) {
    const name = cause ?? 'no witness shows why';
    all[name] = (all[name] ?? 0) + count;
    if (method === 'POST') posts[name] = (posts[name] ?? 0) + count;
  }
  return byCount(all)
    .map(([name, count]) => `${count} ${name}${posts[name] === undefined ? '' : ` (${posts[name]} POST)`}`)
    .join('; ');
}

function findingText({ what, change, doctor, seen }: Finding): string {
  const costs = seen.map(({ way, dropped, posts }) => {
    const many = counted(dropped, posts === dropped ? 'POST' : 'request');
    return `${many}${posts === dropped ? '' : `, ${posts} of them POST,`} by ${wayText(way)}`;
  });
  const cost = costs.length === 0 ? 'It cost nothing in these runs.' : `It cost ${costs.join('; ')}.`;
  return `- ${what} ${cost}${doctor === null ? '' : ` \`doctor\` saw: ${doctor}.`}\n  **To change:** ${change}`;
}

/** advice.json, version 1. */
export function adviceJson(advice: Advice): Record<string, unknown> {
  const { service, command, tried, seconds, decision, endedBy, quietWaitMs, files, pathOf } = advice;
  const runOf = ({ way, verdict, folder, drops }: Measured): Record<string, unknown> => ({
    ...{ id: way.id, name: way.name, run: pathOf(folder), verdict: verdict.verdict, citation: verdict.citation },
    ...{ restarts: verdict.restarts, badRestarts: verdict.badRestarts },
    ...{ badRestartsInterval95: verdict.badRestartsInterval95, due: verdict.due, dropped: verdict.dropped },
    ...{ droppedPosts: verdict.byMethod['POST']?.dropped ?? 0, longestWaitMs: verdict.longestWaitMs },
    ...{ writesLost: verdict.writes?.lost ?? null, objection: objectionTo(verdict)?.why ?? null, drops },
  });
  const of = (one: Tried): Record<string, unknown> =>
    one.kind === 'measured' ? runOf(one) : { id: one.way.id, name: one.way.name, notTried: one.why };
  return {
    ...{ schema: 1, service, command, endedBy, outcome: decision.kind, quietWaitMs },
    recommended: decision.kind === 'recommended' ? { ...runOf(decision.bearing), files } : null,
    runnerUp: decision.kind === 'recommended' && decision.runnerUp !== null ? runOf(decision.runnerUp) : null,
    least: decision.kind === 'all-lossy' ? runOf(decision.least) : null,
    candidates: tried.map(of),
    secondRuns: [...seconds.values()].map(of),
    findings: findingsOf(allRuns(advice), advice.broken).map(({ seen, ...of }) => ({
      ...of,
      seen: seen.map(({ way, dropped, posts }) => ({ id: way.id, dropped, posts })),
    })),
  };
}
