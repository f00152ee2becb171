/** The runs that `advise` makes: each way that is possible with the service, then the best once more. */
import { HarnessError, messageOf } from '../../base/errors.ts';
import { decide, mightBeClean, type Measured, type NotTried, type Second, type Tried } from '../../advice/choose.ts';
import type { Broken } from '../../advice/explain.ts';
import type { Advice } from '../../advice/advice-text.ts';
import { TimeBudget } from '../../advice/time-budget.ts';
import { type Way, waysInOrder, wayText } from '../../advice/ways.ts';
import { type Conductor, conductRun, expectedRunMs } from '../../conduct/conduct-run.ts';
import { type ControlsMade, InconclusiveControl, makeControls } from '../../conduct/controls.ts';
import { type OwnApp, requestOf, type RunRequest } from '../../conduct/run-request.ts';
import { leftInWords } from '../../conduct/time-left.ts';
import { bareId, loadExperiment } from '../../experiment/catalog.ts';
import type { Change } from '../../experiment/fields.ts';
import { examineService } from '../../doctor/contract/examine.ts';
import { openRunDatabase } from '../../verdict/evidence.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';

/** What the user asks for. */
export interface AdviseAsked {
  readonly own: OwnApp;
  readonly seed: number;
  readonly reportsFolder: string;
  readonly minutes: number;
  /** Restarts of the run whose figures are recommended, if there is time for them. */
  readonly restarts: number;
  /** Ids of the ways to try; null: all. */
  readonly only: readonly string[] | null;
  readonly changes: readonly Change[];
  readonly withControls: boolean;
}

/** What came of it. */
type Advised = Omit<Advice, 'service' | 'command' | 'files' | 'pathOf'>;

/** A way that is possible. */
interface Planned {
  readonly way: Way;
  readonly request: RunRequest;
}

const noControl = 'what it would be compared with could not be measured.';

type Plan = Awaited<ReturnType<typeof planWays>>;

/**
 * Which ways are possible with the service.
 * @throws {HarnessError} when none is
 */
export async function planWays(asked: AdviseAsked) {
  const planned: Planned[] = [];
  const leftOut: NotTried[] = [];
  for (const way of waysInOrder) {
    if (asked.only !== null && !asked.only.includes(way.id)) {
      leftOut.push(notTried(way, 'left out by --only.'));
      continue;
    }
    try {
      planned.push({ way, request: await requestFor(asked, way) });
    } catch (error) {
      if (!(error instanceof HarnessError) || error.code !== 'service-unfit') throw error;
      leftOut.push(
        notTried(way, error.message.replace(`${way.id} is not possible with ${asked.own.shown.name}: `, '')),
      );
    }
  }
  if (planned.length > 0) return { planned, notTried: leftOut };
  const whys = leftOut.map(({ way, why }) => `${wayText(way)}: ${why}`);
  throw new HarnessError('service-unfit', `No way to restart it can be tried:\n${whys.join('\n')}`);
}

async function requestFor(asked: AdviseAsked, way: Way, restarts: number | null = null): Promise<RunRequest> {
  const { own, seed, reportsFolder, changes, withControls } = asked;
  return requestOf({
    ...{ own, reportsFolder, withControls, keep: false, capacity: false, variant: null },
    file: await loadExperiment(way.id),
    // Another draw of the times at which the restarts fall.
    seed: restarts === null ? seed : seed + 1,
    changes: restarts === null ? changes : [...changes, ['deploy.restarts', restarts]],
  });
}

/** Makes the runs, one after another. */
export class AdviseRuns {
  private readonly conductor: Conductor<Verdict>;
  private readonly asked: AdviseAsked;
  private readonly budget: TimeBudget;
  private readonly tried = new Map<string, Tried>();
  private readonly seconds = new Map<string, Second>();
  private firstError: unknown = null;
  private controls: ControlsMade<Verdict> | null = null;
  /** Why no further run is made. */
  private endedBy: string | null = null;

