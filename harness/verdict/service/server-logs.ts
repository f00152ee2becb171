/** What the access logs of a service of the user's come to, and what a reader must know of them. */
import { present } from '../../base/present.ts';
import { counted } from '../../base/counted.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import type { Ask } from '../ledger-summary.ts';
import type { Verdict } from '../record/verdict.ts';

type ServerLog = NonNullable<Verdict['serverLog']>;

/** The logs' part of the verdict; nothing where no log was asked for. */
export async function serverLogsOf(run: ServiceRun, ask: Ask): Promise<Verdict['serverLog']> {
  if (run.accessLogs === undefined) return undefined;
  const drops = await ask<{ log: number; what: string; dropped: number; seq: number; line: number | null }>(
    'server-log-drops',
  );
  const others = await ask<{ log: number; twice: number; missing: number; differing: number }>(
    'server-log-disagreements',
  );
  const [processed] = await ask<ServerLog['processedWrites']>('server-log-processed');
  return {
    logs: run.accessLogs.map(({ path, formats, lines, ours, notUnderstood, joined }, index) => {
      const own = drops.filter(({ log }) => log === index + 1);
      const { twice = 0, missing = 0, differing = 0 } = others.find(({ log }) => log === index + 1) ?? {};
      return {
        ...{ path, formats, lines, ours, notUnderstood, joined },
        drops: Object.fromEntries(own.map(({ what, dropped }) => [what, dropped])),
        examples: Object.fromEntries(own.map(({ what, seq, line }) => [what, { seq, ...(line !== null && { line }) }])),
        ...{ twice, missing, differing },
      };
    }),
    processedWrites: processed ?? { certain: 0, likely: 0 },
  };
}

/** Is every line there that the run has kept? Without it a drop would be one that the server never saw. */
export async function serverLogDoubts(run: ServiceRun, ask: Ask): Promise<string[]> {
  if (run.accessLogs === undefined) return [];
  const kept = await ask<{ log: number; withId: number; withoutId: number }>('server-log-kept');
  return run.accessLogs.flatMap(({ path, ours, joined, problem }, index) => {
    // Of one that could not be read to its end, what was counted may not have been written.
    if (problem !== undefined || (joined !== 'id' && joined !== 'time')) return [];
    const { withId = 0, withoutId = 0 } = kept.find(({ log }) => log === index + 1) ?? {};
    const lines = joined === 'id' ? withId : withoutId;
    return lines === ours
      ? []
      : [
          `${runFiles.serverLog} has ${lines} lines of --access-log ${path}, and ${runFiles.run} says ${ours}: it is not whole, or was changed.`,
        ];
  });
}

/** What a reader must know of the logs, each a sentence. */
export function serverLogNotes(run: ServiceRun, serverLog: Verdict['serverLog']): string[] {
  return (serverLog?.logs ?? []).flatMap((log, index) => {
    const { path, twice, missing, differing, joined } = log;
    const { replaced = 0, emptied = [], problem } = run.accessLogs?.[index] ?? {};
    const told = present([
      joined !== 'id' && withoutIds(log),
      twice > 0 &&
        `It has ${counted(twice, 'request')} several times: somebody between client and server tried again, or it is written twice.`,
      missing > 0 && missingText(joined, missing),
      differing > 0 && `It has another status than the client got of ${counted(differing, 'ok answer')}.`,
      replaced > 0 && `It was replaced ${counted(replaced, 'time')} (log rotation), and read on in the new file.`,
      emptied.length > 0 &&
        `It was emptied ${counted(emptied.length, 'time')} (copytruncate): a few lines of those moments may be lost.`,
      problem !== undefined && `It could not be read to its end: ${problem}.`,
    ]);
    return told.length === 0 ? [] : [`--access-log ${path}: ${told.join(' ')}`];
  });
}

const logIds = 'Log the header X-Request-Id (docs/measure.md shows how).';

function withoutIds({ lines, notUnderstood, ours, joined }: ServerLog['logs'][number]): string {
  if (lines === 0)
    return 'Nothing was written to it while the load went on: is it the log of what answered? Nothing is judged by it.';
  if (notUnderstood === lines) {
    return `None of its ${lines} lines is of a known form, so nothing is judged by it: docs/measure.md lists those that are.`;
  }
  if (joined === 'nothing') return `None of its ${lines} lines is of this load: nothing is judged by it.`;
  if (joined === 'time') {
    return `It has no request ids: its lines were matched by time, and what they say is likely, not certain. ${logIds}`;
  }
  return `It has no request ids, and stamps that many requests share: which of its ${ours} lines is whose cannot be told. ${logIds}`;
}

function missingText(joined: ServerLog['logs'][number]['joined'], missing: number): string {
  const requests = `${counted(missing, 'request')} that ${missing === 1 ? 'was' : 'were'} answered ok`;
  return joined === 'time'
    ? `It has no line that could be of ${requests}: its clock or its time zone may be another.`
    : `It does not have ${requests}: it is not the log of all that answers, or was not written to its end.`;
}
