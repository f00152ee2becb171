/** The direct probe's rows, held against themselves and against what the site's own log says of each. */
import type { LedgerRow } from '../run/ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import { diedBeforeItsLine, oneClockUs } from './cause.ts';
import type { RestartWindow } from './restart-windows.ts';
import { wrongAlone } from './row-alone.ts';
import type { SiteLine } from './site-columns.ts';
import { dueUsOf } from '../experiment/load-schedule.ts';
import { labDeadlineMs, probePath } from '../run/site-requests.ts';

/** The client waits no longer than this for an answer that has been given, unless it stood still. */
const answerUnderwayUs = 500_000;

/** What the site's log has of one request of the probe. */
export interface ProbeAnswer {
  /** The first line of it, from 1, and how many there are. */
  readonly line: number;
  readonly times: number;
  readonly status: number | null;
  /** CLOCK_MONOTONIC. */
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly version: string;
  readonly instance: string;
  readonly bodyCrc32: number | null;
  readonly isCut: boolean;
}

/** By the id of the request: some twenty a second, whatever the load's rate. */
export type ProbeAnswers = ReadonlyMap<string, ProbeAnswer>;

/** What the ids of a run's direct probe begin with. */
export function probePrefixOf(runId: string): string {
  return `${runId}-direct-1-`;
}

/** Collects them from the lines of the site's log. */
export class ProbeAnswerCount {
  readonly answers = new Map<string, ProbeAnswer>();
  private readonly prefix: string;
  private lines = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  add({ request, status, receivedUs, answeredUs, version, instance, bodyCrc32, outcome }: SiteLine): void {
    this.lines++;
    if (typeof request !== 'string' || !request.startsWith(this.prefix)) return;
    const before = this.answers.get(request);
    if (before !== undefined) this.answers.set(request, { ...before, times: before.times + 1 });
    else {
      const said = { status, receivedUs, answeredUs, version, instance, bodyCrc32: bodyCrc32 ?? null };
      this.answers.set(request, { line: this.lines, times: 1, ...said, isCut: outcome === 'cut' });
    }
  }
}

/** Outcomes of a request that was never read by anybody. */
const unread: ReadonlySet<string> = new Set(['refused', 'unsent']);
/** Outcomes that have no status. */
const withoutStatus: ReadonlySet<string> = new Set([...unread, 'connect-timeout']);

/** Rows first, in the order of the file; then what was found. */
export class DirectCheck {
  private readonly of: {
    readonly runId: string;
    readonly ratePerSecond: number;
    /** CLOCK_MONOTONIC of the run's zero. */
    readonly originMonotonicUs: number;
    readonly answers: ProbeAnswers;
    readonly windows: readonly RestartWindow[];
  };
  private readonly seen = new Set<number>();
  private shiftUs: number | null = null;
  private lastSeq = -1;
  private lastDueUs = 0;
  private wrong = 0;
  private first: string | null = null;
  /** Of each body, by its check sum, how long it was first. */
  private readonly bytesOf = new Map<number, number>();

  constructor(of: DirectCheck['of']) {
    this.of = of;
  }

  add(row: LedgerRow): void {
    const { seq } = row;
    const again = this.seen.has(seq);
    this.seen.add(seq);
    this.lastSeq = Math.max(this.lastSeq, seq);
    this.lastDueUs = Math.max(this.lastDueUs, row.dueUs);
    const what = again
      ? 'is there more than once'
      : (this.asPlanned(row) ?? asItself(row) ?? this.asTheSiteSays(row) ?? this.alone(row));
    if (what !== null) this.note(`row ${seq} ${what}`);
  }

  /** Its id and its due time follow from its number; all due times are shifted by the probe's own beginning. */
  private asPlanned({ seq, dueUs, requestId }: LedgerRow): string | null {
    const { runId, ratePerSecond } = this.of;
    if (requestId !== `${probePrefixOf(runId)}${seq}`) return `has the id ${requestId}`;
    const shiftUs = dueUs - dueUsOf(seq, ratePerSecond);
    this.shiftUs ??= shiftUs;
    return shiftUs === this.shiftUs ? null : `was due at ${dueUs} µs, which is not its place in the schedule`;
  }

