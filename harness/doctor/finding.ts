/** What the doctor finds, and whether a run can be made at all. */

/** What one check came to. */
export interface Finding {
  /** What was looked at, in a word. */
  readonly check: string;
  /** `warning`: a run can be made, and its result may be bounded by this. `problem`: none can. */
  readonly status: 'ok' | 'warning' | 'problem';
  /** What was seen. */
  readonly says: string;
  /** What to do about it; for what is not ok. */
  readonly fix?: string | undefined;
}

/** All is well. */
export function ok(check: string, says: string): Finding {
  return { check, status: 'ok', says };
}

/** A run can be made, and its result may be bounded by this. */
export function warning(check: string, says: string, fix: string): Finding {
  return { check, status: 'warning', says, fix };
}

/** No run can be made. */
export function problem(check: string, says: string, fix: string): Finding {
  return { check, status: 'problem', says, fix };
}

/** Can a run be made? */
export function canRun(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'problem');
}

/** The findings as lines, worst words in front; `paint` colours a status. */
export function findingsText(
  findings: readonly Finding[],
  paint: (status: Finding['status'], text: string) => string = (_, text) => text,
): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, status, says, fix }) => [
    `${paint(status, status.padEnd(7))}  ${check.padEnd(width)}  ${says}`,
    ...(fix === undefined ? [] : [`${' '.repeat(7 + 2 + width + 2)}→ ${fix}`]),
  ]);
  const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
  const [warnings, problems] = [count('warning'), count('problem')];
  const closing = canRun(findings)
    ? `The lab can run here${warnings === 0 ? '' : `; ${counted(warnings, 'warning')}`}.`
    : `The lab cannot run here: ${counted(problems, 'problem')}.`;
  return `${[...lines, closing].join('\n')}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
