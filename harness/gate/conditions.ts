/** What bounds a comparison of two runs: what was asked of them, and the machine and versions that they ran on. */
import type { Experiment } from '../experiment/experiment.ts';

/** Fields of an experiment that are words, or how often and how closely it is repeated: two runs that differ there are alike. */
const noCondition = /^(id|title|question|hypothesis|expect|deploy\.(restarts|spacingMs|leadMs|tailMs))(\.|$)/u;
/** Fields that decide how much can be dropped or waited for at all. */
const ofLoad = /^(load|proxy\.kind)(\.|$)/u;

/** Path and value of each field that two runs must have in common. */
export type Conditions = Readonly<Record<string, string>>;

/** The conditions of an experiment. */
export function conditionsOf(experiment: Experiment): Conditions {
  const conditions: Record<string, string> = {};
  const add = (path: string, value: unknown): void => {
    if (noCondition.test(path) || value === undefined) return;
    if (typeof value === 'object' && value !== null) {
      for (const [name, part] of Object.entries(value)) add(path === '' ? name : `${path}.${name}`, part);
    } else {
      conditions[path] = typeof value === 'string' ? value : JSON.stringify(value);
    }
  };
  add('', experiment);
  return Object.fromEntries(Object.entries(conditions).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The fields that differ, each as `path a → b`. */
export function differences(before: Conditions, now: Conditions): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((path) => before[path] !== now[path])
    .map((path) => `${path} ${before[path] ?? 'absent'} → ${now[path] ?? 'absent'}`);
}

/** Do they differ in the load itself? Then their counts have no common measure. */
export function differInLoad(changes: readonly string[]): boolean {
  return changes.some((change) => ofLoad.test(change));
}

/** The state of the project is what a gate is about: that it differs is no warning. */
const subjects = new Set(['project', 'sources', 'image']);
/** What decides how fast a process starts and answers. */
const ofMachine = new Set(['cpu', 'cpus', 'architecture', 'kernel', 'storage', 'engine']);

/** What a run was made with, beside its baseline. */
export interface FingerprintDifference {
  /** Each as `name a → b`. */
  readonly changes: readonly string[];
  /** Another machine: waits, and counts that follow them, are then not this project's doing alone. */
  readonly otherMachine: boolean;
}

/** Compares a run's fingerprint with those of the baseline's runs; a value that one of them had is no difference. */
export function fingerprintDifference(
  before: readonly Readonly<Record<string, string>>[],
  now: Readonly<Record<string, string>>,
): FingerprintDifference {
  const names = [...new Set([...before.flatMap((each) => Object.keys(each)), ...Object.keys(now)])]
    .filter((name) => !subjects.has(name))
    .sort();
  const changed = names.filter((name) => !before.some((each) => each[name] === now[name]));
  return {
    changes: changed.map(
      (name) =>
        `${name} ${[...new Set(before.map((each) => each[name] ?? 'absent'))].join(' or ')} → ${now[name] ?? 'absent'}`,
    ),
    otherMachine: changed.some((name) => ofMachine.has(name)),
  };
}
