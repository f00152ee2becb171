/** Two runs side by side: each figure of both, whether chance could have made the difference, and what makes them unlike. */
import { fisherExact, permutationTest, significantOfTwo as significantBelow } from '../../base/exact-tests.ts';
import { fencedText, markdownText, shownLine, wordedBy } from '../../base/foreign-text.ts';
import { differences, flatFields, type Difference } from '../../experiment/differences.ts';
import { tableOf } from '../../report/format.ts';
import { subjectOf, type RunRecord } from '../../run/run-record.ts';
import { boundText, noRestartText } from '../../verdict/citation.ts';
import { pressurePercent } from '../../run/files/kernel.ts';
import type { ReadRun } from '../../verdict/record/read-run.ts';
import { dropsByRestart, isConclusive, type Tally, type Verdict } from '../../verdict/record/verdict.ts';

/** What `compare --json` prints. */
export type Comparison = ReturnType<typeof compareRuns>;
type Side = ReturnType<typeof sideOf>;
type Unit = '' | 'ms' | '%' | '/s';

/** Fields of the fingerprint that name the state of the project, not the lab. */
const projectFields = new Set(['project', 'sources']);

const perRestart = ({ restarts }: Verdict, total: number | null): number | null =>
  total === null || restarts === 0 ? null : total / restarts;

const figures: readonly (readonly [name: string, unit: Unit, of: (run: ReadRun) => number | null | undefined])[] = [
  ['dropped', '', ({ verdict }) => verdict.dropped],
  ['dropped a restart', '', ({ verdict }) => perRestart(verdict, verdict.dropped)],
  ['predicted a restart', '', ({ verdict }) => perRestart(verdict, verdict.predicted.dropped)],
  ['measured against predicted', '%', ({ verdict }) => verdict.predicted.differencePercent],
  ['unexplained', '', ({ verdict }) => verdict.unexplained],
  ['longest wait', 'ms', ({ verdict }) => verdict.longestWaitMs],
  ['gap without an ok answer', 'ms', ({ verdict }) => verdict.gapMs],
  ['longest outage window', 'ms', ({ verdict }) => verdict.longestOutageMs],
  ['stalls', '', ({ verdict }) => verdict.stalls.count],
  ['stale answers', '', ({ verdict }) => verdict.stale],
  ['writes acknowledged', '', ({ verdict }) => verdict.writes?.acknowledged],
  ['writes lost', '', ({ verdict }) => verdict.writes?.lost],
  ['writes acknowledged early', '', ({ verdict }) => verdict.writes?.early],
  ['writes altered', '', ({ verdict }) => verdict.writes?.altered],
  ['writes duplicated', '', ({ verdict }) => verdict.writes?.duplicated],
  ['writes misattributed', '', ({ verdict }) => verdict.writes?.misattributed],
  ['writes indeterminate', '', ({ verdict }) => verdict.writes?.indeterminate],
  ['rate asked', '/s', ({ run }) => subjectOf(run).ratePerSecond],
  ['schedule lag, median', 'ms', ({ verdict }) => verdict.schedule.lagP50Ms],
  ['schedule lag, 99th percentile', 'ms', ({ verdict }) => verdict.schedule.lagP99Ms],
  ['schedule lag, longest', 'ms', ({ verdict }) => verdict.schedule.lagMaxMs],
  [
    'time in which some process waited for a CPU',
    '%',
    ({ run, verdict }) => pressurePercent(verdict.witnesses.kernel, run.durationMs),
  ],
];

