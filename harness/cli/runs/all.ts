/**
 * `experiment all`: every experiment beside its controls, in an order that the seed shuffles; with `--variants`, every
 * variant too.
 */
import { ownAppOf } from '../options/own-app.ts';
import { join } from 'node:path';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { readCatalog } from '../../experiment/catalog.ts';
import { seededRandom, shuffle } from '../../base/random.ts';
import { tableOf } from '../../report/format.ts';
import { controlText } from '../../verdict/controls.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import { nameOfRun, quoted, requestOf } from '../../conduct/run-request.ts';
import { conductSeries } from '../../conduct/series.ts';
import { jsonText } from '../../base/foreign-text.ts';
import { exitCodeOf } from '../print/run-summary.ts';
import { brokenText } from '../print/experiment-list.ts';
import type { Context } from '../context.ts';
import { changesOfOneOfMany, type RunningOptions } from '../options/run-options.ts';
import { optionArguments } from '../options/option-words.ts';
import { pathText } from '../print/path.ts';
import { withConductor } from './conductor.ts';
import { writeSeriesFolder } from './out-folder.ts';

type Line = ReturnType<typeof lineOf>;

/** Runs all; exits with the worst of what came of them. */
export async function runAll(
  context: Context,
  asked: { seed: number; reportsFolder: string; variants: boolean; options: RunningOptions },
): Promise<number> {
  const { seed, reportsFolder, variants, options } = asked;
  const withControls = options.controls !== false;
  const { experiments: catalog, broken } = await readCatalog();
  const own = await ownAppOf(options.app);
  context.stderr(brokenText(broken));
  // A change that one of them cannot take is said before any of them has run.
  const conditions = { seed, reportsFolder, keep: false, capacity: false, withControls };
  const unfit: string[] = [];
  const requests = catalog.flatMap((file) =>
    [null, ...(variants ? Object.keys(file.variants) : [])].flatMap((variant) => {
      try {
        return [requestOf({ ...conditions, file, own, variant, changes: changesOfOneOfMany(file, options) })];
      } catch (error) {
        if (!(error instanceof HarnessError) || error.code !== 'service-unfit') throw error;
        unfit.push(variant === null ? error.message : `${nameOfRun({ file, variant })}: ${error.message}`);
        return [];
      }
    }),
  );
  context.stderr(unfit.map((why) => `left out: ${why}\n`).join(''));
  const runs = shuffle(requests, seededRandom(seed, 'all')).map((request, index) => {
    const name = nameOfRun(request);
    return { request, name, place: `${index + 1} of ${requests.length}`, words: `: ${name}` };
  });
  const verdicts = new Map<string, Verdict>();
  const failures = new Map<string, string>();
  const nameOf = (index: number): string => runs[index]?.name ?? '';
  const how = { command: `experiment all, seed ${seed}`, wait: options.wait !== false };
  await withConductor(context, how, (conductor) =>
    conductSeries(conductor, runs, {
      made: (index, { verdict }) => verdicts.set(nameOf(index), verdict),
      failed: (index, error) => {
        // One that cannot be run must not cost the others.
        failures.set(nameOf(index), messageOf(error));
        context.stderr(`${nameOf(index)} could not be run: ${messageOf(error)}\n`);
      },
    }),
  );

  for (const { id, error } of broken) failures.set(id, error.message);
  const { app, set, rate, restarts } = options;
  const again = {
    seed,
    app,
    variants: variants || undefined,
    rate,
    restarts,
    set,
    controls: withControls && undefined,
  };
  const command = ['npm run experiment all --', ...optionArguments(again).map(quoted)].join(' ');
  const names = requests.map(nameOfRun);
  const lines = [...names, ...broken.map(({ id }) => id)].map((name) => lineOf(name, verdicts, failures));
  const table = linesTable(lines);
  const leftOut = unfit.length === 0 ? '' : `Left out:\n\n${unfit.map((why) => `- ${why}`).join('\n')}\n\n`;
  const text = `# All experiments, seed ${seed}\n\n${table}\n\n${leftOut}\`\`\`\n${context.worded(command)}\n\`\`\`\n`;
  const folder = await writeSeriesFolder(join(reportsFolder, 'all'), { 'all.md': text });
  if (options.json === true) context.stdout(jsonText({ seed, lines, ...(own !== null && { leftOut: unfit }) }));
  else context.stdout(`${table}\ntable: ${pathText(join(folder, 'all.md'))}\n`);
  const kinds = lines.map(({ verdict }) => verdict);
  return exitCodeOf((['fail', 'aborted', 'inconclusive'] as const).find((kind) => kinds.includes(kind)) ?? 'pass');
}

function lineOf(name: string, verdicts: Map<string, Verdict>, failures: Map<string, string>) {
  const measured = verdicts.get(name);
  const controls = measured?.controls?.map((control) =>
    control.holds
      ? `${control.name}: ${control.dropped} of ${control.due} dropped`
      : `${control.name} **${controlText(control)}**`,
  );
  return {
    name,
    verdict: measured?.verdict ?? ('aborted' as const),
    controls: controls === undefined || controls.length === 0 ? '–' : controls.join(', '),
    measured,
    note: failures.get(name) ?? measured?.reasons[0] ?? '',
  };
}

function linesTable(lines: readonly Line[]): string {
  const known = (text: (measured: Verdict) => string | undefined) => {
    return ({ measured }: Line): string => (measured && text(measured)) ?? '–';
  };
  return tableOf(lines, [
    ['experiment', ({ name }) => name],
    ['verdict', ({ verdict }) => verdict],
    ['bad restarts', known(({ badRestarts, restarts }) => `${badRestarts} of ${restarts}`)],
    ['dropped', known(({ dropped, due }) => `${dropped} of ${due}`)],
    ['predicted', known(({ predicted }) => predicted.dropped?.toFixed(0))],
    ['longest wait, ms', known(({ longestWaitMs }) => longestWaitMs?.toFixed(0))],
    ['controls', ({ controls }) => controls],
    ['note', ({ note }) => note],
  ]);
}
