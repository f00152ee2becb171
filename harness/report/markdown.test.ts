import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { voidMeaning } from '../experiment/load-schedule.ts';
import { serviceRecord, siteVerdict, verdictOfTest } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { scopeText } from './first-page.ts';
import { reportMarkdown } from './markdown.ts';
import { cause, cellsIn, reportedRun } from './testing.ts';

const { run, verdict } = reportedRun();
const textOf = (over: Partial<Verdict> = {}): string => reportMarkdown(run, { ...verdict, ...over }, [1]);
const text = textOf();
/** What stands above the first chart. */
const firstPage = text.slice(0, text.indexOf('!['));

describe('the first page of report.md', () => {
  it.each([
    ['the verdict', '# E5 Socket activation: fail\n'],
    ['the bound', '1 of 1 restarts dropped something (2.5 % to 100.0 %, exact 95 %)'],
    ['the line to cite', verdict.citation],
    ['what was missed', 'Expected of dropped requests: at most 0; measured: 1.'],
    ['what was dropped', '- **Dropped**: 1 of 300 requests; timeline and options alone predict 0.'],
    ['what no witness explains', '- **Unexplained**: 0 of 1 drops'],
    ['why', `- **Why**: 1 × ${cause}.`],
    ['when', '1 from 1.100 s to 1.102 s, opened by `accept-stopped` at 1.050 s, closed by `accepting`'],
    ['the witnesses', "The proxy's own log has 1 failed try, its access log 1 failed answer."],
    ['the queue', '- **Listen queue**: at most 17 connections waited; expected at most '],
    // 0.6 s of 3 s.
    ['the machine', 'some process waited for a CPU during 20 % of the run'],
    ['the lab', 'traefik 3.7.15, systemd 252, node v24, kernel 6'],
    ['what it holds for', 'requests up to 300 ms (given up 30.0 s after their due time), one host.'],
  ])('says %s', (_, said) => {
    expect(firstPage).toContain(said);
  });

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
  it.each<[string, Partial<Verdict>, string]>([
    ['a drop that nothing explains', { unexplained: 1 }, '- **Unexplained**: **1** of 1 drops'],
    ['a run without controls', { controls: null }, 'made without controls: not for citing'],
    ['a control that did not hold', { controls: [control] }, 'C0 (E0, r0) dropped 2 of 300: **not as it must**'],
    [
      'doubt, before any count',
      { verdict: 'inconclusive', headline: 'the load was not on time', reasons: ['Requests left late.'] },
      'This run cannot be trusted: the load was not on time. It counted:',
    ],
    ['a run that was cut short', { verdict: 'aborted' }, 'nothing can be claimed'],
  ])('says %s', (_, over, said) => {
    expect(textOf(over)).toContain(said);
  });
});

describe('report.md', () => {
  it.each([
    ['every count', /\| all +\| 300 +\| 300 +\| 299 +\| 1 +\| 1 +\|/u],
    ['what each outcome means', /\*\*status-502\*\*: the proxy got no answer from the site/u],
    ['the kernel’s counters', /TcpExt\.ListenOverflows 2/u],
    ['the line that shows a cause', /row 110, witnesses\/traefik\.log\.gz:71/u],
    ['which query counts a table', /Counted by `outcomes`\.[\s\S]*`restart-drops` \(dropped, of which\)/u],
    ['which query counts a figure', /\| stale answers +\| 0 +\| `stale` +\|/u],
    ['how to repeat it', /npm run experiment E1 -- --seed 1/u],
    ['what was asked, as --set has it', /\| app +\| warmupMs 300; drain polite; /u],
  ])('says %s', (_, said) => {
    expect(text).toMatch(said);
    expect(text).not.toContain('Machine.CpuPressureUs');
  });

  it.each([
    ['nothing', 'not known: an access log was given, and no line of it could be joined'],
    ['too-coarse', 'not known: an access log was given, and no line of it could be joined'],
    ['time', 'not known: lines of an access log were joined to requests by time'],
  ] as const)('says that a log was there whose lines were joined by %s', (joined, said) => {
    const found = { path: 'access.log', formats: [], lines: 9, ours: 0, notUnderstood: 0, joined };
    const log = { ...found, drops: {}, examples: {}, twice: 0, missing: 0, differing: 0 };
    const serverLog = { logs: [log], processedWrites: { certain: 0, likely: 0 } };
    expect(textOf({ unexplained: null, serverLog })).toContain(`- **Unexplained**: ${said}`);
    expect(textOf({ unexplained: null })).toContain('no witness but the client was part of it');
  });

  it('tells how a service is restarted more often, unless its command failed', () => {
    const of = (troubles: string[]): string => reportMarkdown({ ...serviceRecord(), troubles }, verdict, [1]);
    expect(of([])).toContain('One restart bounds little');
    expect(of(['The command failed.'])).not.toContain('One restart bounds little');
  });

  it('says what is at risk in a service of one’s own: who answers is seen by nobody there', () => {
    const atRisk = 'dropped of those at risk: due';
    expect(textOf({ experiment: 'measure' })).toContain(
      `${atRisk} from the begin of the command until it has ended and`,
    );
    expect(text).toContain(`${atRisk} from the deploy until the new process answers`);
  });

  it('calls a claim that too few restarts bear neither met nor missed', () => {
    const claim = { what: 'clean', expected: 'at least 90 %', measured: '9 of 10: too few to tell', because: 'asked' };
    const told = textOf({ expectations: [{ ...claim, met: true, known: false }] });
    expect(told).toMatch(/too few to tell +\| not known +\|/u);
  });

  const [restart] = verdict.perRestart;
  const restarts = (...counted: { voided: boolean; dropped: number }[]): string =>
    textOf({
      perRestart: counted.flatMap(({ voided, dropped }, index) =>
        restart === undefined ? [] : { ...restart, restart: index + 1, voided, droppedInRestart: dropped },
      ),
    });

  it('marks a restart as void that left late and dropped nothing, and explains the spare one', () => {
    const told = restarts({ voided: true, dropped: 0 }, { voided: false, dropped: 0 });
    expect(told).toMatch(/\| 1 \(void\) +\|/u);
    expect(told).toContain('2 restarts were made: the 1 that were asked for, and 1 spare one');
    expect(restarts({ voided: true, dropped: 3 })).not.toMatch(/\(void\)|spare/u);
  });

  it('explains a wait that is shorter than the outage only where nothing was dropped: the refused do not wait', () => {
    const wait = { longestWaitMs: 300, longestOutageMs: 700 };
    expect(textOf({ ...wait, dropped: 0 })).toContain('is shorter than the longest outage window (700 ms)');
    expect(textOf({ ...wait, dropped: 1 })).not.toContain('is shorter than');
  });

  it('has the glossary’s definition of a void restart', async () => {
    const glossary = await readFile(new URL('../../docs/glossary.md', import.meta.url), 'utf8');
    expect(glossary.replaceAll(/\s+/gu, ' ')).toContain(`**void restart** ${voidMeaning}`);
    expect(text).toContain(voidMeaning);
  });
});

