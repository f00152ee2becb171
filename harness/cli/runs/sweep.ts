/** `--sweep path=a,b,c`: the same experiment at each value of one or two fields, as one table and one chart. */
import { join } from 'node:path';
import { exitCodes, HarnessError } from '../../base/errors.ts';
import { drawSweep, type SweepPoint } from '../../report/charts/sweep-chart.ts';
import { parseValue, type Change } from '../../experiment/fields.ts';
import { seededRandom, shuffle } from '../../base/random.ts';
import { tableOf, type Column } from '../../report/format.ts';
import { newRunId } from '../../run/run-folder.ts';
import { pool, type Pooled } from '../../verdict/pool/pool.ts';
import { isConclusive, type Verdict } from '../../verdict/record/verdict.ts';
import type { Context } from '../context.ts';
import { nameOfRun, quoted, requestOf, type RunRequest } from '../../conduct/run-request.ts';
import { conductSeries } from '../../conduct/series.ts';
import { optionArguments } from '../options/option-words.ts';
import { pathText } from '../print/path.ts';
import { withConductor } from './conductor.ts';
import { jsonFile, writeSeriesFolder } from './out-folder.ts';

const mostKnobs = 2;
const mostCells = 200;

type Knob = ReturnType<typeof parseKnob>;

/** What ran at one value of each knob. */
interface Cell {
  readonly changes: readonly Change[];
  readonly verdicts: Verdict[];
}

/** The same, added up. */
interface Row extends Cell {
  readonly pooled: Pooled;
}

/** Runs every cell, in an order that the seed shuffles; exits 0 when each run can be trusted. */
export async function runSweep(
  context: Context,
  asked: RunRequest,
  { sweeps, trials, wait }: { sweeps: readonly string[]; trials: number; wait: boolean },
): Promise<number> {
  const knobs = sweeps.map(parseKnob);
  const cells = cellsOf(knobs);
  // Every cell is checked before the first is run. They have the same seeds, so that they differ in the knob alone.
  const requests = cells.flatMap((cell) =>
    Array.from({ length: trials }, (_, trial) => {
      const changes = [...asked.changes, ...cell.changes];
      return { cell, request: requestOf({ ...asked, changes, seed: asked.seed + trial }) };
    }),
  );
  const runs = shuffle(requests, seededRandom(asked.seed, 'sweep')).map((run, index) => {
    return { ...run, place: `run ${index + 1} of ${requests.length}`, words: `: ${wordsOf(run.cell.changes)}` };
  });
  const words = optionArguments({ sweep: sweeps, trials: trials > 1 ? trials : undefined });
  const command = [asked.command, ...words.map(quoted)].join(' ');
  await withConductor(context, { command, wait }, (conductor) =>
    conductSeries(conductor, runs, {
      made: (index, { verdict }) => runs[index]?.cell.verdicts.push(verdict),
    }),
  );

  const rows = cells.map((cell) => ({ ...cell, pooled: pool(cell.verdicts) }));
  const path = await writeSweep(asked, { knobs, rows, trials, command });
  const table = sweepTable(knobs, rows);
  context.stdout(`${table}\n${[queueText(rows), nothingTrusted(rows)].filter((text) => text !== '').join('\n')}\n`);
  context.stdout(`sweep: ${pathText(path)}\n`);
  return rows.every(({ pooled }) => pooled.runs === trials && pooled.leftOut === 0)
    ? exitCodes.pass
    : exitCodes.inconclusive;
}

/** Writes table, chart and figures into a folder of their own; gives the path of the text. */
async function writeSweep(
  asked: RunRequest,
  { knobs, rows, trials, command }: { knobs: readonly Knob[]; rows: readonly Row[]; trials: number; command: string },
): Promise<string> {
  const id = newRunId(new Date());
  const over = `${nameOfRun(asked)} over ${knobs.map(({ path }) => path).join(' and ')}`;
  const isEmpty = nothingTrusted(rows) !== '';
  const chart = { title: `${over} · ${id}`, knob: knobs[0]?.path ?? '', points: rows.map(pointOf) };
  const picture = isEmpty ? null : drawSweep(chart.title, chart.knob, chart.points);
  const text = [
    `# ${over}`,
    asked.experiment.question,
    isEmpty ? nothingTrusted(rows) : '![Dropped a restart, and the longest wait](sweep.svg)',
    sweepTable(knobs, rows),
    queueText(rows),
    `Each cell is ${trials === 1 ? 'one run' : `${trials} runs`} on a fresh lab, in an order drawn from the seed.`,
    `\`\`\`\n${command}\n\`\`\``,
  ].filter((part) => part !== '');
  const figures = rows.map(({ changes, verdicts, pooled }) => {
    return { changes, pooled, runs: verdicts.map(({ runId }) => runId) };
  });
  const files = {
    'sweep.svg': picture?.svg ?? null,
    'sweep.png': picture?.png ?? null,
    'sweep.md': `${text.join('\n\n')}\n`,
    'sweep.json': jsonFile(figures),
  };
  return join(await writeSeriesFolder(join(asked.reportsFolder, 'sweeps'), files, id), 'sweep.md');
}

/** What stands in place of a chart when there is nothing to draw; empty where there is. */
function nothingTrusted(rows: readonly Row[]): string {
  if (rows.some(isTrusted)) return '';
  const all = pool(rows.flatMap(({ verdicts }) => verdicts));
  return `There is no figure, and no chart: ${all.sentence}`;
}

function isTrusted({ pooled }: Row): boolean {
  return pooled.runs > pooled.leftOut;
}

