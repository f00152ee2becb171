/** `calibrate`: is the instrument right in every case whose answer is known? And what do its peers say there? */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { bankCases } from '../../calibration/bank.ts';
import { calibrationCases, caseName } from '../../calibration/cases.ts';
import { peerCases, runPeerCase, type PeerResult } from '../../calibration/peer-cases.ts';
import { isInstalled, peerNames, versionOf } from '../../calibration/peers.ts';
import { factsOf } from '../../calibration/faults.ts';
import { curlVersion, runAnswers, runBankCase, type BankResult } from '../../calibration/run-bank.ts';
import { runCase, type CaseResult, type CaseSetting } from '../../calibration/run-case.ts';
import { exitCodes } from '../../base/errors.ts';
import { newRunId, pointLatest } from '../../run/run-folder.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
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
  const cases = calibrationCases(options.short === true ? 'short' : 'full');
  const reports = join(resolve(options.out ?? join(context.projectFolder, 'reports')), 'calibration');
  await requireWritable(reports);
  const seriesId = newRunId(new Date());
  const folder = join(reports, seriesId);
  const results: CaseResult[] = [];
  for (const [index, calibration] of cases.entries()) {
    context.signal.throwIfAborted();
    const name = caseName(calibration);
    context.stderr(`${String(index + 1).padStart(3)} of ${cases.length}  ${name}\n`);
    const result = await runCase(calibration, {
      folder: join(folder, name.replaceAll(/\W+/gu, '-')),
      runId: `${seriesId}-${index + 1}`,
      signal: context.signal,
    });
    for (const sentence of result.wrong) context.stderr(`     wrong: ${sentence}\n`);
    results.push(result);
  }
  const bank = await runBank(context, { folder, seriesId, isShort: options.short === true });
  const table = `${calibrationTable(results)}\n\n${bankText(bank)}`;
  const peers = options.peers === true ? await runPeers(context) : null;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'calibration.md'),
    `# Calibration ${seriesId}\n\n${table}\n${peers === null ? '' : `\n${peers.text}\n`}`,
  );
  if (peers !== null) await writeFile(join(folder, 'peers.json'), `${JSON.stringify(peers.results, null, 2)}\n`);
  await writeFile(join(folder, 'calibration.json'), `${JSON.stringify(results, null, 2)}\n`);
  await pointLatest(reports, seriesId);
  const wrong = [...results, ...bank.results].filter((result) => result.wrong.length > 0).length;
  const all = results.length + bank.results.length;
  if (options.json === true) context.stdout(jsonText(results));
  else {
    context.stdout(
      `${table}\n\n${peers === null ? '' : `${peers.text}\n\n`}${wrong === 0 ? 'pass' : 'fail'}: ${all - wrong} of ${all} cases exactly right\n` +
        `table: ${pathText(join(folder, 'calibration.md'))}\n`,
    );
  }
  return wrong === 0 ? exitCodes.pass : exitCodes.expectationMissed;
}

interface Bank {
  readonly results: readonly BankResult[];
  /** The version of curl that was asked beside; null where there is none. */
  readonly curl: string | null;
}

/** Every server of the bank and every answer, curl beside them. */
async function runBank(
  context: Context,
  { folder, seriesId, isShort }: { folder: string; seriesId: string; isShort: boolean },
): Promise<Bank> {
  const curl = await curlVersion();
  if (curl === null) context.stderr('left out, not installed: curl\n');
  let runs = 0;
  const setting = (name: string): CaseSetting => ({
    folder: join(folder, name.replaceAll(/\W+/gu, '-')),
    runId: `${seriesId}-bank${++runs}`,
    signal: context.signal,
  });
  const results: BankResult[] = [];
  const add = (some: readonly BankResult[]): void => {
    for (const { name, wrong } of some)
      for (const sentence of wrong) context.stderr(`     wrong: ${name}: ${sentence}\n`);
    results.push(...some);
  };
  for (const bank of bankCases.filter(({ isLong }) => !isShort || isLong !== true)) {
    context.signal.throwIfAborted();
    context.stderr(`bank: a server that ${bank.name}\n`);
    add([await runBankCase(bank, curl !== null, setting(bank.name))]);
  }
  context.signal.throwIfAborted();
  context.stderr('bank: every answer\n');
  add(await runAnswers(curl !== null, setting('answers')));
  return { results, curl };
}

function bankText({ results, curl }: Bank): string {
  const rows = results.map(({ name, counted, curlTakes, wrong }) => [
    name,
    counted,
    curlTakes === null ? '' : curlTakes ? 'takes it' : 'does not',
    wrong.length === 0 ? 'yes' : `**no**: ${wrong.join('; ')}`,
  ]);
  return markdownTable([['server or answer', 'counted', `curl ${curl ?? '(not installed)'}`, 'right'], ...rows]);
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

/** The table of results, in Markdown. */
function calibrationTable(results: readonly CaseResult[]): string {
  const rows = results.map(({ calibration, verdict, server, truth, awayMs, wrong }) => [
    awayMs === null ? factsOf(calibration.fault).what : `is away for ${awayMs.toFixed(1)} ms`,
    calibration.method,
    calibration.connections,
    String(verdict.due),
    String(server.arrivals),
    String(server.repeatedIds),
    String(truth),
    String(verdict.dropped),
    Object.entries(verdict.outcomes)
      .filter(([outcome]) => outcome !== 'ok')
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(', '),
    awayMs === null || verdict.gapMs === null ? '' : verdict.gapMs.toFixed(1),
    wrong.length === 0 ? 'yes' : `**no**: ${wrong.join('; ')}`,
  ]);
  const head = [
    'the server',
    'method',
    'connections',
    'due',
    'arrived',
    'ids twice',
    'failures in truth',
    'dropped',
    'outcomes but ok',
    'gap, ms',
    'right',
  ];
  return markdownTable([head, ...rows]);
}
