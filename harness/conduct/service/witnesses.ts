/** Who else tells of a service that the user runs: systemd's journal, and access logs. None of them changes a count. */
import { messageOf } from '../../base/errors.ts';
import { requestIdPrefix } from '../../run/site-requests.ts';
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import { AccessLogs } from './access-log/access-logs.ts';
import { askedRequest } from './access-log/asked-request.ts';
import { ServiceJournal } from './journal.ts';
import type { ServiceFiles } from './service-files.ts';
import type { Target } from './target.ts';

/** The witnesses that were asked for. */
export class ServiceWitnesses {
  private readonly journal: ServiceJournal | null;
  private readonly accessLogs: AccessLogs | null;

  private constructor(journal: ServiceJournal | null, accessLogs: AccessLogs | null) {
    this.journal = journal;
    this.accessLogs = accessLogs;
  }

  /** @throws {HarnessError} `witness-unreadable` when one of them cannot be read */
  static async open({ service, request }: Target, runId: string): Promise<ServiceWitnesses> {
    const { journal, accessLogs: paths, method, path, ratePerSecond } = service;
    const requests = (request.mix ?? [{ method: method ?? 'GET', path, fixed: request }]).map(askedRequest);
    const asked = { idPrefix: requestIdPrefix(runId, 1), requests, ratePerSecond };
    return new ServiceWitnesses(
      journal === undefined ? null : await ServiceJournal.open(journal),
      paths === undefined ? null : await AccessLogs.open(paths, asked),
    );
  }

  /** The load is about to begin. */
  async begin(folder: string): Promise<void> {
    await this.accessLogs?.begin(folder);
  }

  /** The load has ended: what they say goes into the run's files. */
  async end(files: ServiceFiles, counts: Pick<LoadCounts, 'sent' | 'ok'>, signal: AbortSignal): Promise<void> {
    const { journal, accessLogs } = this;
    const { writer } = files;
    const keep = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        const sentence = `What ${what} has to say is missing: ${messageOf(error)}`;
        await writer.know({ notes: [...writer.record.notes, sentence] });
      }
    };
    if (journal !== null) {
      await keep('the journal', async () => files.addJournal(await journal.read(), journal.units));
    }
    if (accessLogs !== null) {
      const originUs = writer.record.originMonotonicUs ?? 0;
      await keep('the access log', async () =>
        writer.know({ accessLogs: await accessLogs.end(counts, { originUs, signal }) }),
      );
    }
  }

  async close(): Promise<void> {
    await this.accessLogs?.close();
  }
}
