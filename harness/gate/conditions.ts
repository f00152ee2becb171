/** What bounds a comparison of two runs: what was asked of them, and the machine and versions that they ran on. */
import { flatFields, type Difference } from '../experiment/differences.ts';
import type { Experiment } from '../experiment/experiment.ts';

/**
 * Fields that are words, or say how often and how closely an experiment is repeated: runs that differ there are alike. What
 * the files of a service hold is what a gate is about.
 */
const noCondition =
  /^(id|title|question|hypothesis|expect|deploy\.(restarts|spacingMs|leadMs|tailMs)|service\.contents)(\.|$)/u;
/** Fields that decide how much can be dropped or waited for at all. */
const ofLoad = /^(load|proxy\.kind|sites\.count|service\.requests)(\.|$)/u;

/** One site is what an experiment has that does not say. */
const isLeftOut = (path: string, value: string): boolean =>
  value === 'undefined' || (path === 'sites.count' && value === '1');

/** Path and value of each field that two runs must have in common. */
export function conditionsOf(experiment: Experiment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(flatFields(experiment))
      .filter(([path, value]) => !noCondition.test(path) && !isLeftOut(path, value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A difference as a sentence has it. */
export function changeText({ name, a, b }: Difference): string {
  return `${name} ${a ?? 'absent'} → ${b ?? 'absent'}`;
}

/** Do they differ in the load itself? Then their counts have no common measure. */
export function differInLoad(changes: readonly Difference[]): boolean {
  return changes.some(({ name }) => ofLoad.test(name));
}

/** The state of the project is what a gate is about: that it differs is no warning. */
const subjects = new Set(['project', 'sources', 'image', 'serverImage']);
/** What decides how fast a process starts and answers. */
const ofMachine = new Set(['cpu', 'cpus', 'architecture', 'kernel', 'storage', 'engine']);

type Fingerprint = Readonly<Record<string, string>>;

/**
 * Compares a run's fingerprint with those of the baseline's runs; a value that one of them had is no difference.
 * On another machine waits, and counts that follow them, are not this project's doing alone.
 */
export function fingerprintDifference(
  before: readonly Fingerprint[],
  now: Fingerprint,
): { readonly changes: readonly Difference[]; readonly isOtherMachine: boolean } {
  const names = [...new Set([...before, now].flatMap((each) => Object.keys(each)))].sort();
  const changes = names
    .filter((name) => !subjects.has(name) && !before.some((each) => each[name] === now[name]))
    .map((name) => {
      const had = new Set(before.map((each) => each[name] ?? 'absent'));
      return { name, a: [...had].join(' or '), b: now[name] ?? null };
    });
  return { changes, isOtherMachine: changes.some(({ name }) => ofMachine.has(name)) };
}
