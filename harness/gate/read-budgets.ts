/** Reads a budgets file: YAML, so that it can be reviewed line by line, and every error and finding names its line. */
import { readFile } from 'node:fs/promises';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { messageOf } from '../errors.ts';
import {
  entryName,
  entryOf,
  gateFileSchema,
  serviceFileSchema,
  type Entry,
  type GateEntryData,
  type ServiceEntryData,
} from './budgets.ts';
import { usageError } from './refusals.ts';

/** experiments/gate.yaml, read. */
export interface GateFile {
  /** As it was named: what annotations point at. */
  readonly file: string;
  readonly alpha: number;
  readonly entries: readonly (Entry & { readonly data: GateEntryData })[];
}

/** A budgets file for services, read. */
export interface ServiceFile {
  readonly file: string;
  readonly entries: readonly (Entry & { readonly data: ServiceEntryData })[];
}

/**
 * Reads the budgets of the gate.
 * @param file how errors call it
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readGateFile(path: string, file: string): Promise<GateFile> {
  const { data, lineOf } = parseBudgets(await textOf(path, file), file, gateFileSchema);
  const entries = data.entries.map((entry, index) => {
    const at = ['entries', index];
    return {
      ...entryOf(entryName(entry), entry, (figure) => lineOf(figure === undefined ? at : [...at, 'budgets', figure])),
      data: entry,
    };
  });
  refuseTwins(file, entries);
  return { file, alpha: data.alpha, entries };
}

/**
 * Reads the budgets of services that the user runs.
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readServiceFile(path: string, file: string): Promise<ServiceFile> {
  const { data, lineOf } = parseBudgets(await textOf(path, file), file, serviceFileSchema);
  const entries = data.services.map((service, index) => {
    const at = ['services', index];
    return {
      ...entryOf(service.name, service, (figure) => lineOf(figure === undefined ? at : [...at, 'budgets', figure])),
      data: service,
    };
  });
  refuseTwins(file, entries);
  return { file, entries };
}

async function textOf(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw usageError(`The budgets file ${file} cannot be read: ${messageOf(cause)}.`, undefined, cause);
  }
}

type Path = readonly PropertyKey[];

/**
 * The data of a budgets file, and the line of each of its fields.
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export function parseBudgets<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
): { data: z.infer<Schema>; lineOf: (path: Path) => number } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const lineAt = (offset: number): number => counter.linePos(offset).line;
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) throw usageError(`${file}:${lineAt(broken.pos[0])}: no YAML: ${broken.message}.`);
  const lineOf = (path: Path): number => lineAt(offsetOf(document, path));
  const checked = schema.safeParse(document.toJS());
  if (checked.success) return { data: checked.data, lineOf };
  const lines = checked.error.issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'there is no such field' }))
        : [{ path: issue.path, message: issue.message }],
    )
    .map(({ path, message }) => ({
      line: lineOf(path),
      text: `${path.map(String).join('.') || 'the file'}: ${message}`,
    }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, text: what }) => `${file}:${line}: ${what}`);
  throw usageError(lines.join('\n'), 'The fields are explained in docs/ci.md.');
}

/** Where the field begins; of one that is missing, where what it is missing in does. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const name of path) {
    if (!isNode(node)) return offset;
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
    if (pair !== undefined && isPair(pair) && isNode(pair.key)) {
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
      continue;
    }
    const item: unknown =
      'get' in node ? (node as { get(key: unknown, keep: true): unknown }).get(name, true) : undefined;
    if (!isNode(item)) return offset;
    offset = item.range?.[0] ?? offset;
    node = item;
  }
  return offset;
}

/** Two of one name would share run folders' marks and a baseline. */
function refuseTwins(file: string, entries: readonly Entry[]): void {
  for (const [index, { name, line }] of entries.entries()) {
    const first = entries.findIndex((other) => other.name.toLowerCase() === name.toLowerCase());
    if (first === index) continue;
    throw usageError(
      `${file}:${line}: ${name} is there twice (line ${entries[first]?.line ?? '?'}).`,
      'Give one of them a name of its own: name: …',
    );
  }
}
