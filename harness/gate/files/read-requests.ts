/** Reads a mix of requests: from a file of its own, or from a service of a budgets file. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { usageError } from '../refusals.ts';
import { parseBudgets, readServiceFile, type ServiceFile } from './read-budgets.ts';
import { isRequestText, requestsSchema, type WrittenRequests } from './requests.ts';
import { readWrittenFile } from './written-file.ts';
import type { Path } from './yaml-data.ts';

/** A mix of requests, and where it stands. */
export interface PlacedRequests {
  readonly requests: WrittenRequests;
  /** `requests.yaml:3:5`, of a field below the list. */
  readonly where: (...path: Path) => string;
  /** How an error names the list, before the number of a request. */
  readonly list: '' | 'requests.';
  /** Files of bodies are looked for from here. */
  readonly folder: string;
  /** What --requests takes to find it again. */
  readonly source: string;
}

/**
 * Reads the list that `--requests` names: FILE, or FILE#SERVICE of a budgets file.
 * @throws {HarnessError} naming line and field of all that is wrong
 */
export async function readRequests(source: string): Promise<PlacedRequests> {
  const [, file, service] = /^(.+)#([^#/]+)$/su.exec(source) ?? [];
  if (file === undefined || existsSync(source)) return await readList(source);
  const budgets = await readServiceFile(file, file);
  const entry = budgets.entries.find(({ name }) => name === service);
  const found = entry === undefined ? undefined : requestsOf(entry, file);
  if (found !== undefined) return found;
  throw usageError(`${file} has no service ${JSON.stringify(service)} with requests.`);
}

async function readList(file: string): Promise<PlacedRequests> {
  const text = await readWrittenFile(file, file, 'file of requests');
  const form = { isText: isRequestText, page: 'docs/measure.md' };
  const { data, where } = parseBudgets(text, file, requestsSchema, form);
  return { requests: data, where, list: '', folder: dirname(file), source: file };
}

/** The list of a service; undefined where it has none. @param path of the budgets file */
export function requestsOf(
  { name, data, where }: Pick<ServiceFile['entries'][number], 'name' | 'data' | 'where'>,
  path: string,
): PlacedRequests | undefined {
  const { requests } = data.measure;
  if (requests === undefined) return undefined;
  return {
    requests,
    where: (...below) => where('measure', 'requests', ...below),
    list: 'requests.',
    folder: dirname(path),
    source: `${path}#${name}`,
  };
}
