/**
 * A run beside its controls: the instrument calibrated; C0, no restart under the same load; C+, the mechanism off. Each
 * is run once for a machine, engine, image and state of the project, and its verdict is kept in reports/controls/.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HarnessError } from '../base/errors.ts';
import { sourcesHash } from '../lab/project-state.ts';
import { bareId, c0Id, loadExperiment } from '../experiment/catalog.ts';
import type { Change } from '../experiment/fields.ts';
import { conductRun, type Conductor, type Judged, type RunResult } from './conduct-run.ts';
import type { HeldEngine } from './hold-engine.ts';
import { keepResult, readKept } from './kept-result.ts';
import { nameOfRun, requestOf, type RunRequest } from './run-request.ts';

/** Restarts of C+: that it drops shows in the first. */
const controlRestarts = 2;

interface Control {
  readonly role: 'C0' | 'C+';
  /** Why a run says nothing without it. */
  readonly because: string;
  readonly request: RunRequest;
}

/** Conducts the controls whose results are not kept, then the run beside them; without controls, the run alone. */
export async function conductBesideControls<V extends Judged>(
  conductor: Conductor<V>,
  request: RunRequest,
): Promise<RunResult<V>> {
  if (!request.withControls) return await conductRun(conductor, request);
  const result = await conductRun(conductor, request, await makeControls(conductor, request));
  // The run that restarts nothing is the C0 of the others.
  if (isC0(request)) await keepIfHolding(conductor, await c0Of(request), result.verdict);
  return result;
}

/** What a run is made beside, as its witnesses/controls.json holds it. */
export interface ControlsMade<V> {
  readonly calibration: unknown;
  readonly controls: readonly {
    readonly role: Control['role'];
    readonly name: string;
    readonly because: string;
    readonly verdict: V;
  }[];
}

/** Conducts the controls of this run whose results are not kept. */
export async function makeControls<V extends Judged>(
  conductor: Conductor<V>,
  request: RunRequest,
): Promise<ControlsMade<V>> {
  const calibration = await conductor.judging.calibrate(request.reportsFolder);
  const controls = [];
  for (const control of await controlsOf(request)) {
    conductor.audience.signal.throwIfAborted();
    const { role, because } = control;
    controls.push({ role, name: nameOfRun(control.request), because, verdict: await verdictOf(conductor, control) });
  }
  return { calibration, controls };
}

/** Both tries of a control say nothing. */
export class InconclusiveControl extends HarnessError {
  readonly role: Control['role'];

  constructor({ role, request }: Control, { verdict, reasons }: Judged) {
    super(
      'control-inconclusive',
      `The control ${role} (${nameOfRun(request)}) was ${verdict} in ${mostTries} tries: ${reasons[0] ?? ''} The ` +
        'experiment has nothing to be compared with, and was not run.',
    );
    this.role = role;
  }
}

/** A control that is inconclusive is made once more: a hiccup of the machine should not cost the experiment. */
const mostTries = 2;

async function verdictOf<V extends Judged>(conductor: Conductor<V>, control: Control): Promise<V> {
  const kept = await readKept(await pathOf(conductor.engine, control), (json) => conductor.judging.parse(json));
  if (kept !== null) return kept;
  const verdict = await conductControl(conductor, control);
  await keepIfHolding(conductor, control, verdict);
  return verdict;
}

/** @throws {InconclusiveControl} when every try is inconclusive: the experiment would have nothing to be compared with */
async function conductControl<V extends Judged>(conductor: Conductor<V>, control: Control): Promise<V> {
  const { audience, judging } = conductor;
  const { role, request } = control;
  for (let attempt = 1; ; attempt++) {
    const which = `control ${role}${attempt === 1 ? '' : `, try ${attempt}`}`;
    const why =
      attempt === 1
        ? `${nameOfRun(request)}, once for this machine and this state of the project`
        : `${nameOfRun(request)} is made once more, since it was inconclusive`;
    audience.say(`${which}: ${why}\n`);
    const place = request.place === undefined ? which : `${request.place}, ${which}`;
    const { verdict } = await conductRun(conductor, { ...request, place });
    audience.say(`${which}: ${verdict.verdict}: ${verdict.citation}\n`);
    if (judging.isConclusive(verdict)) return verdict;
    for (const reason of verdict.reasons) audience.say(`  ${reason}\n`);
    audience.signal.throwIfAborted();
    if (attempt === mostTries) throw new InconclusiveControl(control, verdict);
  }
}

