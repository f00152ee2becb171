/** Fields of an experiment by their paths, as --set, --sweep and variants name them: `proxy.retry.attempts`. */
import { HarnessError } from '../base/errors.ts';
import { experimentSchema, type Experiment, type ExperimentFile, type FieldValue } from './experiment.ts';
import { fieldPathsOf } from './field-paths.ts';
import { mistakesIn, mistakeText } from './mistakes.ts';
import { didYouMean } from '../base/nearest.ts';
import type { OwnService } from './own-service.ts';
import { expectedOf, requirePossible } from './service-fit.ts';

/** A field and the value it gets. */
export type Change = readonly [path: string, value: FieldValue];

/**
 * Of `path=value`: a number, true or false, null (which takes an optional part away), or a text.
 * @throws {HarnessError} when there is no `=`
 */
export function parseChange(option: string, text: string): Change {
  const cut = text.indexOf('=');
  if (cut < 1) {
    const sentence = `${option} takes path=value, such as app.warmupMs=500, not ${JSON.stringify(text)}.`;
    throw new HarnessError('option-value', sentence);
  }
  return [text.slice(0, cut), parseValue(text.slice(cut + 1))];
}

/** A number, true, false or null where the text is one; else the text (010 too: some read it as 8). */
export function parseValue(text: string): FieldValue {
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/u.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text === 'null' ? null : text;
}

/**
 * The experiment of a file: its variant, then changes, in this order.
 * @throws {HarnessError} naming the field that is wrong, or the variants that exist
 */
export function resolveExperiment(
  file: ExperimentFile,
  options: { variant?: string | undefined; changes?: readonly Change[]; service?: OwnService | undefined },
): Experiment {
  const { variants } = file;
  const { variant: name } = options;
  // `constructor` is no variant, though every object has one.
  const variant = Object.entries(variants).find(([known]) => known === name)?.[1];
  if (name !== undefined && variant === undefined) {
    const names = Object.keys(variants);
    const hint = names.length === 0 ? 'It has none at all.' : `${didYouMean(name, names)}It has ${names.join(', ')}.`;
    throw new HarnessError('variant-unknown', `${file.id} has no variant ${JSON.stringify(name)}.`, { hint });
  }
  const data = structuredClone({ ...file, expect: variant?.expect ?? file.expect }) as Record<string, unknown>;
  delete data['variants'];
  delete data['control'];
  const changes = [...Object.entries(variant?.set ?? {}), ...(options.changes ?? [])];
  for (const [path, value] of changes) {
    if (!isFieldPath(path)) throw unknownField(path);
    if (path === 'id') throw new HarnessError('field-invalid', 'id: is that of the file, and is never set.');
    setField(data, path, value);
  }
  const checked = experimentSchema.safeParse(data);
  if (checked.success) return withService(checked.data, changes, options.service);
  const mistakes = mistakesIn(checked.error, data, experimentSchema).map(mistakeText);
  throw new HarnessError('field-invalid', `${file.id} cannot be run so: ${mistakes.join('\n')}`);
}

/** @throws {HarnessError} where the experiment is not possible with this service */
function withService(experiment: Experiment, changes: readonly Change[], service: OwnService | undefined): Experiment {
  if (service === undefined) return experiment;
  const changed = changes.map(([path]) => path);
  requirePossible(experiment, changed, service);
  const unitChanges = changed.filter((path) => path.startsWith('unit.')).map((path) => path.slice('unit.'.length));
  return { ...experiment, service: { ...service, unitChanges }, expect: expectedOf(experiment.expect) };
}

let known: readonly string[] | undefined;

function fieldPaths(): readonly string[] {
  // A service is described by its own file.
  known ??= fieldPathsOf(experimentSchema).filter((path) => !/^service(\.|$)/u.test(path));
  return known;
}

/** Is there such a field of an experiment? An entry of a list is named by its number. */
function isFieldPath(path: string): boolean {
  return fieldPaths().includes(path.replaceAll(/(?<=\.)\d+(?=\.|$)/gu, '*'));
}

/** Names the field that was meant, or those that stand beside the wrong one. */
function unknownField(path: string): HarnessError {
  const paths = fieldPaths();
  const parent = path.split('.').slice(0, -1).join('.');
  const beside = paths.filter((known) => known.slice(0, known.lastIndexOf('.')) === parent && known.includes('.'));
  const there =
    parent === '' || beside.length === 0
      ? `The parts of an experiment are ${paths.filter((known) => !known.includes('.')).join(', ')}.`
      : `There are ${beside.join(', ')}.`;
  return new HarnessError('field-unknown', `An experiment has no field ${JSON.stringify(path)}.`, {
    hint: `${didYouMean(path, paths)}${there}`,
  });
}

/** Sets a field of plain data, making the parts on the way to it; null takes it away. */
function setField(data: Record<string, unknown>, path: string, value: FieldValue): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let part = data;
  for (const name of names) {
    refuseGap(part, name, path);
    const next = part[name];
    // An index into a list is a name too.
    if (typeof next === 'object' && next !== null) part = next as Record<string, unknown>;
    else part = part[name] = {} as Record<string, unknown>;
  }
  refuseGap(part, last, path);
  if (value === null) Reflect.deleteProperty(part, last);
  else part[last] = value;
}

/** An entry goes behind the last one at most: a list has no gaps. */
function refuseGap(part: unknown, name: string, path: string): void {
  if (!Array.isArray(part) || Number(name) <= part.length) return;
  const message = `${path}: the list has ${part.length} entries, from 0 to ${part.length - 1}.`;
  throw new HarnessError('field-invalid', message);
}
