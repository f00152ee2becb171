/**
 * A run beside its controls: the instrument calibrated; C0, no restart under the same load; C+, the mechanism off. Each
 * is run once for a machine, engine, image and state of the project, and remembered in reports/controls/.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HarnessError } from '../base/errors.ts';
import { connectEngine } from '../lab/engine.ts';
import { labImageTag } from '../lab/image.ts';
import { sourcesHash } from '../lab/project-state.ts';
import { loadExperiment } from '../experiment/catalog.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../experiment/fields.ts';
import { bareId, c0Id, judgeControls, type Control, type Controls } from '../verdict/controls.ts';
import { isConclusive, verdictSchema, type Verdict } from '../verdict/verdict.ts';
import { repeatCommand } from './asked.ts';
import { calibration } from './calibrated.ts';
import type { Context } from './context.ts';
import { measureAlone } from './measure-alone.ts';
import { recall, remember } from './remembered.ts';
import { runExperiment, type RunOptions, type RunResult } from './run-experiment.ts';

/** Restarts of C+: that it drops shows in the first. */
const controlRestarts = 2;

/** Runs the controls that are not remembered, then the experiment beside them. */
export async function runWithControls(
  context: Context,
  experiment: Experiment,
  options: RunOptions & { readonly withControls: boolean },
): Promise<RunResult> {
  const { withControls, ...own } = options;
  return await measureAlone(context, { command: own.command, wait: true }, async () => {
    const controls = withControls ? await runControls(context, experiment, own) : null;
    const result = await runExperiment(context, experiment, { ...own, controls });
    // The run that restarts nothing is the C0 of the others.
    if (withControls && experiment.id === c0Id && own.variant === null) {
      const itself: Planned = { ...(await c0Of(experiment)), experiment };
      await rememberIfHolding(itself, result.verdict, own.reportsFolder);
    }
    return result;
  });
}

/** The same for one run of a series, which ends where a control says nothing: null then. */
export async function besideControls(
  ...[context, experiment, options]: Parameters<typeof runWithControls>
): Promise<RunResult | null> {
  try {
    return await runWithControls(context, experiment, options);
  } catch (error) {
    if (!(error instanceof InconclusiveControl)) throw error;
    context.stderr(`${error.message} The series ends here. ${error.hint}\n`);
    return null;
  }
}

type Planned = Pick<Control, 'role' | 'name' | 'because'> & {
  readonly experiment: Experiment;
  readonly variant: string | null;
  readonly about: string | null;
  readonly changes: readonly Change[];
};

async function runControls(context: Context, experiment: Experiment, options: RunOptions): Promise<Controls> {
  const calibrated = await calibration(context, options.reportsFolder);
  const controls: Control[] = [];
  for (const planned of await plannedControls(experiment, options.variant)) {
    context.signal.throwIfAborted();
    const { role, name, because } = planned;
    const path = await pathOf(planned, options.reportsFolder);
    const known = await recall(path, verdictSchema);
    if (known !== null) {
      controls.push({ role, name, because, verdict: known });
      continue;
    }
    const verdict = await makeControl(context, planned, options);
    controls.push({ role, name, because, verdict });
    await rememberIfHolding(planned, verdict, options.reportsFolder);
  }
  return { calibration: calibrated, controls };
}

/** Both tries of a control say nothing. */
export class InconclusiveControl extends HarnessError {
  readonly role: Control['role'];

  constructor({ role, name }: Pick<Control, 'role' | 'name'>, { verdict, reasons }: Verdict) {
    super(
      'control-inconclusive',
      `The control ${role} (${name}) was ${verdict} in ${mostTries} tries: ${reasons[0] ?? ''} The experiment has ` +
        'nothing to be compared with, and was not run.',
    );
    this.role = role;
  }
}

/** A control that is inconclusive is made once more: a hiccup of the machine should not cost the experiment. */
const mostTries = 2;