  constructor(conductor: Conductor<Verdict>, asked: AdviseAsked) {
    this.conductor = conductor;
    this.asked = asked;
    this.budget = new TimeBudget(asked.minutes * 60_000);
  }

  /** @throws what keeps every way from being run */
  async make({ planned, notTried: leftOut }: Plan): Promise<Advised> {
    for (const one of leftOut) this.tried.set(one.way.id, one);
    const broken = await this.askDoctor();
    await this.makeControls(planned);
    for (const [index, one] of planned.entries()) {
      this.tried.set(one.way.id, await this.tryOne(one, planned.slice(index + 1)));
    }
    await this.tryAgain(planned);
    const isNothingMeasured = ![...this.tried.values()].some(({ kind }) => kind === 'measured');
    if (isNothingMeasured && this.endedBy === null && this.firstError instanceof Error) throw this.firstError;
    for (;;) {
      const tried = waysInOrder.flatMap(({ id }) => this.tried.get(id) ?? []);
      const decision = decide(tried, this.seconds);
      if (decision.kind !== 'confirm') {
        const { seconds, endedBy } = this;
        return { tried, seconds, decision, endedBy, broken, quietWaitMs: this.c0()?.longestWaitMs ?? null };
      }
      this.seconds.set(decision.next.way.id, await this.confirm(decision.next));
    }
  }

  /** What keeps the doctor from looking keeps nobody from measuring. */
  private async askDoctor(): Promise<Broken[] | null> {
    const { engine, audience } = this.conductor;
    audience.say(`doctor: ${this.asked.own.shown.name}, half a minute\n`);
    try {
      const { checks } = await examineService(engine, audience, this.asked.own);
      const broken = checks.flatMap(({ fault, seen, costs = '', change = '' }) =>
        fault === undefined ? [] : [{ fault, seen, costs, change }],
      );
      for (const { fault } of broken) audience.say(`doctor: ${fault}\n`);
      return broken;
    } catch (error) {
      // No way could be tried either.
      if (error instanceof HarnessError && error.code === 'service-invalid') throw error;
      if (!audience.signal.aborted) audience.say(`doctor could not tell: ${messageOf(error)}\n`);
      return null;
    }
  }

  /** The instrument, C0 and C+, which all ways share. */
  private async makeControls(planned: readonly Planned[]): Promise<void> {
    const { audience, judging } = this.conductor;
    const fullest = planned.find(({ way }) => way.id !== bareId) ?? planned[0];
    if (!this.asked.withControls || fullest === undefined) return;
    try {
      this.controls = await makeControls(this.conductor, fullest.request);
      const c0 = this.c0();
      if (c0 === undefined || judging.holds('C0', c0)) return;
      this.endedBy =
        `It is not all right without a restart either, so no restart was tried: ${c0.dropped} of ${c0.due} requests were ` +
        `dropped. ${c0.reasons[0] ?? ''}`.trim();
    } catch (error) {
      if (audience.signal.aborted) this.endedBy = interruptedText;
      else if (error instanceof InconclusiveControl) this.endedBy = error.message;
      else throw error;
    }
  }

  private c0(): Verdict | undefined {
    return this.controls?.controls.find(({ role }) => role === 'C0')?.verdict;
  }

  private async tryOne({ way, request }: Planned, later: readonly Planned[]): Promise<Tried> {
    const { audience } = this.conductor;
    if (this.endedBy !== null) return notTried(way, this.endedBy === interruptedText ? 'interrupted.' : noControl);
    const reserveMs = await this.reserveMs();
    const expectedMs = expectedRunMs(request);
    if (!this.budget.fits(expectedMs + reserveMs)) {
      const takes = Math.ceil(this.budget.inTruth(expectedMs) / 1000);
      return notTried(way, `no time: it takes some ${takes} s, which do not fit into --minutes ${this.asked.minutes}.`);
    }
    const left = later.reduce((sum, one) => sum + expectedRunMs(one.request), expectedMs + reserveMs);
    audience.say(
      `${way.id}, ${way.name}: about ${leftInWords(Math.min(this.budget.inTruth(left), this.budget.leftMs()))}\n`,
    );
    return await this.run(way, request);
  }