  /** As the load generator makes rows; its times are counted from the probe's own beginning. */
  private alone(row: LedgerRow): string | null {
    const { method, path, connection, bytes, bodyCrc32 } = row;
    if (method !== 'GET' || path !== probePath || connection !== 'new') {
      return `asks for ${method} ${path} on a ${connection} connection`;
    }
    const own = (us: number): number => us - (this.shiftUs ?? 0);
    const ownOrNull = (us: number | null): number | null => (us === null ? null : own(us));
    const times = {
      dueUs: own(row.dueUs),
      sentUs: ownOrNull(row.sentUs),
      connectedUs: ownOrNull(row.connectedUs),
      firstByteUs: ownOrNull(row.firstByteUs),
      doneUs: own(row.doneUs),
    };
    const { runId, ratePerSecond } = this.of;
    const rules = { idPrefix: probePrefixOf(runId), ratePerSecond, expectedStatus: null, deadlineMs: labDeadlineMs };
    const [wrong] = wrongAlone({ ...row, ...times }, rules);
    if (wrong !== undefined) return `is none that a load generator makes: ${wrong}`;
    if (bodyCrc32 === null) return null;
    const known = this.bytesOf.get(bodyCrc32) ?? bytes;
    this.bytesOf.set(bodyCrc32, known);
    return bytes === known ? null : `has ${bytes} bytes of a body that has ${known} elsewhere`;
  }

  private asTheSiteSays(row: LedgerRow): string | null {
    const answer = this.of.answers.get(row.requestId);
    const isAnswered = row.outcome === 'ok' || row.outcome.startsWith('status-');
    if (answer === undefined) {
      return isAnswered && !diedBeforeItsLine(row.doneUs, this.of.windows)
        ? `is ${row.outcome}, and the site's log has no line of it`
        : null;
    }
    const at = `(line ${answer.line} of the site's log)`;
    if (answer.times > 1) return `was answered ${answer.times} times ${at}`;
    if (unread.has(row.outcome)) return `is ${row.outcome}, and the site read it ${at}`;
    if (!isAnswered) return null;
    if (answer.isCut || answer.status !== row.status) {
      return `is ${row.outcome}, and the site answered ${answer.isCut ? 'a part' : String(answer.status)} ${at}`;
    }
    if (answer.version !== row.version || answer.instance !== row.instance)
      return `was answered by another process ${at}`;
    if (answer.bodyCrc32 !== row.bodyCrc32) return `has another body than the site sent ${at}`;
    const { originMonotonicUs } = this.of;
    const [readUs, answeredUs] = [answer.receivedUs - originMonotonicUs, answer.answeredUs - originMonotonicUs];
    const isWithin = readUs >= (row.sentUs ?? row.dueUs) - oneClockUs && answeredUs <= row.doneUs + oneClockUs;
    const isInOrder = isWithin && readUs <= answeredUs;
    if (isInOrder && row.doneUs - answeredUs > answerUnderwayUs) {
      return `had its answer ${((row.doneUs - answeredUs) / 1000).toFixed(0)} ms after the site gave it ${at}`;
    }
    return isInOrder
      ? null
      : `was under way from ${row.sentUs ?? row.dueUs} to ${row.doneUs} µs, which is not when the site read and answered it ${at}`;
  }

  private note(what: string): void {
    this.wrong++;
    this.first ??= what;
  }

  /**
   * What is wrong, each a sentence.
   * @param untilUs when the load's last slot was due: the probe ends after it
   */
  doubts(untilUs: number): string[] {
    for (let seq = 0; seq < this.lastSeq; seq++) if (!this.seen.has(seq)) this.note(`row ${seq} is missing`);
    for (const [id, { line }] of this.of.answers) {
      const seq = Number(id.slice(probePrefixOf(this.of.runId).length));
      if (!this.seen.has(seq)) this.note(`${id} (line ${line} of the site's log) has no row`);
    }
    const endsUs = this.lastDueUs + 1e6 / this.of.ratePerSecond;
    if (this.seen.size > 0 && endsUs < untilUs) {
      this.note(`its last row was due at ${(this.lastDueUs / 1e6).toFixed(3)} s, before the load's last`);
    }
    if (this.first === null) return [];
    return [
      `The direct probe (${runFiles.direct}) disagrees with itself or with the site's log in ${this.wrong} places: ` +
        `${this.first}; one of them was changed after the run.`,
    ];
  }
}

/** Does the outcome fit the status? */
function asItself({ outcome, status }: LedgerRow): string | null {
  const wanted =
    outcome === 'ok' ? 200 : outcome.startsWith('status-') ? Number(outcome.slice('status-'.length)) : null;
  const isRight = wanted === null ? status === null || !withoutStatus.has(outcome) : status === wanted;
  return isRight ? null : `is ${outcome}, with the status ${status ?? 'none'}`;
}