/** A control that does not hold is tried again by the next run. */
async function keepIfHolding<V extends Judged>(
  { engine, judging }: Conductor<V>,
  control: Control,
  verdict: V,
): Promise<void> {
  if (judging.holds(control.role, verdict)) await keepResult(await pathOf(engine, control), verdict);
}

function isC0({ file, variant }: Pick<RunRequest, 'file' | 'variant'>): boolean {
  return file.id === c0Id && variant === null;
}

/** Under the same load as the experiment; what else was changed about it is what is being tried. */
export async function controlsOf(request: RunRequest): Promise<Control[]> {
  const { file, variant, own } = request;
  if (isC0(request)) return [];
  const c0 = await c0Of(request);
  const off = 'variant' in file.control ? file.control : null;
  if (file.id === c0Id || file.id === bareId || off?.variant === variant) return [c0];
  if (own !== null) return [c0, await plusOfOwn(request)];
  return [c0, off === null ? await barePlus(request) : plusOf(request, { file, ...off })];
}

const socketId = 'E5';

/**
 * C+ of a service of the user's own: a plain restart, the same for every experiment, since what a variant with the mechanism
 * off does hangs on the demo site. One that serves only a socket that it is given gets one that is restarted with it.
 */
async function plusOfOwn(request: RunRequest): Promise<Control> {
  try {
    return await barePlus(request);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.code !== 'service-unfit') throw error;
    const because = 'a socket that is stopped and started with its service must drop what waits in its queue';
    return plusOf(request, { file: await loadExperiment(socketId), variant: 'socket-part-of', because });
  }
}

async function barePlus(request: RunRequest): Promise<Control> {
  const because = 'with no mechanism at all, a restart must drop something';
  return plusOf(request, { file: await loadExperiment(bareId), variant: null, because });
}

type Choice = Pick<RunRequest, 'file' | 'variant'> & { readonly because: string };

/** @throws {HarnessError} where it is not possible with the service */
function plusOf(request: RunRequest, choice: Choice): Control {
  return controlOf('C+', request, choice, [['deploy.restarts', controlRestarts]]);
}

async function c0Of(request: RunRequest): Promise<Control> {
  const because = 'with no restart nothing may be dropped, or what is dropped is not the restart’s doing';
  const { own, experiment } = request;
  // A service that opens no port itself is given its socket without a restart, too.
  const socket: Change[] = [
    ['unit.activation', 'socket'],
    ['unit.backlog', experiment.unit.backlog ?? null],
  ];
  const choice = { file: await loadExperiment(c0Id), variant: null, because };
  return controlOf('C0', request, choice, own?.shown.listens === 'inherits' ? socket : []);
}

/** A control runs as its experiment does, and leaves nothing standing. */
function controlOf(
  role: Control['role'],
  { seed, reportsFolder, place, own, experiment: { load } }: RunRequest,
  { file, variant, because }: Choice,
  changes: readonly Change[],
): Control {
  const request = requestOf({
    ...{ seed, reportsFolder, place, own, file, variant },
    ...{ keep: false, capacity: false, withControls: false },
    changes: [['load.ratePerSecond', load.ratePerSecond], ['load.connections', load.connections], ...changes],
  });
  return { role, because, request };
}

/** Named after all that its result depends on. */
async function pathOf({ facts, image }: HeldEngine, { role, request }: Control): Promise<string> {
  const { experiment, reportsFolder } = request;
  const bounds = { facts, image, sources: await sourcesHash(), experiment };
  const key = createHash('sha256').update(JSON.stringify(bounds)).digest('hex').slice(0, 16);
  return join(reportsFolder, 'controls', `${role === 'C0' ? 'C0' : 'Cplus'}-${experiment.id}-${key}.json`);
}
