/** Why a run came out as it did, in sentences: from its reasons, its witnesses, and the timeline. */
import { byCount, atSeconds, siteText } from '../report/format.ts';
import { runFiles } from '../run/run-folder.ts';
import { kindsText } from '../verdict/citation.ts';
import type { Verdict } from '../verdict/record/verdict.ts';

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
  const moment = (event: Verdict['dropWindows'][number]['openedBy']): string =>
    event === null
      ? 'no event that was seen'
      : `${event.kind}${siteText(event)} at ${atSeconds(event.atUs)} (${at(runFiles.timeline, event.line)})`;
  const causes = byCount(reconciliation.causes).map(([cause, count]) => {
    const example = reconciliation.examples[cause];
    const where = example?.file === undefined ? '' : `; row ${example.seq}, ${at(example.file, example.line)}`;
    return `${count} dropped: ${cause}${where}`;
  });
  const windows = dropWindows.map(
    ({ fromUs, toUs, dropped, openedBy, closedBy }) =>
      `${dropped} dropped from ${atSeconds(fromUs)} to ${atSeconds(toUs)}: opened by ${moment(openedBy)}, ` +
      `closed by ${moment(closedBy)}`,
  );
  const kinds = verdict.unexplained === null ? kindsText(verdict) : null;
  return [...listed(causes), ...(kinds === null ? [] : [`dropped: ${kinds}`]), ...listed(windows)];
}

function listed(sentences: readonly string[]): string[] {
  const more = sentences.length - mostListed;
  return more <= 0 ? [...sentences] : [...sentences.slice(0, mostListed), `… and ${more} more like it`];
}