/** The comparison as data. Differences are { name, a, b }: null where a run has no such field. */
export function compareRuns(a: ReadRun, b: ReadRun) {
  const experimentDiffers = differences(settingsOf(a.run), settingsOf(b.run));
  const fingerprintDiffers = differences(a.run.fingerprint, b.run.fingerprint);
  const bothRestart = a.verdict.restarts > 0 && b.verdict.restarts > 0;
  const share = ({ verdict }: ReadRun) => ({ bad: verdict.badRestarts, all: verdict.restarts });
  return {
    schema: 1 as const,
    a: sideOf(a),
    b: sideOf(b),
    warnings: warningsOf(a, b, experimentDiffers, fingerprintDiffers),
    experimentDiffers,
    fingerprintDiffers,
    /** The probability of a difference this large without a cause; null where a run has no restart that counts. */
    tests: {
      significantBelow,
      /** Fisher's exact test, two-sided, on the share of bad restarts. */
      badRestartsP: bothRestart ? fisherExact(share(a), share(b), 'other') : null,
      /** The exact permutation test, two-sided, on drops restart by restart. */
      droppedPerRestartP: bothRestart
        ? permutationTest(dropsByRestart(a.verdict), dropsByRestart(b.verdict), 'other')
        : null,
    },
    figures: figures.map(([name, unit, of]) => ({ name, unit, a: of(a) ?? null, b: of(b) ?? null })),
    byKind: kindsOf(a.verdict, b.verdict),
  };
}

function sideOf({ verdict: v }: ReadRun) {
  return {
    ...{ experiment: v.experiment, variant: v.variant, runId: v.runId, verdict: v.verdict },
    ...{ badRestarts: v.badRestarts, restarts: v.restarts, voidRestarts: v.voidRestarts },
    ...{ badRestartsInterval95: v.badRestartsInterval95, dropped: v.dropped, due: v.due, citation: v.citation },
  };
}

/** What makes the two unlike, beside what was measured: a sentence each. */
function warningsOf(
  a: ReadRun,
  b: ReadRun,
  experiment: readonly Difference[],
  fingerprint: readonly Difference[],
): string[] {
  const warnings: string[] = [];
  if (a.verdict.runId === b.verdict.runId) warnings.push('Both are the same run.');
  for (const [name, { verdict }] of [['A', a] as const, ['B', b] as const]) {
    if (!isConclusive(verdict)) {
      warnings.push(`${name} is ${verdict.verdict}: its figures are no evidence. ${verdict.reasons[0] ?? ''}`.trim());
    }
    if (verdict.controls === null) warnings.push(`${name} was made without controls: it is not for citing.`);
  }
  if (a.verdict.hashes.experiment !== b.verdict.hashes.experiment) {
    warnings.push(
      experiment.length === 0
        ? 'The experiments differ only in what is expected of them.'
        : `The experiments differ${named(experiment)}: this may cause what differs below.`,
    );
  }
  const project = fingerprint.filter(({ name }) => projectFields.has(name));
  const lab = fingerprint.filter(({ name }) => !projectFields.has(name));
  if (lab.length > 0) warnings.push(`The fingerprints differ${named(lab)}: the lab is not the same.`);
  if (project.length > 0) warnings.push(`The two ran different states of the project${named(project)}.`);
  return warnings;
}

function named(differing: readonly Difference[]): string {
  return ` in ${differing.map(({ name }) => name).join(', ')}`;
}

/** The fields that decide what ran, by their --set paths: not its texts, nor what was expected. */
function settingsOf(run: RunRecord): Record<string, string> {
  if (run.kind === 'measure') return flatFields(run.service);
  const { app, unit, sites, proxy, load, probe, deploy, service } = run.experiment;
  return flatFields({ app, unit, sites, proxy, load, probe, deploy, ...(service && { service }) });
}

function kindsOf(a: Verdict, b: Verdict) {
  const of = (tally: Tally | undefined) => ({ dropped: tally?.dropped ?? 0, due: tally?.due ?? 0 });
  const kinds = new Set([...Object.keys(a.byKind), ...Object.keys(b.byKind)]);
  return [...kinds].sort().map((kind) => ({ kind, a: of(a.byKind[kind]), b: of(b.byKind[kind]) }));
}

