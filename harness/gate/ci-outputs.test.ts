import { describe, expect, it } from 'vitest';
import { annotationLines, junitText } from './ci-outputs.ts';
import { serviceRecord } from '../verdict/testing.ts';
import { decide } from './decide.ts';
import type { GateResult } from './gate-result.ts';
import { gateLines, summaryText } from './summary.ts';
import { budget, decision, entry, runOf, verdictThatDropped } from './testing.ts';

const clean = verdictThatDropped([0, 0]);
const nasty = verdictThatDropped([3, 0], { reasons: ['100 %, a <b> & "c": | `d`\nnext\u0000 line'] });

const budgets = [budget('dropped', { max: 0 }), budget('longestWaitMs', { max: 1, blocking: false, line: 9 })];
const failed = decide(decision([runOf(nasty)], { entries: [entry({ budgets })] }));
const passed = decide(decision([runOf(clean)]));
const missing = decide(decision([]));

describe('JUnit', () => {
  it('counts what it holds, suite by suite and in all', () => {
    const text = junitText(failed);
    expect(/<testsuites [^>]*>/u.exec(text)?.[0]).toBe(
      '<testsuites name="restart-proof gate" tests="4" failures="2" errors="0" skipped="1">',
    );
    expect(text.match(/<testcase /gu)).toHaveLength(4);
    expect(text.match(/<failure /gu)).toHaveLength(2);
    expect(text).toContain('message="measured 3; allowed at most 0"');
  });

  it('has what cannot be told as an error, and a pass without one', () => {
    expect(junitText(missing)).toContain('<error message="measured none; allowed a run that can be trusted">');
    expect(junitText(passed)).not.toMatch(/<(failure|error|skipped) /u);
  });

  it('says, as the terminal does, of a run that passed why the gate fails all the same', () => {
    const passes = { ...nasty, verdict: 'pass' as const };
    const bad = entry({ budgets: [budget('badRestarts', { max: 0 })] });
    const of = decide(decision([{ kind: 'run', verdict: passes, run: serviceRecord() }], { entries: [bad] }));
    const why = /the line of the run says pass by its own limits/u;
    expect(of.verdict).toBe('fail');
    expect(junitText(of)).toMatch(why);
    expect(gateLines(of)).toMatch(why);
    expect(gateLines(failed)).not.toMatch(why);
  });

  it('holds no character that XML has not, and none that would end a value', () => {
    const body = /<failure[^>]*>(.*?)<\/failure>/u.exec(junitText(failed))?.[1];
    expect(body).toContain('100 %, a &lt;b&gt; &amp; &quot;c&quot;: | `d`&#10;next\\x00 line');
  });
});

describe('annotations', () => {
  it('stand at the line of the budget, escaped as the runner reads them', () => {
    const lines = annotationLines(failed, 'some, where:/gate.yaml');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe(
      '::error file=some%2C where%3A/gate.yaml,line=3,title=E5%3A dropped requests::E5 dropped requests: measured 3; ' +
        'allowed at most 0%0Aa reason for the test%0A100 %25, a <b> & "c": | `d`%0Anext\\x00 line',
    );
    expect(lines.map((line) => line.split('::')[1]?.split(' ')[0])).toEqual(['error', 'error', 'notice']);
    expect(lines[2]).toContain('line=9');
  });

  it('are none for a pass, and an error for what could not be told', () => {
    expect(annotationLines(passed, 'gate.yaml')).toEqual([]);
    expect(annotationLines(missing, 'gate.yaml')).toEqual([
      '::error file=gate.yaml,line=1,title=E5%3A run::E5 run: measured none; allowed a run that can be trusted%0A' +
        'a reason for the entry',
    ]);
  });

  it('name no file where there is none', () => {
    expect(annotationLines(missing, null)[0]).toMatch(/^::error title=E5%3A run::/u);
  });
});

describe('the summary', () => {
  it('has a row for each entry, and for a failed one what was missed, at which line, and why', () => {
    const text = summaryText(failed);
    expect(text).toContain('## Gate: fail');
    expect(text).toContain(`| E5 `);
    expect(text).toContain(
      '- E5 dropped requests: measured 3; allowed at most 0 (experiments/gate.yaml:3; a reason for the test)',
    );
    expect(text).toContain('- for information: E5 longest wait: measured 10 ms; allowed at most 1 ms');
    // In a block of its own a cause keeps its signs and lines, and control characters are shown.
    expect(text).toContain('```\n100 %, a <b> & "c": | `d`\nnext\\x00 line\n```');
    // A row of a table is a line, whatever the texts in it.
    expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(3);
  });

  it('of a pass says so, and cites the runs', () => {
    const text = summaryText(decide(decision([runOf({ ...clean, citation: 'E5@run: the line' })])));
    expect(text).toContain('## Gate: pass');
    expect(text).toContain('E5@run: the line');
    expect(text).toContain('There is no baseline: budgets alone decide.');
  });
});

describe('the terminal', () => {
  it('ends in the verdict of the gate, below what failed and its causes', () => {
    const lines = gateLines(failed).trimEnd().split('\n');
    expect(lines.at(-1)).toBe('gate: fail');
    expect(lines).toContain('  E5 dropped requests: measured 3; allowed at most 0 (experiments/gate.yaml:3)');
    expect(lines.some((line) => line.startsWith('    100 %, a <b>'))).toBe(true);
  });
});

it('no output holds a clock or a place', () => {
  for (const result of [failed, passed, missing] satisfies GateResult[]) {
    for (const text of [JSON.stringify(result), junitText(result), summaryText(result)]) {
      expect(text).not.toMatch(/timestamp|\d\d:\d\d:\d\d|\/(work|home|tmp|root)\//u);
    }
  }
});

it('JUnit, summary and terminal tell every try', () => {
  const runId = '20261101T000000Z-0000';
  const late = { ...clean, runId, verdict: 'inconclusive' as const, dropped: 4, due: 800, reasons: ['Late.'] };
  const result = decide(decision([runOf(late), runOf(clean)]));
  for (const text of [junitText(result), summaryText(result), gateLines(result)]) {
    expect(text).toContain('try 1: inconclusive, 4 of 800 dropped');
    expect(text).toContain('try 2: pass, 0 of');
  }
});
