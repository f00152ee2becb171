/** Why a run came out as it did, in sentences: from its reasons, its witnesses, and the timeline. */
import { runFiles } from '../run/run-folder.ts';
import { kindsText } from '../verdict/citation.ts';
import type { Verdict } from '../verdict/verdict.ts';

/** More of a kind than this are counted, not listed. */
const mostListed = 4;

/** The causes that the verdict names: its reasons, then those of its drops. */
export function causesOf(verdict: Verdict): string[] {
  return [...listed(verdict.reasons), ...causesOfDrops(verdict)];
}

/** Why requests were dropped, with file and line of the witness, within the run's folder. */
export function causesOfDrops(verdict: Verdict): string[] {
  const { experiment, runId, reconciliation, dropWindows } = verdict;
  const at = (file: string, line: number | undefined): string =>
    `${experiment}/${runId}/${file}${line === undefined ? '' : `:${line}`}`;
  const causes = Object.entries(reconciliation.causes)
    .sort(([one, most], [other, more]) => more - most || (one < other ? -1 : 1))
    .map(([cause, count]) => {
      const example = reconciliation.examples[cause];
      const where = example?.file === undefined ? '' : `; row ${example.seq}, ${at(example.file, example.line)}`;
      return `${count} dropped: ${cause}${where}`;
    });
  const windows = dropWindows.map(({ fromUs, toUs, dropped, openedBy, closedBy }) => {
    const moment = (event: typeof openedBy): string =>
      event === null
        ? 'nothing that was seen'
        : `${event.kind} at ${seconds(event.atUs)} (${at(runFiles.timeline, event.line)})`;
    return (
      `${dropped} dropped from ${seconds(fromUs)} to ${seconds(toUs)}: opened by ${moment(openedBy)}, ` +
      `closed by ${moment(closedBy)}`
    );
  });
  const kinds = verdict.unexplained === null ? kindsText(verdict) : null;
  return [...listed(causes), ...(kinds === null ? [] : [`dropped: ${kinds}`]), ...listed(windows)];
}

function listed(sentences: readonly string[]): string[] {
  if (sentences.length <= mostListed) return [...sentences];
  return [...sentences.slice(0, mostListed), `… and ${sentences.length - mostListed} more like it`];
}

function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`;
}
