/**
 * `experiment all`: every experiment beside its controls, in an order that the seed shuffles; with `--variants`, every
 * variant too.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { markdownTable } from 'markdown-table';
import { messageOf } from '../base/errors.ts';
import { readCatalog } from '../experiment/catalog.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { seededRandom, shuffle } from '../base/random.ts';
import { newRunId, pointLatest } from '../run/run-folder.ts';
import { controlText } from '../verdict/controls.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { exitCodeOf } from './closing.ts';
import { interruptedCode, type Context } from './context.ts';
import { quoted, runOptionsOf } from './asked.ts';
import { runWithControls } from './controls.ts';
import { brokenText } from './print/experiment-list.ts';
import { changesOfOneOfMany, type RunningOptions } from './options/run-options.ts';
import { startSeries } from './time-left.ts';
import { jsonText } from '../base/foreign-text.ts';

interface Cell {
  readonly file: ExperimentFile;
  readonly variant: string | null;
}

/** What came of one experiment. */
interface Line {
  readonly name: string;
  readonly verdict: Verdict['verdict'];
  readonly controls: string;
  readonly measured: Verdict | undefined;
  readonly note: string;
}

/** Runs all; exits with the worst of what came of them. */
export async function runAll(
  context: Context,
  asked: { seed: number; reportsFolder: string; json: boolean; variants: boolean; options: RunningOptions },
): Promise<number> {
  const { seed, reportsFolder, json, variants, options } = asked;
  const { experiments: catalog, broken } = await readCatalog();
  context.stderr(brokenText(broken));
  const cells: Cell[] = catalog.flatMap((file) => [
    { file, variant: null },
    ...(variants ? Object.keys(file.variants) : []).map((variant) => ({ file, variant })),
  ]);
  // A change that one of them cannot take is said before any of them has run.
  const planned = cells.map((cell) => {
    const changes = changesOfOneOfMany(cell.file, options);
    return {
      ...cell,
      changes,
      experiment: resolveExperiment(cell.file, { variant: cell.variant ?? undefined, changes }),
    };
  });
  const order = shuffle(planned, seededRandom(seed, 'all'));
  const verdicts = new Map<string, Verdict>();
  const failures = new Map<string, string>();
  const series = startSeries(order.length);
  for (const [index, cell] of order.entries()) {
    if (context.signal.aborted) break;
    const name = nameOf(cell.file.id, cell.variant);
    const place = `${index + 1} of ${order.length}`;
    context.stderr(`${place}: ${name}${series.left(index)}\n`);
    try {
      const run = {
        ...cell,
        seed,
        reportsFolder,
        keep: false,
        baseline: false,
        withControls: options.controls !== false,
      };
      const { verdict } = await runWithControls(context, cell.experiment, { ...runOptionsOf(run), place });
      verdicts.set(name, verdict);
      context.stderr(`${verdict.verdict}: ${verdict.citation}\n`);
    } catch (error) {
      // One that cannot be run must not cost the others.
      failures.set(name, messageOf(error));
      context.stderr(`${name} could not be run: ${messageOf(error)}\n`);
    }
  }

  for (const { id, error } of broken) failures.set(id, error.message);
  const names = catalog.flatMap((file) =>
    [null, ...(variants ? Object.keys(file.variants) : [])].map((variant) => nameOf(file.id, variant)),
  );
  const lines = [...names, ...broken.map(({ id }) => id)].map((name) => lineOf(name, verdicts, failures));
  const id = newRunId(new Date());
  const reports = join(reportsFolder, 'all');
  await mkdir(join(reports, id), { recursive: true });
  const table = tableOf(lines);
  const command = allCommand(asked);
  const text = `# All experiments, seed ${seed}\n\n${table}\n\n\`\`\`\n${command}\n\`\`\`\n`;
  await writeFile(join(reports, id, 'all.md'), text);
  await pointLatest(reports, id);
  if (json) context.stdout(jsonText({ seed, lines }));
  else context.stdout(`${table}\ntable: ${relative(process.cwd(), join(reports, id, 'all.md'))}\n`);
  if (context.signal.aborted) return interruptedCode(context.signal);
  const kinds = lines.map(({ verdict }) => verdict);
  return exitCodeOf((['fail', 'aborted', 'inconclusive'] as const).find((kind) => kinds.includes(kind)) ?? 'pass');
}

/** The command that asks the same again. */
function allCommand({ seed, variants, options }: { seed: number; variants: boolean; options: RunningOptions }): string {
  const { set, rate, restarts, controls } = options;
  const words = [`npm run experiment all -- --seed ${seed}`];
  if (variants) words.push('--variants');
  if (rate !== undefined) words.push(`--rate ${rate}`);
  if (restarts !== undefined) words.push(`--restarts ${restarts}`);
  for (const change of set ?? []) words.push(`--set ${quoted(change)}`);
  if (controls === false) words.push('--no-controls');
  return words.join(' ');
}

function nameOf(id: string, variant: string | null): string {
  return variant === null ? id : `${id} ${variant}`;
}

function lineOf(name: string, verdicts: Map<string, Verdict>, failures: Map<string, string>): Line {
  const measured = verdicts.get(name);
  const controls = measured?.controls?.map((control) =>
    control.holds
      ? `${control.name}: ${control.dropped} of ${control.due} dropped`
      : `${control.name} **${controlText(control)}**`,
  );
  return {
    name,
    verdict: measured?.verdict ?? 'aborted',
    controls: controls === undefined || controls.length === 0 ? '–' : controls.join(', '),
    measured,
    note: failures.get(name) ?? measured?.reasons[0] ?? '',
  };
}

function tableOf(lines: readonly Line[]): string {
  const rows = lines.map(({ name, verdict, controls, measured, note }) => [
    name,
    verdict,
    measured === undefined ? '–' : `${measured.badRestarts} of ${measured.restarts}`,
    measured === undefined ? '–' : `${measured.dropped} of ${measured.due}`,
    measured?.predicted.dropped?.toFixed(0) ?? '–',
    measured?.longestWaitMs?.toFixed(0) ?? '–',
    controls,
    note,
  ]);
  const head = [
    'experiment',
    'verdict',
    'bad restarts',
    'dropped',
    'predicted',
    'longest wait, ms',
    'controls',
    'note',
  ];
  return markdownTable([head, ...rows]);
}
