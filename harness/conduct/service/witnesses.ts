/** Who else tells of a service that the user runs: systemd's journal, and access logs. None of them changes a count. */
import { messageOf } from '../../base/errors.ts';
import { requestIdPrefix } from '../../run/site-requests.ts';
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import { AccessLogs, askedRequest } from './access-log/access-logs.ts';
import { openJournal } from './journal.ts';
import type { ServiceFiles } from './service-files.ts';
import type { Target } from './target.ts';

/** The witnesses that were asked for. */
export type ServiceWitnesses = Awaited<ReturnType<typeof openWitnesses>>;

/** @throws {HarnessError} `witness-unreadable` when one of them cannot be read */
export async function openWitnesses({ service, request }: Target, runId: string) {
  const { journal: units, accessLogs: paths, method, path, ratePerSecond } = service;
  const requests = (request.mix ?? [{ method: method ?? 'GET', path, fixed: request }]).map(askedRequest);
  const asked = { idPrefix: requestIdPrefix(runId, 1), requests, ratePerSecond };
  const journal = units === undefined ? null : await openJournal(units);
  const accessLogs = paths === undefined ? null : await AccessLogs.open(paths, asked);
  return {
    begin: async (folder: string): Promise<void> => accessLogs?.begin(folder),
    /** The load has ended: what they say goes into the run's files. */
    end: async (files: ServiceFiles, counts: Pick<LoadCounts, 'sent' | 'ok'>, signal: AbortSignal): Promise<void> => {
      const originUs = files.writer.record.originMonotonicUs ?? 0;
      const missing = (what: string) => (error: unknown) =>
        files.note(`What ${what} has to say is missing: ${messageOf(error)}`);
      await journal
        ?.read()
        .then((told) => files.addJournal(told, journal.units))
        .catch(missing('the journal'));
      await accessLogs
        ?.end(counts, { originUs, signal })
        .then((told) => files.writer.know({ accessLogs: told }))
        .catch(missing('the access log'));
    },
    close: async (): Promise<void> => accessLogs?.close(),
  };
}
