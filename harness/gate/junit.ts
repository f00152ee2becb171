/** A gate as JUnit: a suite for each entry, a case for each check. */
import { markupText } from '../base/foreign-text.ts';
import { trySentence, type Check, type EntryResult, type GateResult, type Try } from './gate-result.ts';

/** The text of junit.xml. */
export function junitText({ entries, notes, verdict }: GateResult): string {
  const suites = entries.map(suiteOf);
  if (notes.length > 0 && verdict === 'inconclusive') {
    suites.push({
      name: 'the gate as a whole',
      cases: notes.map((note) => ({ name: note, kind: 'error', message: note, body: note })),
    });
  }
  const cases = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="restart-proof gate" ${countsOf(cases)}>`,
    ...suites.flatMap((suite) => [
      `  <testsuite name="${markupText(suite.name)}" ${countsOf(suite.cases)}>`,
      ...suite.cases.flatMap((one) => caseLines(suite.name, one)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  readonly name: string;
  readonly kind: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message: string;
  readonly body: string;
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

function suiteOf(entry: EntryResult): Suite {
  return {
    name: entry.name,
    cases: [...entry.tries.map(caseOfTry), ...entry.checks.map((check) => caseOf(entry, check))],
  };
}

/** Every try is told; the checks say what it comes to. */
function caseOfTry(one: Try): Case {
  const message = `${trySentence(one)}${one.why === null ? '' : `: ${one.why}`}`;
  const isConclusive = one.verdict === 'pass' || one.verdict === 'fail';
  return { name: trySentence(one), kind: isConclusive ? 'passed' : 'skipped', message, body: '' };
}

function caseOf({ blocking, causes, tries }: EntryResult, check: Check): Case {
  const { kind, what, measured, allowed, outcome, because } = check;
  const fails = check.blocking && blocking;
  const name = `${kind}: ${what}${tries.length > 1 && check.runId !== null ? ` (${check.runId})` : ''}`;
  const message = `measured ${measured}; allowed ${allowed}`;
  const body = [because, ...(outcome === 'met' ? [] : causes)].filter((line) => line !== '').join('\n');
  if (outcome === 'met') return { name, kind: 'passed', message, body };
  if (!fails) return { name, kind: 'skipped', message: `for information: ${message}`, body };
  if (outcome === 'missed') return { name, kind: 'failure', message, body };
  // Without a run that can be trusted nothing was told; a comparison that could not be made is no such thing.
  return { name, kind: kind === 'run' ? 'error' : 'skipped', message, body };
}

function caseLines(suite: string, { name, kind, message, body }: Case): string[] {
  const open = `    <testcase classname="${markupText(suite)}" name="${markupText(name)}"`;
  switch (kind) {
    case 'passed':
      return [`${open}/>`];
    case 'skipped':
      return [`${open}>`, `      <skipped message="${markupText(message)}"/>`, '    </testcase>'];
    case 'failure':
    case 'error':
      return [
        `${open}>`,
        `      <${kind} message="${markupText(message)}">${markupText(body)}</${kind}>`,
        '    </testcase>',
      ];
  }
}

function countsOf(cases: readonly Case[]): string {
  const count = (kind: Case['kind']): number => cases.filter((one) => one.kind === kind).length;
  return `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
}
