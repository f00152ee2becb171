/** What the doctor says of a service, as text. */
import type { CheckResult } from './checks.ts';
import type { Examination } from './examine.ts';

/** Does it break the contract nowhere? */
export function keepsContract({ checks }: Examination): boolean {
  return checks.every(({ status }) => status !== 'failed');
}

/** The checks as lines, and a sentence at the end; `paint` colours a status. */
export function contractText(
  examination: Examination,
  paint: (status: CheckResult['status'], text: string) => string = (_, text) => text,
): string {
  const { service, checks } = examination;
  const width = Math.max(...checks.map(({ question }) => question.length));
  const statusWidth = 'not applicable'.length;
  const indent = ' '.repeat(statusWidth + 2 + width + 2);
  const lines = checks.flatMap(({ question, status, fault, seen, costs, change }) => {
    const head = `${paint(status, status.padEnd(statusWidth))}  ${question.padEnd(width)}  `;
    if (fault === undefined) return [`${head}${seen}`];
    return [
      `${head}${fault}`,
      `${indent}seen: ${seen}`,
      `${indent}costs: ${costs ?? ''}`,
      `${indent}→ ${change ?? ''}`,
    ];
  });
  const count = (status: CheckResult['status']): number => checks.filter((check) => check.status === status).length;
  const counted = `${count('passed')} passed, ${count('failed')} failed, ${count('not applicable')} not applicable`;
  const faults = checks.flatMap(({ fault }) => fault ?? []).join('; ');
  const closing = keepsContract(examination)
    ? `${service} keeps the contract: ${counted}.`
    : `${service} breaks the contract: ${faults}. ${counted}.`;
  return `${[...lines, closing].join('\n')}\n`;
}
