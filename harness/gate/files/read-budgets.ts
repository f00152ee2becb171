/** Reads a budgets file: YAML, so that it can be reviewed line by line, and every error and finding names its line. */
import type { z } from 'zod';
import { mistakesIn, mistakeText } from '../../experiment/mistakes.ts';
import { entryName, gateFileSchema, serviceFileSchema } from './budgets.ts';
import type { Entry, GateEntryData, ServiceEntryData } from './budgets.ts';
import { figureNames } from '../figures.ts';
import { usageError } from '../refusals.ts';
import { isRequestText } from './requests.ts';
import { readWrittenFile } from './written-file.ts';
import { placeText, readYaml, type Path } from './yaml-data.ts';

/** An entry as it is judged, as it is written, and where. */
interface Placed<Data> extends Entry {
  readonly data: Data;
  /** `gate.yaml:3:5`, of the entry or of a field below it. */
  readonly where: (...path: Path) => string;
}

/** experiments/gate.yaml, read. */
export interface GateFile {
  /** As it was named: what annotations point at. */
  readonly file: string;
  readonly alpha: number;
  readonly entries: readonly Placed<GateEntryData>[];
}

/** A budgets file for services, read. */
export interface ServiceFile {
  readonly file: string;
  readonly entries: readonly Placed<ServiceEntryData>[];
}

/**
 * Reads the budgets of the gate.
 * @param file how errors call it
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readGateFile(path: string, file: string): Promise<GateFile> {
  const { data, ...places } = parseBudgets(await readWrittenFile(path, file), file, gateFileSchema);
  const entries = data.entries.map((entry, index) => placed(entryName(entry), entry, ['entries', index], places));
  refuseTwins(entries);
  return { file, alpha: data.alpha, entries };
}

/**
 * Reads the budgets of services that the user runs.
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readServiceFile(path: string, file: string): Promise<ServiceFile> {
  const { data, ...places } = parseBudgets(await readWrittenFile(path, file), file, serviceFileSchema);
  const entries = data.services.map((service, index) => placed(service.name, service, ['services', index], places));
  refuseTwins(entries);
  return { file, entries };
}

/** Where the fields of a file stand. */
interface Places {
  /** The line on which a field begins. */
  readonly lineOf: (path: Path) => number;
  /** `gate.yaml:3:5`, of a field's value. */
  readonly where: (...path: Path) => string;
}

function placed<Data extends Pick<ServiceEntryData, 'blocking' | 'because' | 'budgets'>>(
  name: string,
  data: Data,
  at: Path,
  { lineOf, where }: Places,
): Placed<Data> {
  const { blocking, because = '', budgets = {} } = data;
  return {
    ...{ name, data, line: lineOf(at), blocking, because },
    budgets: figureNames.flatMap((figure) => {
      const budget = budgets[figure];
      return budget === undefined ? [] : { ...budget, figure, line: lineOf([...at, 'budgets', figure]) };
    }),
    where: (...below) => where(...at, ...below),
  };
}

/** Options of `measure` are text, as on a command line: the digits that were written, not the number that they make. */
function isOption([part, , field, ...option]: Path): boolean {
  if (part !== 'services' || field !== 'measure') return false;
  return option[0] === 'requests' ? isRequestText(option.slice(1)) : option.length > 0;
}

/**
 * The data of a file that somebody wrote, of budgets unless it is said, and the place of each of its fields.
 * @param form where numbers are text, and the page that explains the fields
 * @throws {HarnessError} naming line, column and field of all that is wrong
 */
export function parseBudgets<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  { isText, page } = { isText: isOption, page: 'docs/ci.md' },
): Places & { data: z.infer<Schema> } {
  const { data, placeOf, valuePlaceOf } = readYaml(text, file, isText);
  if (data === null) throw usageError(`${file}:1:1: is empty.`, `${page} has an example to begin with.`);
  const { success, data: checked, error } = schema.safeParse(data);
  if (success) {
    const where = (...path: Path): string => placeText(file, valuePlaceOf(path));
    return { data: checked, lineOf: (path) => placeOf(path).line, where };
  }
  const lines = mistakesIn(error, data, schema)
    .map((mistake) => ({ at: (mistake.isOfName ? placeOf : valuePlaceOf)(mistake.path), what: mistakeText(mistake) }))
    .sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, what }) => `${placeText(file, at)}: ${what}`);
  throw usageError(lines.join('\n'), `The fields are explained in ${page}.`);
}

/** Two entries of one name would share run folders' marks and a baseline. */
function refuseTwins(entries: readonly Placed<unknown>[]): void {
  const lines = new Map<string, number>();
  for (const { name, line, where } of entries) {
    const first = lines.get(name.toLowerCase());
    if (first !== undefined) {
      throw usageError(
        `${where('name')}: ${name} is there twice (line ${first}).`,
        'Give one of them a name of its own: name: …',
      );
    }
    lines.set(name.toLowerCase(), line);
  }
}
