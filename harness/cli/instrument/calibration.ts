/** `calibrate`: is the instrument right in every case whose answer is known? And what do its peers say there? */
import { join } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { jsonText } from '../../base/foreign-text.ts';
import { bankCases } from '../../calibration/bank.ts';
import { calibrationCases, caseName, peerCases } from '../../calibration/cases.ts';
import { faults } from '../../calibration/faulty-server.ts';
import { installedPeers, runPeerCase, versionOf, type PeerResult } from '../../calibration/peers.ts';
import { curlVersion, runAnswers, runBankCase, type BankResult } from '../../calibration/run-bank.ts';
import { runCase, type CaseResult, type CaseSetting } from '../../calibration/run-case.ts';
import { tableOf, type Column } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { tablesFolder, type TablesOptions } from './tables.ts';

/** Options as they are typed. */
type CalibrationOptions = TablesOptions & { readonly peers?: true; readonly short?: true; readonly json?: true };

/** Runs every case, one after another, and prints and writes the tables; 0 only when all of them are right. */
export async function runCalibration(context: Context, options: CalibrationOptions): Promise<number> {
  const tables = await tablesFolder(context, 'calibration', options);
  let runs = 0;
  const setting = (name: string): CaseSetting => ({
    folder: join(tables.folder, name.replaceAll(/\W+/gu, '-')),
    runId: `${tables.id}-${++runs}`,
    signal: context.signal,
  });
  const form = options.short === true ? 'short' : 'full';
  const cases = await runCases(context, form, setting);
  const bank = await runBank(context, form, setting);
  const peers = options.peers === true ? await runPeers(context) : null;
  const texts = [caseTable(cases), bankTable(bank), ...(peers === null ? [] : [peers.text])];
  const written = await tables.write(texts.join('\n\n'), { cases, bank: bank.results, peers: peers?.results ?? null });
  const all = [...cases, ...bank.results];
  const wrong = all.filter((result) => result.wrong.length > 0).length;
  if (options.json === true) context.stdout(jsonText(cases));
  else {
    const right = `${all.length - wrong} of ${all.length} cases exactly right`;
    context.stdout(`${texts.join('\n\n')}\n\n${wrong === 0 ? 'pass' : 'fail'}: ${right}\n${written}`);
  }
  return wrong === 0 ? exitCodes.pass : exitCodes.expectationMissed;
}

type SettingOf = (name: string) => CaseSetting;

async function runCases(context: Context, form: 'full' | 'short', setting: SettingOf): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const cases = calibrationCases(form);
  for (const [index, calibration] of cases.entries()) {
    context.signal.throwIfAborted();
    const name = caseName(calibration);
    context.stderr(`${String(index + 1).padStart(3)} of ${cases.length}  ${name}\n`);
    const result = await runCase(calibration, setting(name));
    for (const sentence of result.wrong) context.stderr(`     wrong: ${sentence}\n`);
    results.push(result);
  }
  return results;
}

type Bank = Awaited<ReturnType<typeof runBank>>;

/** Every server of the bank and every answer, beside curl: null where there is none. */
async function runBank(context: Context, form: 'full' | 'short', setting: SettingOf) {
  const curl = await curlVersion();
  if (curl === null) context.stderr('left out, not installed: curl\n');
  const results: BankResult[] = [];
  const add = (some: readonly BankResult[]): void => {
    results.push(...some);
    for (const { name, wrong } of some) {
      for (const sentence of wrong) context.stderr(`     wrong: ${name}: ${sentence}\n`);
    }
  };
  for (const bank of bankCases.filter(({ isLong }) => form === 'full' || isLong !== true)) {
    context.signal.throwIfAborted();
    context.stderr(`bank: a server that ${bank.name}\n`);
    add([await runBankCase(bank, curl !== null, setting(bank.name))]);
  }
  context.signal.throwIfAborted();
  context.stderr('bank: every answer\n');
  add(await runAnswers(curl !== null, setting('answers')));
  return { results, curl };
}

