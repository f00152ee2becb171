import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../experiment/service.ts';
import { runRecordSchema, type ExperimentRun } from '../run/run-record.ts';
import { verdictOfTest } from '../verdict/testing.ts';
import { reportMarkdown } from './markdown.ts';
import { scopeText } from './first-page.ts';
import { cause, charts, reportedRun } from './testing.ts';

const { run, verdict } = reportedRun();
const text = reportMarkdown(run, verdict, charts);
/** What stands above the first chart. */
const firstPage = text.slice(0, text.indexOf('!['));

describe('report.md', () => {
  it('begins with the verdict, the bound and the line to cite', () => {
    expect(text).toMatch(/^# E5 Socket activation: fail\n/u);
    expect(firstPage).toContain('1 of 1 restarts dropped something (2.5 % to 100.0 %, exact 95 %)');
    expect(firstPage).toContain(verdict.citation);
  });

  it('says on its first page what was dropped, why, when, and what no witness explains', () => {
    expect(firstPage).toContain('- **Dropped**: 1 of 300 requests; timeline and options alone predict 0.');
    expect(firstPage).toContain('- **Unexplained**: 0 of 1 drops');
    expect(firstPage).toContain(`- **Why**: 1 × ${cause}.`);
    expect(firstPage).toContain(
      '1 from 1.100 s to 1.102 s, opened by `accept-stopped` at 1.050 s, closed by `accepting`',
    );
    expect(reportMarkdown(run, { ...verdict, unexplained: 1 }, charts)).toContain(
      '- **Unexplained**: **1** of 1 drops',
    );
  });

  it('says there how far it can be trusted: controls, witnesses, the machine, and what it holds for', () => {
    expect(firstPage).toContain("The proxy's own log has 1 failed tries, its access log 1 failed answers.");
    expect(firstPage).toContain('- **Listen queue**: at most 17 connections waited; expected at most ');
    // 0.6 s of 3 s.
    expect(firstPage).toContain('some process waited for a CPU during 20 % of the run');
    expect(firstPage).toContain('traefik 3.7.15, systemd 252, node v24, kernel 6');
    expect(firstPage).toContain('requests up to 300 ms (given up 30.0 s after their due time), one host.');
  });

  it('says that a run without controls is not for citing, and that one that did not hold is no control', () => {
    expect(reportMarkdown(run, { ...verdict, controls: null }, charts)).toContain(
      'made without controls: not for citing',
    );
    const control = {
      role: 'C0' as const,
      name: 'E0',
      because: 'nothing else may drop',
      runId: 'r0',
      verdict: 'fail' as const,
      dropped: 2,
      due: 300,
      badRestarts: 0,
      restarts: 0,
      ledger: 'a'.repeat(64),
      holds: false,
    };
    const beside = reportMarkdown(run, { ...verdict, controls: [control] }, charts);
    expect(beside).toContain('C0 (E0, r0) dropped 2 of 300: **not as it must**');
  });

  it('says what was missed, what was measured, and what each word means', () => {
    expect(text).toContain('Expected of dropped requests: at most 0; measured: 1.');
    expect(text).toMatch(/\| all +\| 300 +\| 300 +\| 299 +\| 1 +\| 1 +\|/u);
    expect(text).toContain('**status-502**: the proxy got no answer from the site');
    expect(text).toContain('TcpExt.ListenOverflows 2');
    expect(text).not.toContain('Machine.CpuPressureUs');
    expect(text).toContain('row 110, witnesses/traefik.log.gz:71');
    expect(text).toContain('npm run experiment E1 -- --seed 1');
  });

  it('puts doubt before the count when the run cannot be trusted', () => {
    const headline = 'the load was not on time';
    const doubtful = { ...verdict, verdict: 'inconclusive' as const, headline, reasons: ['Requests left late.'] };
    const doubted = reportMarkdown(run, doubtful, charts);
    expect(doubted).toContain('This run cannot be trusted: the load was not on time. It counted:');
    expect(doubted).toContain('- Requests left late.');
    expect(reportMarkdown(run, { ...verdict, verdict: 'aborted' }, charts)).toContain('nothing can be claimed');
  });
});

describe('the scope', () => {
  it('has the longest request of the run, not a constant', () => {
    const slower = {
      ...run,
      experiment: {
        ...run.experiment,
        load: { ...run.experiment.load, mix: [{ method: 'GET' as const, path: '/slow?ms=2500', weight: 1 }] },
      },
    };
    expect(scopeText(slower, verdict)).toContain('requests up to 2.5 s');
    const service = serviceSchema.parse({
      url: 'http://127.0.0.1:80/',
      address: '127.0.0.1',
      port: 80,
      method: 'GET',
      path: '/',
      headers: [],
      bodyBytes: null,
      expectedStatus: null,
      ratePerSecond: 10,
      connections: 'new',
      timeoutMs: 5_000,
      maxConnections: 50,
      maxHeadBytes: 300 * 1024,
      maxAnswerBytes: 2 ** 30,
      whileCommand: null,
      maxDropped: 0,
    });
    const measured = runRecordSchema.parse({ ...common(run), kind: 'measure', service });
    const seen = scopeText(measured, verdictOfTest({ longestWaitMs: 640 }));
    expect(seen).toContain('requests up to 640 ms (given up 5.0 s after');
  });
});

/** What a run has that is no experiment too. */
function common(of: ExperimentRun): Record<string, unknown> {
  const own = ['kind', 'experiment', 'variant', 'variantAbout', 'changes', 'deployBeginsMs', 'witnessLines'];
  return Object.fromEntries(Object.entries(of).filter(([name]) => !own.includes(name)));
}
