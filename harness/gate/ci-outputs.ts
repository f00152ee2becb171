/** A gate as CI systems read it: JUnit, and the annotations that GitHub shows beside a changed line. */
import { commandData, commandProperty, markupText } from '../base/foreign-text.ts';
import { checkSentence, findings, trySentence } from './gate-result.ts';
import type { Check, EntryResult, GateResult, Try } from './gate-result.ts';

interface Case {
  readonly name: string;
  readonly kind: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message: string;
  readonly body?: string;
}

/** The text of junit.xml: a suite for each entry, a case for each try and each check. */
export function junitText({ entries, notes, verdict }: GateResult): string {
  const suites = entries.map((entry) => ({
    name: entry.name,
    cases: [...entry.tries.map(caseOfTry), ...entry.checks.map((check) => caseOf(entry, check))],
  }));
  if (notes.length > 0 && verdict === 'inconclusive') {
    const cases = notes.map((note): Case => ({ name: note, kind: 'error', message: note, body: note }));
    suites.push({ name: 'the gate as a whole', cases });
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="restart-proof gate" ${countsOf(suites.flatMap(({ cases }) => cases))}>`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite name="${markupText(name)}" ${countsOf(cases)}>`,
      ...cases.map((one) => caseText(name, one)),
      '  </testsuite>',
    ]),
    '</testsuites>\n',
  ].join('\n');
}

/** Every try is told; the checks say what it comes to. */
function caseOfTry(one: Try): Case {
  const name = trySentence(one);
  const kind = one.verdict === 'pass' || one.verdict === 'fail' ? 'passed' : 'skipped';
  return { name, kind, message: one.why === null ? name : `${name}: ${one.why}` };
}

function caseOf({ blocking, causes, notes, tries }: EntryResult, check: Check): Case {
  const { kind, what, measured, allowed, outcome, because, runId } = check;
  const name = `${kind}: ${what}${tries.length > 1 && runId !== null ? ` (${runId})` : ''}`;
  const message = `measured ${measured}; allowed ${allowed}`;
  const body = [because, ...causes, ...notes].filter(Boolean).join('\n');
  if (outcome === 'met') return { name, kind: 'passed', message };
  if (!check.blocking || !blocking) return { name, kind: 'skipped', message: `for information: ${message}` };
  if (outcome === 'missed') return { name, kind: 'failure', message, body };
  // Without a run that can be trusted nothing was told; that a comparison could not be made is no error.
  return { name, kind: kind === 'run' ? 'error' : 'skipped', message, body };
}

function caseText(suite: string, { name, kind, message, body = '' }: Case): string {
  const open = `    <testcase classname="${markupText(suite)}" name="${markupText(name)}"`;
  if (kind === 'passed') return `${open}/>`;
  const outcome = `      <${kind} message="${markupText(message)}"`;
  const closed = kind === 'skipped' ? '/>' : `>${markupText(body)}</${kind}>`;
  return `${open}>\n${outcome}${closed}\n    </testcase>`;
}

function countsOf(cases: readonly Case[]): string {
  const count = (kind: Case['kind']): number => cases.filter((one) => one.kind === kind).length;
  return `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
}

/**
 * One line for each finding: an error for what fails the gate or keeps it from passing, a notice for what only informs.
 * @param file the budgets file, as the repository has it; null where there is none
 */
export function annotationLines({ entries }: GateResult, file: string | null): string[] {
  return entries.flatMap((entry) =>
    findings(entry).map((check) => {
      // What keeps a gate from passing is an error, were it only that nothing could be told.
      const level = check.blocking && entry.blocking ? 'error' : 'notice';
      const text = [checkSentence(entry.name, check), check.because, ...entry.causes.slice(0, 6)].filter(Boolean);
      const title = `${entry.name}: ${check.what}`;
      const place = file === null ? '' : `file=${commandProperty(file)},line=${check.line},`;
      return `::${level} ${place}title=${commandProperty(title)}::${commandData(text.join('\n'))}`;
    }),
  );
}