/** The comparison as Markdown. */
export function comparisonText(comparison: Comparison): string {
  const of = wordedBy(comparison, markdownText);
  const { a, b, warnings } = of;
  const name = ({ experiment, variant }: Side): string => `${experiment}${variant === null ? '' : ` ${variant}`}`;
  const citations = [comparison.a, comparison.b].map(({ citation }) => fencedText(shownLine(citation)));
  const sections = [
    `# ${name(a)} beside ${name(b)}`,
    warnings.map((warning) => `- **${warning}**`).join('\n'),
    verdictTable(a, b),
    testsText(of),
    figuresTable(of),
    `\`\`\`\nA ${citations[0] ?? ''}\nB ${citations[1] ?? ''}\n\`\`\``,
    differencesTable('What was asked, where it differs', of.experimentDiffers),
    differencesTable('The fingerprint, where it differs', of.fingerprintDiffers),
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

function verdictTable(a: Side, b: Side): string {
  const bad = (side: Side): string =>
    side.restarts === 0 ? noRestartText(side) : `${side.badRestarts} of ${side.restarts} (${boundText(side)})`;
  return sidesTable(a, b, [
    ['run', ({ runId }) => runId],
    ['verdict', ({ verdict }) => verdict],
    ['bad restarts', bad],
    ['dropped requests', ({ dropped, due }) => `${dropped} of ${due}`],
  ]);
}

/** A table with a column for each of two sides. */
export function sidesTable<S>(a: S, b: S, rows: readonly (readonly [name: string, of: (side: S) => string])[]): string {
  return tableOf(rows, [
    ['', ([name]) => name],
    ['A', ([, of]) => of(a)],
    ['B', ([, of]) => of(b)],
  ]);
}

/** A probability, in words. */
export function probabilityText(p: number): string {
  return `p = ${p < 0.0001 ? p.toExponential(1) : p.toFixed(4)}`;
}

function testsText({ a, b, tests: { significantBelow: below, badRestartsP, droppedPerRestartP } }: Comparison): string {
  if (badRestartsP === null || droppedPerRestartP === null) {
    return 'One of the two has no restart that counts: there is nothing to test.';
  }
  const worth = (p: number): string => (p < below ? 'a significant difference' : 'no significant difference');
  return (
    `Bad restarts, ${a.badRestarts} of ${a.restarts} against ${b.badRestarts} of ${b.restarts}: ${probabilityText(badRestartsP)} ` +
    `(Fisher's exact test, two-sided), ${worth(badRestartsP)}. Drops restart by restart: ${probabilityText(droppedPerRestartP)} ` +
    `(exact permutation test, two-sided), ${worth(droppedPerRestartP)}. Either tells a difference below ${below}.`
  );
}

function figuresTable(of: Comparison): string {
  const rows = [
    ...of.figures.map(({ name, unit, a, b }) => {
      const difference = a === null || b === null ? '–' : withUnit(b - a, unit, true);
      return [name, withUnit(a, unit), withUnit(b, unit), difference] as const;
    }),
    ...of.byKind.map(({ kind, a, b }) => {
      return [`dropped of ${kind}`, `${a.dropped} of ${a.due}`, `${b.dropped} of ${b.due}`, ''] as const;
    }),
  ];
  return tableOf(rows, [
    ['figure', ([name]) => name],
    ['A', ([, a]) => a],
    ['B', ([, , b]) => b],
    ['B − A', ([, , , difference]) => difference],
  ]);
}

function withUnit(value: number | null, unit: Unit, isSigned = false): string {
  if (value === null) return '–';
  const digits = unit === 'ms' && Math.abs(value) < 10 ? 2 : Number.isInteger(value) ? 0 : 1;
  const text = `${isSigned && value > 0 ? '+' : ''}${value.toFixed(digits)}`;
  return unit === '' ? text : `${text}${unit === '/s' ? unit : ` ${unit}`}`;
}

function differencesTable(title: string, differing: readonly Difference[]): string {
  if (differing.length === 0) return '';
  const table = tableOf(differing, [
    ['', ({ name }) => name],
    ['A', ({ a }) => a ?? '–'],
    ['B', ({ b }) => b ?? '–'],
  ]);
  return `## ${title}\n\n${table}`;
}
