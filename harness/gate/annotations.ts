/** Findings as GitHub shows them beside a changed line: workflow commands, `::error file=…,line=…`. */
import { commandData, commandProperty } from '../base/foreign-text.ts';
import { checkSentence, findings, type GateResult } from './gate-result.ts';

/**
 * One line for each finding: an error for what fails the gate or keeps it from passing, a notice for what only informs.
 * @param file the budgets file, as the repository has it; null where there is none
 */
export function annotationLines({ entries }: GateResult, file: string | null): string[] {
  return entries.flatMap((entry) =>
    findings(entry).map((check) => {
      // What keeps a gate from passing is an error, were it only that nothing could be told.
      const level = check.blocking && entry.blocking ? 'error' : 'notice';
      const text = [checkSentence(entry.name, check), check.because, ...entry.causes.slice(0, 6)].filter(
        (line) => line !== '',
      );
      const title = `${entry.name}: ${check.what}`;
      const place = file === null ? '' : `file=${commandProperty(file)},line=${check.line},`;
      return `::${level} ${place}title=${commandProperty(title)}::${commandData(text.join('\n'))}`;
    }),
  );
}