/** Drives every installed peer through its cases. */
async function runPeers(context: Context): Promise<{ text: string; results: PeerResult[] }> {
  const { present, missing } = installedPeers('http');
  if (missing.length > 0) {
    const words = `left out, not installed: ${missing.join(', ')} (node harness/calibration/install-peers.mjs)`;
    context.stderr(`${context.worded(words)}\n`);
  }
  const results: PeerResult[] = [];
  for (const calibration of peerCases()) {
    for (const peer of present) {
      context.signal.throwIfAborted();
      context.stderr(`     ${peer}  ${caseName(calibration)}\n`);
      results.push(await runPeerCase(peer, calibration));
    }
  }
  return { text: peerTables(results, await Promise.all(present.map(versionOf))), results };
}

/** Characters of what a tool said that are shown. */
const mostSaid = 160;

/** A table with a column for each peer, and what those said that are wrong. */
function peerTables(results: readonly PeerResult[], versions: readonly string[]): string {
  const rows = [...Map.groupBy(results, ({ calibration }) => caseName(calibration)).values()];
  const wrong = results.filter(({ isRight }) => !isRight);
  return [
    'The peers in the same cases. Each cell: failures reported, of failures that there were (by the server’s count), and ' +
      'how many more (or fewer) requests arrived than the tool counts. Bold where the tool is wrong.',
    tableOf(rows, [
      ['case', ([first]) => (first === undefined ? '' : caseName(first.calibration))],
      ...versions.map((version, place): Column<PeerResult[]> => [version, (row) => peerCell(row[place])]),
    ]),
    'In the words of each tool, where it is wrong:',
    tableOf(wrong, [
      ['case', ({ calibration }) => caseName(calibration)],
      ['tool', ({ peer }) => peer],
      ['arrived', ({ arrived }) => String(arrived)],
      ['failed in truth', ({ truth }) => String(truth ?? '–')],
      ['said', ({ raw }) => `\`${raw.length > mostSaid ? `${raw.slice(0, mostSaid)}…` : raw}\``],
    ]),
  ].join('\n\n');
}

function peerCell(result: PeerResult | undefined): string {
  if (result === undefined) return '';
  const { failed, truth, requests, arrived, calibration, isRight } = result;
  const bound = Math.ceil((calibration.ratePerSecond * calibration.awayMs) / 1000);
  const isCut = calibration.awayMs > 0 || calibration.fault === 'accept-rst';
  const more = arrived - (requests - (isCut ? failed : 0));
  const text = `${failed} of ${truth ?? `at most ${bound}`}${more === 0 ? '' : `, ${more > 0 ? '+' : ''}${more}`}`;
  return isRight ? text : `**${text}**`;
}

const takes = { true: 'takes it', false: 'does not', null: '' };

function bankTable({ results, curl }: Bank): string {
  return tableOf(results, [
    ['server or answer', ({ name }) => name],
    ['counted', ({ counted }) => counted],
    [`curl ${curl ?? '(not installed)'}`, ({ curlTakes }) => takes[`${curlTakes}`]],
    ['right', rightCell],
  ]);
}

function caseTable(results: readonly CaseResult[]): string {
  return tableOf(results, [
    [
      'the server',
      ({ awayMs, calibration }) =>
        awayMs === null ? faults[calibration.fault].what : `is away for ${awayMs.toFixed(1)} ms`,
    ],
    ['method', ({ calibration }) => calibration.method],
    ['connections', ({ calibration }) => calibration.connections],
    ['due', ({ verdict }) => String(verdict.due)],
    ['arrived', ({ server }) => String(server.arrivals)],
    ['ids twice', ({ server }) => String(server.repeatedIds)],
    ['failures in truth', ({ truth }) => String(truth)],
    ['dropped', ({ verdict }) => String(verdict.dropped)],
    ['outcomes but ok', failuresCell],
    ['gap, ms', ({ awayMs, verdict }) => (awayMs === null ? '' : (verdict.gapMs?.toFixed(1) ?? ''))],
    ['right', rightCell],
  ]);
}

function failuresCell({ verdict }: CaseResult): string {
  const failures = Object.entries(verdict.outcomes).filter(([outcome]) => outcome !== 'ok');
  return failures.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
}

function rightCell({ wrong }: { readonly wrong: readonly string[] }): string {
  return wrong.length === 0 ? 'yes' : `**no**: ${wrong.join('; ')}`;
}
