/** Reads a budgets file: YAML, so that it can be reviewed line by line, and every error and finding names its line. */
import type { z } from 'zod';
import { mistakesIn, mistakeText } from '../../experiment/mistakes.ts';
import {
  entryName,
  gateFileSchema,
  serviceFileSchema,
  type Entry,
  type GateEntryData,
  type ServiceEntryData,
} from './budgets.ts';
import { figureNames } from '../figures.ts';
import { usageError } from '../refusals.ts';
import { isRequestText } from './requests.ts';
import { readWrittenFile } from './written-file.ts';
import { readYaml, type Path, type YamlData } from './yaml-data.ts';

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
  const { data, ...yaml } = parseBudgets(await readWrittenFile(path, file), file, gateFileSchema);
  const entries = data.entries.map((entry, index) =>
    placed(entryName(entry), entry, { file, yaml, at: ['entries', index] }),
  );
  refuseTwins(entries);
  return { file, alpha: data.alpha, entries };
}

/**
 * Reads the budgets of services that the user runs.
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readServiceFile(path: string, file: string): Promise<ServiceFile> {
  const { data, ...yaml } = parseBudgets(await readWrittenFile(path, file), file, serviceFileSchema);
  const entries = data.services.map((service, index) =>
    placed(service.name, service, { file, yaml, at: ['services', index] }),
  );
  refuseTwins(entries);
  return { file, entries };
}

type Places = Pick<YamlData, 'placeOf' | 'valuePlaceOf'>;

function placed<Data extends Pick<ServiceEntryData, 'blocking' | 'because' | 'budgets'>>(
  name: string,
  data: Data,
  { file, yaml, at }: { file: string; yaml: Places; at: Path },
): Placed<Data> {
  return {
    name,
    data,
    line: yaml.placeOf(at).line,
    blocking: data.blocking,
    because: data.because ?? '',
    budgets: figureNames.flatMap((figure) => {
      const budget = data.budgets?.[figure];
      return budget === undefined ? [] : { ...budget, figure, line: yaml.placeOf([...at, 'budgets', figure]).line };
    }),
    where: (...below) => {
      const { line, column } = yaml.valuePlaceOf([...at, ...below]);
      return `${file}:${line}:${column}`;
    },
  };
}

/** Options of `measure` are text, as on a command line: the digits that were written, not the number that they make. */
function isOption([part, , field, ...option]: Path): boolean {
  if (part !== 'services' || field !== 'measure') return false;
  return option[0] === 'requests' ? isRequestText(option.slice(1)) : option.length > 0;
}

/** What is known of a kind of file beside its schema. */
interface FileForm {
  readonly isText: (path: Path) => boolean;
  readonly page: string;
}

const budgetsForm: FileForm = { isText: isOption, page: 'docs/ci.md' };

/**
 * The data of a budgets file, and the place of each of its fields.
 * @param form where numbers are text, and the page that explains the fields
 * @throws {HarnessError} naming line, column and field of all that is wrong
 */
export function parseBudgets<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  { isText, page }: FileForm = budgetsForm,
): Places & { data: z.infer<Schema> } {
  const { data, placeOf, valuePlaceOf } = readYaml(text, file, isText);
  if (data === null) throw usageError(`${file}:1:1: is empty.`, `${page} has an example to begin with.`);
  const checked = schema.safeParse(data);
  if (checked.success) return { data: checked.data, placeOf, valuePlaceOf };
  const lines = mistakesIn(checked.error, data, schema)
    .map((mistake) => ({ ...(mistake.isOfName ? placeOf : valuePlaceOf)(mistake.path), what: mistakeText(mistake) }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, what }) => `${file}:${line}:${column}: ${what}`);
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