  /** A hiccup of the machine should not cost what might lose nothing: each such run is made once more, if there is time. */
  private async tryAgain(planned: readonly Planned[]): Promise<void> {
    for (const one of planned) {
      const before = this.tried.get(one.way.id);
      if (before?.kind !== 'measured' || !mightBeClean(before) || this.endedBy !== null) continue;
      const again = await this.tryOne(one, []);
      if (again.kind === 'measured') this.tried.set(one.way.id, again);
    }
  }

  /** What the second run of the best one so far takes. */
  private async reserveMs(): Promise<number> {
    const decision = decide([...this.tried.values()], new Map());
    return decision.kind === 'confirm'
      ? expectedRunMs(await requestFor(this.asked, decision.next.way, this.asked.restarts))
      : 0;
  }

  /** The second run of a way that lost nothing, with as many restarts as there is time for. */
  private async confirm({ way, verdict }: Measured): Promise<Second> {
    const { minutes, restarts: most } = this.asked;
    if (this.endedBy !== null) return notTried(way, 'it was interrupted before a second run.');
    for (let restarts = most; restarts > verdict.restarts; restarts--) {
      const request = await requestFor(this.asked, way, restarts);
      const expectedMs = expectedRunMs(request);
      if (!this.budget.fits(expectedMs)) continue;
      this.conductor.audience.say(
        `${way.id} lost nothing, and is run again with ${restarts} restarts: about ${leftInWords(this.budget.inTruth(expectedMs))}\n`,
      );
      return await this.run(way, { ...request, place: 'again' });
    }
    return notTried(
      way,
      most > verdict.restarts
        ? `there was no time for a second run of more restarts (--minutes ${minutes}).`
        : 'a second run would have had no more restarts (--restarts).',
    );
  }

  private async run(way: Way, request: RunRequest): Promise<Tried> {
    const { audience } = this.conductor;
    const beganMs = performance.now();
    try {
      const { verdict, folder } = await conductRun(this.conductor, request, this.controlsFor(way));
      audience.signal.throwIfAborted();
      audience.say(`${verdict.verdict}: ${verdict.citation}\n`);
      for (const reason of verdict.verdict === 'inconclusive' ? verdict.reasons : []) audience.say(`  ${reason}\n`);
      this.budget.ended(performance.now() - beganMs, expectedRunMs(request));
      return { kind: 'measured', way, verdict, folder, drops: await dropsOf(folder, verdict) };
    } catch (error) {
      if (audience.signal.aborted) {
        this.endedBy = interruptedText;
        return notTried(way, 'interrupted.');
      }
      this.firstError ??= error;
      audience.say(`${way.id} could not be run: ${messageOf(error)}\n`);
      return notTried(way, `it could not be run: ${messageOf(error)}`);
    }
  }

  /** A plain restart is its own C+. */
  private controlsFor({ id }: Way): ControlsMade<Verdict> | null {
    if (this.controls === null || id !== bareId) return this.controls;
    return { ...this.controls, controls: this.controls.controls.filter(({ role }) => role === 'C0') };
  }
}

const interruptedText = 'It was interrupted: this is what was measured until then.';

function notTried(way: Way, why: string): NotTried {
  return { kind: 'not-tried', way, why };
}

/** The drops of a run by method and cause. */
async function dropsOf(folder: string, { dropped }: Verdict): Promise<Measured['drops']> {
  if (dropped === 0) return [];
  const { database } = await openRunDatabase(folder);
  try {
    return await database.all(
      'select method, cause, count(*)::integer as count from requests where dropped group by all order by count desc',
    );
  } finally {
    await database.close();
  }
}