/**
 * Runs a control.
 * @throws {InconclusiveControl} when every try is inconclusive: the experiment would have nothing to be compared with
 */
async function makeControl(context: Context, planned: Planned, options: RunOptions): Promise<Verdict> {
  const { role, name } = planned;
  for (let attempt = 1; ; attempt++) {
    const which = `control ${role}${attempt === 1 ? '' : `, try ${attempt}`}`;
    context.stderr(
      attempt === 1
        ? `${which}: ${name}, once for this machine and this state of the project\n`
        : `${which}: ${name} is made once more, since it was inconclusive\n`,
    );
    const { verdict } = await runExperiment(context, planned.experiment, {
      ...options,
      place: [...(options.place === undefined ? [] : [options.place]), which].join(', '),
      keep: false,
      baseline: false,
      controls: null,
      variant: planned.variant,
      variantAbout: planned.about,
      changes: planned.changes,
      command: repeatCommand({ id: planned.experiment.id, ...planned }, options.seed),
    });
    context.stderr(`${which}: ${verdict.verdict}: ${verdict.citation}\n`);
    if (isConclusive(verdict)) return verdict;
    for (const reason of verdict.reasons) context.stderr(`  ${reason}\n`);
    context.signal.throwIfAborted();
    if (attempt < mostTries) continue;
    throw new InconclusiveControl(planned, verdict);
  }
}

/** One that does not hold is tried again by the next run. */
async function rememberIfHolding(planned: Planned, verdict: Verdict, reportsFolder: string): Promise<void> {
  const { role, name, because } = planned;
  if (judgeControls([{ role, name, because, verdict }])[0]?.holds !== true) return;
  await remember(await pathOf(planned, reportsFolder), verdict);
}

/** Under the same load as the experiment; what else was changed about it is what is being tried. */
async function plannedControls(experiment: Experiment, variant: string | null): Promise<Planned[]> {
  const file = await loadExperiment(experiment.id);
  if (file.id === c0Id && variant === null) return [];
  const load = loadOf(experiment);
  const c0 = await c0Of(experiment);
  const off = 'variant' in file.control ? file.control : null;
  if (file.id === c0Id || file.id === bareId || (off !== null && off.variant === variant)) return [c0];
  const of = off === null ? await loadExperiment(bareId) : file;
  const changes = [...load, ['deploy.restarts', controlRestarts]] as const;
  return [
    c0,
    {
      role: 'C+',
      name: off === null ? bareId : `${file.id} ${off.variant}`,
      because: off === null ? 'with no mechanism at all, a restart must drop something' : off.because,
      experiment: resolveExperiment(of, { variant: off?.variant, changes }),
      variant: off?.variant ?? null,
      about: off === null ? null : (of.variants[off.variant]?.about ?? null),
      changes,
    },
  ];
}

function loadOf({ load }: Experiment): readonly Change[] {
  return [
    ['load.ratePerSecond', load.ratePerSecond],
    ['load.connections', load.connections],
  ];
}

async function c0Of(experiment: Experiment): Promise<Planned> {
  const changes = loadOf(experiment);
  return {
    role: 'C0',
    name: c0Id,
    because: 'with no restart nothing may be dropped, or what is dropped is not the restart’s doing',
    experiment: resolveExperiment(await loadExperiment(c0Id), { changes }),
    variant: null,
    about: null,
    changes,
  };
}

/** Named after all that its result depends on. */
async function pathOf({ role, experiment }: Planned, reportsFolder: string): Promise<string> {
  const { facts } = await connectEngine();
  const bounds = { facts, image: labImageTag(facts.architecture), sources: await sourcesHash(), experiment };
  const key = createHash('sha256').update(JSON.stringify(bounds)).digest('hex').slice(0, 16);
  return join(reportsFolder, 'controls', `${role === 'C0' ? 'C0' : 'Cplus'}-${experiment.id}-${key}.json`);
}
