/** `calibrate`: is the instrument right in every case whose answer is known? And what do its peers say there? */
import { join, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { bankCases } from '../../calibration/bank.ts';
import { calibrationCases, caseName, type CalibrationCase } from '../../calibration/cases.ts';
import { peerCases, runPeerCase, type PeerResult } from '../../calibration/peer-cases.ts';
import { isInstalled, peerNames, versionOf } from '../../calibration/peers.ts';
import { factsOf } from '../../calibration/faults.ts';
import { curlVersion, runAnswers, runBankCase, type BankResult } from '../../calibration/run-bank.ts';
import { runCase, type CaseResult, type CaseSetting } from '../../calibration/run-case.ts';
import { exitCodes } from '../../base/errors.ts';
import { tableOf } from '../../report/format.ts';
import { newRunId } from '../../run/run-folder.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
import { jsonFile, writeSeriesFolder } from '../runs/series-folder.ts';
import { requireWritable } from '../runs/writable-folder.ts';
import { jsonText } from '../../base/foreign-text.ts';

/** Options as they are typed. */
export interface CalibrationOptions {
  readonly peers?: true;
  readonly short?: true;
  readonly json?: true;
  readonly out?: string;
}

/** Runs every case, one after another, and prints and writes the table; 0 only when all of them are right. */
export async function runCalibration(context: Context, options: CalibrationOptions): Promise<number> {
  const isShort = options.short === true;
  const reports = join(resolve(options.out ?? join(context.projectFolder, 'reports')), 'calibration');
  await requireWritable(reports);
  const seriesId = newRunId(new Date());
  const series = new Series(context, join(reports, seriesId), seriesId);
  const results = await runCases(series, calibrationCases(isShort ? 'short' : 'full'));
  const bank = await runBank(series, isShort);
  const peers = options.peers === true ? await runPeers(context) : null;
  const text = [calibrationTable(results), bankTable(bank), ...(peers === null ? [] : [peers.text])].join('\n\n');
  const folder = await writeSeriesFolder(
    reports,
    {
      'calibration.md': `# Calibration ${seriesId}\n\n${text}\n`,
      'calibration.json': jsonFile(results),
      'peers.json': peers === null ? null : jsonFile(peers.results),
    },
    seriesId,
  );
  const all = [...results, ...bank.results];
  const right = all.filter(({ wrong }) => wrong.length === 0).length;
  const isRight = right === all.length;
  const closing = `${isRight ? 'pass' : 'fail'}: ${right} of ${all.length} cases exactly right`;
  if (options.json === true) context.stdout(jsonText(results));
  else context.stdout(`${text}\n\n${closing}\ntable: ${pathText(join(folder, 'calibration.md'))}\n`);
  return isRight ? exitCodes.pass : exitCodes.expectationMissed;
}

/** Tells each case, and gives it a folder and an id of its own. */
class Series {
  private readonly context: Context;
  private readonly folder: string;
  private readonly id: string;
  private runs = 0;

  constructor(context: Context, folder: string, id: string) {
    this.context = context;
    this.folder = folder;
    this.id = id;
  }

  say(text: string): void {
    this.context.signal.throwIfAborted();
    this.context.stderr(`${text}\n`);
  }

  setting(name: string): CaseSetting {
    const folder = join(this.folder, name.replaceAll(/\W+/gu, '-'));
    return { folder, runId: `${this.id}-${++this.runs}`, signal: this.context.signal };
  }
}

async function runCases(series: Series, cases: readonly CalibrationCase[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [index, calibration] of cases.entries()) {
    const name = caseName(calibration);
    series.say(`${String(index + 1).padStart(3)} of ${cases.length}  ${name}`);
    const result = await runCase(calibration, series.setting(name));
    for (const sentence of result.wrong) series.say(`     wrong: ${sentence}`);
    results.push(result);
  }
  return results;
}

interface Bank {
  readonly results: readonly BankResult[];
  /** The version of the curl that was asked too; null where curl is not installed. */
  readonly curl: string | null;
}

/** Every server of the bank and every answer, curl beside them. */
async function runBank(series: Series, isShort: boolean): Promise<Bank> {
  const curl = await curlVersion();
  if (curl === null) series.say('left out, not installed: curl');
  const results: BankResult[] = [];
  const add = (...some: readonly BankResult[]): void => {
    for (const { name, wrong } of some) for (const sentence of wrong) series.say(`     wrong: ${name}: ${sentence}`);
    results.push(...some);
  };
  for (const bank of bankCases.filter(({ isLong }) => !isShort || isLong !== true)) {
    series.say(`bank: a server that ${bank.name}`);
    add(await runBankCase(bank, curl !== null, series.setting(bank.name)));
  }
  series.say('bank: every answer');
  add(...(await runAnswers(curl !== null, series.setting('answers'))));
  return { results, curl };
}

function rightCell({ wrong }: { readonly wrong: readonly string[] }): string {
  return wrong.length === 0 ? 'yes' : `**no**: ${wrong.join('; ')}`;
}

function bankTable({ results, curl }: Bank): string {
  const takes = { true: 'takes it', false: 'does not', null: '' } as const;
  return tableOf(results, [
    ['server or answer', ({ name }) => name],
    ['counted', ({ counted }) => counted],
    [`curl ${curl ?? '(not installed)'}`, ({ curlTakes }) => takes[`${curlTakes}`]],
    ['right', rightCell],
  ]);
}

/** Drives every installed peer through its cases: a table with a column for each, and what they said. */
async function runPeers(context: Context): Promise<{ text: string; results: PeerResult[] }> {
  const present = peerNames.filter(isInstalled);
  const missing = peerNames.filter((peer) => !isInstalled(peer));
  if (missing.length > 0) {
    context.stderr(`left out, not installed: ${missing.join(', ')} (node harness/calibration/install-peers.mjs)\n`);
  }
  const results: PeerResult[] = [];
  const rows: string[][] = [];
  for (const calibration of peerCases()) {
    const row = [caseName(calibration)];
    for (const peer of present) {
      context.signal.throwIfAborted();
      context.stderr(`     ${peer}  ${caseName(calibration)}\n`);
      const result = await runPeerCase(peer, calibration);
      results.push(result);
      row.push(peerCell(result));
    }
    rows.push(row);
  }
  const versions = await Promise.all(present.map(async (peer) => `${peer} ${await versionOf(peer)}`));
  const legend =
    'Each cell: failures reported, of failures that there were (by the server’s count), and how many more (or fewer) ' +
    'requests arrived than the tool counts. Bold where the tool is wrong.';
  return { text: `${legend}\n\n${markdownTable([['case', ...versions], ...rows])}`, results };
}

function peerCell({ failed, truth, requests, arrived, calibration, isRight }: PeerResult): string {
  const bound = Math.ceil((calibration.ratePerSecond * calibration.awayMs) / 1000);
  const isCut = calibration.awayMs > 0 || calibration.fault === 'accept-rst';
  const more = arrived - (requests - (isCut ? failed : 0));
  const text = `${failed} of ${truth ?? `at most ${bound}`}${more === 0 ? '' : `, ${more > 0 ? '+' : ''}${more}`}`;
  return isRight ? text : `**${text}**`;
}

function calibrationTable(results: readonly CaseResult[]): string {
  const failures = ({ verdict }: CaseResult): string =>
    Object.entries(verdict.outcomes)
      .filter(([outcome]) => outcome !== 'ok')
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(', ');
  return tableOf(results, [
    [
      'the server',
      ({ awayMs, calibration }) =>
        awayMs === null ? factsOf(calibration.fault).what : `is away for ${awayMs.toFixed(1)} ms`,
    ],
    ['method', ({ calibration }) => calibration.method],
    ['connections', ({ calibration }) => calibration.connections],
    ['due', ({ verdict }) => String(verdict.due)],
    ['arrived', ({ server }) => String(server.arrivals)],
    ['ids twice', ({ server }) => String(server.repeatedIds)],
    ['failures in truth', ({ truth }) => String(truth)],
    ['dropped', ({ verdict }) => String(verdict.dropped)],
    ['outcomes but ok', failures],
    ['gap, ms', ({ awayMs, verdict }) => (awayMs === null ? '' : (verdict.gapMs?.toFixed(1) ?? ''))],
    ['right', rightCell],
  ]);
}