function parseKnob(text: string) {
  const cut = text.indexOf('=');
  const values = text.slice(cut + 1).split(',');
  if (cut < 1 || values.length < 2 || values.includes('')) {
    throw new HarnessError(
      'option-value',
      `--sweep takes path=value,value,…, such as unit.backlog=16,64,4096, not ${JSON.stringify(text)}.`,
    );
  }
  if (new Set(values).size < values.length) {
    throw new HarnessError('option-value', `--sweep ${text} has a value twice: --trials repeats a run.`);
  }
  return { path: text.slice(0, cut), values: values.map(parseValue) };
}

function cellsOf(knobs: readonly Knob[]): Cell[] {
  if (knobs.length > mostKnobs) {
    throw new HarnessError('sweep-too-large', `At most ${mostKnobs} fields are swept at once, not ${knobs.length}.`);
  }
  let changes: Change[][] = [[]];
  for (const { path, values } of knobs) {
    changes = changes.flatMap((before) => values.map((value): Change[] => [...before, [path, value]]));
  }
  if (changes.length > mostCells) {
    throw new HarnessError('sweep-too-large', `A sweep has at most ${mostCells} cells, not ${changes.length}.`);
  }
  return changes.map((each) => ({ changes: each, verdicts: [] }));
}

function wordsOf(changes: readonly Change[]): string {
  return changes.map(([path, value]) => `${path}=${String(value)}`).join(' ');
}

function pointOf(row: Row): SweepPoint {
  const [first, second] = row.changes;
  const { droppedPerRestart, predictedPerRestart, longestWaitMs } = row.pooled;
  return {
    value: String(first?.[1]),
    series: second === undefined ? null : `${second[0]}=${String(second[1])}`,
    ...{ droppedPerRestart, predictedPerRestart, longestWaitMs },
    longestDirectMs: longestDirectMs(row),
  };
}

/** The longest wait that the direct probe saw; null where there was none. */
function longestDirectMs({ verdicts }: Cell): number | null {
  const waits = verdicts.filter(isConclusive).flatMap(({ direct }) => direct?.longestWaitMs ?? []);
  return waits.length === 0 ? null : Math.max(...waits);
}

function sweepTable(knobs: readonly Knob[], rows: readonly Row[]): string {
  const known = (text: (row: Row) => string) => (row: Row) => (isTrusted(row) ? text(row) : '–');
  const sum = ({ verdicts }: Row, count: (verdict: Verdict) => number | undefined): number =>
    verdicts.filter(isConclusive).reduce((total, verdict) => total + (count(verdict) ?? 0), 0);
  const kernel = (name: string) => known((row) => String(sum(row, ({ witnesses }) => witnesses.kernel[name])));
  const method = (row: Row, name: string): number => sum(row, ({ byMethod }) => byMethod[name]?.dropped);
  return tableOf(rows, [
    ...knobs.map(({ path }, at): Column<Row> => [path, ({ changes }) => String(changes[at]?.[1])]),
    ['bad restarts', known(({ pooled }) => `${pooled.badRestarts} of ${pooled.restarts}`)],
    ['dropped a restart (95 %)', ({ pooled }) => intervalText(pooled)],
    ['predicted', ({ pooled }) => pooled.predictedPerRestart?.toFixed(1) ?? '–'],
    ['GET / POST dropped', known((row) => `${method(row, 'GET')} / ${method(row, 'POST')}`)],
    ['longest wait, ms', ({ pooled }) => pooled.longestWaitMs?.toFixed(0) ?? '–'],
    ['the same directly, ms', (row) => longestDirectMs(row)?.toFixed(0) ?? '–'],
    ['listen queue overflows', kernel('TcpExt.ListenOverflows')],
    ['SYNs sent again', kernel('TcpExt.TCPSynRetrans')],
    ['trusted', ({ pooled }) => `${pooled.runs - pooled.leftOut} of ${pooled.runs}`],
  ]);
}

function intervalText({ droppedPerRestart: per }: Pooled): string {
  return per === null ? '–' : `${per.mean.toFixed(1)} (${per.low.toFixed(1)} to ${per.high.toFixed(1)})`;
}

/** Where the knob is the backlog: the place of the cliff, from the options and the windows, beside what was seen. */
function queueText(rows: readonly Row[]): string {
  const backlogs = rows.filter(({ changes }) => changes[0]?.[0] === 'unit.backlog');
  if (backlogs.length === 0 || backlogs.length < rows.length) return '';
  const lines = backlogs.map(({ changes, verdicts }) => {
    const backlog = Number(changes[0]?.[1]);
    const queue = Math.min(backlog, ...verdicts.map(({ somaxconn }) => somaxconn ?? Infinity)) + 1;
    const queues = verdicts.flatMap(({ perRestart }) => perRestart.map((row) => row.expectedQueue ?? 0));
    const waiting = Math.round(Math.max(0, ...queues));
    const overflows = verdicts.reduce(
      (sum, { witnesses }) => sum + (witnesses.kernel['TcpExt.ListenOverflows'] ?? 0),
      0,
    );
    // What is expected to wait goes up to what the queue admits.
    const predicted = waiting >= queue ? 'overflows' : 'holds';
    const seen = overflows > 0 ? `${overflows} overflows` : 'none overflowed';
    return `- backlog ${backlog}: the queue admits min(backlog, somaxconn) + 1 = ${queue}; at most ${waiting} should wait in a window: predicted ${predicted}; seen: ${seen}.`;
  });
  return [
    'The kernel’s queue admits one more than its length; a SYN that finds it full is dropped, and sent again after 1, 2, 3 s.',
    '',
    ...lines,
  ].join('\n');
}