describe('the report of several sites', () => {
  const [restart] = verdict.perRestart;
  const perSite = [
    siteVerdict('demo', { due: 150, dropped: 1, badRestarts: 1, restarts: 1, longestWaitMs: 2, gapMs: 31 }),
    siteVerdict('demo2', { due: 150, restarts: 0, longestWaitMs: null, longestOutageMs: 1 }),
  ];
  const perRestart = [1, 2].flatMap((number) =>
    restart === undefined
      ? []
      : { ...restart, restart: number, site: `site${number}`, deploy: 1, siteBeginUs: number * 1e6 },
  );
  const of = (over: Partial<Verdict> = {}): string => textOf({ perSite, perRestart, longestWaitMs: 2, ...over });

  it('has a line for each, and one for the whole', () => {
    const table = /## Site by site[\s\S]*?Counted by/u.exec(of())?.[0] ?? '';
    expect(cellsIn(table).map((cells) => cells.slice(0, 7))).toEqual([
      expect.arrayContaining(['site', 'due', 'dropped']),
      ['demo', '150', '1', '0', '1', '1 (2.5 % to 100.0 %)', '31 ms'],
      ['demo2', '150', '0', '0', '0', '0', '15 ms'],
      ['**all**', '300', '1', '0', '1', '1 (2.5 % to 100.0 %)', '10 ms'],
    ]);
    expect(of()).not.toContain(', but ');
  });

  it('shows where the sites do not add up to the whole', () => {
    expect(of({ dropped: 2 })).toContain('**2, but 1 of the sites**');
  });

  it('names site, deploy and begin of each restart, and in the caption of its chart', () => {
    expect(of()).toMatch(/\| 2 +\| site2 +\| 1 +\| 2\.000 +\|/u);
    expect(of()).toContain('![Outcomes around restart 1 (site1, deploy 1)]');
    // One deploy of two sites is what was asked for: no restart is a spare one.
    expect(of()).not.toContain('spare');
  });

  it('says on its first page how many sites were hurt, and whose event opened a window', () => {
    const [one] = verdict.dropWindows;
    const openedBy = { kind: 'accept-stopped', site: 'demo', atUs: 1_050_000, line: 5 };
    const told = of({ dropWindows: one === undefined ? [] : [{ ...one, openedBy }] });
    expect(told).toContain(
      '- **Sites**: requests of 1 of 2 sites were dropped, most of demo: 1 of 150; the longest silence of a single site was 31 ms (demo).',
    );
    expect(told).toContain('opened by `accept-stopped` of demo at 1.050 s');
    expect(told).toContain('to the first site alone (demo)');
  });
});

it('the scope has the longest request of the run, not a constant', () => {
  const mix = [{ method: 'GET' as const, path: '/slow?ms=2500', weight: 1 }];
  const slower = { ...run, experiment: { ...run.experiment, load: { ...run.experiment.load, mix } } };
  expect(scopeText(slower, verdict)).toContain('requests up to 2.5 s');
  const seen = scopeText(serviceRecord({ timeoutMs: 5_000 }), verdictOfTest({ longestWaitMs: 640 }));
  expect(seen).toContain('requests up to 640 ms (given up 5.0 s after');
});
