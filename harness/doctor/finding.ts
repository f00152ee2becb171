/** What the doctor finds, and whether a run can be made at all. */
import { counted } from '../base/counted.ts';

/** What one check found. */
export interface Finding {
  /** What was checked, in a word. */
  readonly check: string;
  /** `warning`: a run can be made, and this may bound its result. `problem`: no run can be made. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly says: string;
  /** What to do, unless it is ok. */
  readonly fix?: string | undefined;
}

/** A check that found nothing wrong. */
export function ok(check: string, says: string): Finding {
  return { check, status: 'ok', says };
}

/** Something that may bound a run's result. */
export function warning(check: string, says: string, fix: string): Finding {
  return { check, status: 'warning', says, fix };
}

/** Something without which no run can be made. */
export function problem(check: string, says: string, fix: string): Finding {
  return { check, status: 'problem', says, fix };
}

/** Room in memory or on a disk, against what is needed and what is comfortable. */
export function judgeRoom(
  check: string,
  says: string,
  room: Record<'freeMiB' | 'least' | 'ease', number>,
  fix: string,
) {
  if (room.freeMiB < room.least) return problem(check, `${says}, and ${room.least} are needed`, fix);
  return room.freeMiB < room.ease ? warning(check, `${says}; ${room.ease} are easy`, fix) : ok(check, says);
}

/** Can a run be made? */
export function canRun(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'problem');
}

/** The findings as lines, and a sentence at the end; `paint` colours a status. */
export function findingsText(
  findings: readonly Finding[],
  paint: (status: Finding['status'], text: string) => string = (_, text) => text,
): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, status, says, fix }) => [
    `${paint(status, status.padEnd(7))}  ${check.padEnd(width)}  ${says}`,
    ...(fix === undefined ? [] : [`${' '.repeat(7 + 2 + width + 2)}→ ${fix}`]),
  ]);
  const count = (status: Finding['status']): number => findings.filter((each) => each.status === status).length;
  const warnings = count('warning') === 0 ? '' : `; ${counted(count('warning'), 'warning')}`;
  const closing = canRun(findings)
    ? `The lab can run here${warnings}.`
    : `The lab cannot run here: ${counted(count('problem'), 'problem')}.`;
  return `${[...lines, closing].join('\n')}\n`;
}
