/** Reads a service.yaml: what it says, the requests of its load, and the files that it names. */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { HarnessError } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { ownServiceSchema, refuseContradictions, writtenServiceShape } from '../experiment/own-service.ts';
import type { OwnService } from '../experiment/own-service.ts';
import { parseBudgets } from '../gate/files/read-budgets.ts';
import { mixOfList } from '../gate/files/request-mix.ts';
import { isRequestText, requestsSchema } from '../gate/files/requests.ts';
import { readWrittenFile } from '../gate/files/written-file.ts';
import { usageError } from '../gate/refusals.ts';
import type { PlanMixEntry } from '../in-lab/load/plan.ts';
import { destinationsOf, namedFilesOf, refuseAbsent, refuseMissing, refuseUnusable } from './named-files.ts';
import type { Refuse } from './named-files.ts';
import { contentsOf } from './own-files.ts';
import { hiding, shownService, usedService } from './told-service.ts';

/** A service of the user's own, read. */
export interface ReadService {
  /** As it was typed. */
  readonly path: string;
  /** Absolute; its files are looked for from here. */
  readonly folder: string;
  /** As a run records it: nothing secret in it. */
  readonly service: OwnService;
  /** As it is started: the same, with its secrets. */
  readonly used: OwnService;
  /** Hides its secrets in a text. */
  readonly hide: (text: string) => string;
  /** The requests as they are sent, with their secrets. */
  readonly mix: readonly PlanMixEntry[];
  /** Where a field of the file is, and what it is called, for later errors: `service.yaml:3:5: packages.0`. */
  readonly labelOf: (...path: PropertyKey[]) => string;
}

/** The schema of service.yaml. */
export const writtenServiceSchema = writtenServiceShape
  .extend({ requests: requestsSchema })
  .superRefine(refuseContradictions);

const page = 'docs/service-yaml.md';

/**
 * Reads it, and looks at every file that it names; in what it gives, each of `files` says where it goes.
 * @throws {HarnessError} naming line, column and field of what is wrong
 */
export async function readOwnService(path: string, environment: NodeJS.ProcessEnv): Promise<ReadService> {
  try {
    return await readIt(path, environment);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    // Its parts are read as those of other files, under a code of theirs.
    throw new HarnessError('service-invalid', error.message, { hint: error.hint, cause: error.cause });
  }
}

async function readIt(path: string, environment: NodeJS.ProcessEnv): Promise<ReadService> {
  const text = await readWrittenFile(path, path, 'service file');
  const { data, where } = parseBudgets(text, path, writtenServiceSchema, {
    isText: ([part, ...below]) => part !== 'requests' || isRequestText(below),
    page,
  });
  const labelOf: ReadService['labelOf'] = (...at) => `${where(...at)}: ${at.map(String).join('.')}`;
  const refuse: Refuse = (at, what, hint = `The fields are explained in ${page}.`) =>
    usageError(`${labelOf(...at)}: ${what}.`, hint);
  const folder = dirname(resolve(path));
  const { requests, ...written } = data;
  const mix = mixOfList(
    { requests, where: (...at) => where('requests', ...at), list: 'requests.', folder, source: path },
    {
      ...{ environment, connections: 'mixed', expectedStatus: null, headers: [], secretHeaders: [] },
      hostField: 'write host: beside requests',
    },
  );
  const names = mix.shown.map(({ name }) => name);
  for (const [index, name] of (written.writes?.requests ?? []).entries()) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names).trim() || `The requests are ${names.join(', ')}.`;
    throw refuse(['writes', 'requests', index], `there is no request ${JSON.stringify(name)}`, hint);
  }
  const service = { ...written, files: destinationsOf(written, folder, refuse) };
  const used = usedService(service, environment, { labelOf, wrong: refuse });
  const named = namedFilesOf(written, folder, refuse);
  for (const file of named) await refuseMissing(file);
  const pathOf = (name: string): string => (isAbsolute(name) ? name : join(dirname(path), name));
  await refuseUnusable(service, pathOf, refuse);
  const common = { requests: mix.shown, contents: await contentsOf(named, folder) };
  await refuseAbsent(service, { folder, pathOf }, refuse);
  const asUsed = ownServiceSchema.parse({ ...used, ...common });
  const asShown = ownServiceSchema.parse({ ...shownService(service), ...common });
  return {
    ...{ path, folder, labelOf, mix: mix.used },
    ...{ service: asShown, used: asUsed, hide: hiding(asUsed, asShown) },
  };
}
