/**
 * Reconciliation by request id: every row of the client's ledger beside its line in the proxy's access log and in the
 * site's own log. What does not agree is listed row by row; every drop is given its cause.
 */
import { askedMs, expectedBodyCrc32 } from '../load/request.ts';
import { dueUsOf } from '../load/pacer.ts';
import { isDropped, isOwnFault, type LedgerRow, type Outcome } from '../load/row.ts';
import { causeOf, toleranceUs, type Cause, type CauseSources } from './cause.ts';
import { plainNumberAfter } from './request-id.ts';
import type { Access, RequestTable, Site } from './request-table.ts';
import type { Reconciliation } from './verdict.ts';

/** Disagreements, and unexplained rows, that are listed. */
const mostListed = 50;

/** Outcomes without a byte of an answer. */
const unanswered: ReadonlySet<Outcome> = new Set<Outcome>([
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'unreachable',
  'unsent',
]);

/** Of nearly every row. */
const nothing: readonly string[] = [];

/** What the rows are held against. */
export interface ReconcilerOptions extends CauseSources {
  readonly idPrefix: string;
  readonly ratePerSecond: number;
  readonly hasSiteLog: boolean;
  readonly originMonotonicUs: number;
  readonly table: RequestTable;
}

/** What the witnesses say of one row. */
export interface Reconciled {
  /** What does not agree; empty when all do. */
  readonly wrong: readonly string[];
  /** Of a drop: its cause, or null where no witness shows one. */
  readonly cause: Cause | null;
  readonly access: Access | null;
  readonly site: readonly Site[];
}

/** Takes the rows, once the witnesses are complete. */
export class Reconciler {
  private readonly options: ReconcilerOptions;
  private readonly disagreements: Reconciliation['disagreements'] = [];
  private readonly causes: Record<string, number> = {};
  private readonly examples: Reconciliation['examples'] = {};
  private readonly unexplainedRows: number[] = [];
  private rows = 0;
  private disagreeing = 0;
  private unexplained = 0;

  constructor(options: ReconcilerOptions) {
    this.options = options;
  }

  addRow(row: LedgerRow): Reconciled {
    this.rows++;
    const { table } = this.options;
    const access = table.accessOf(row.seq);
    const site = table.siteOf(row.seq);
    const alone = this.withItself(row);
    const besideProxy = this.withProxy(row, access);
    const besideSite = this.withSite(row, site);
    const isRight = alone.length === 0 && besideProxy.length === 0 && besideSite.length === 0;
    const wrong = isRight ? nothing : [...alone, ...besideProxy, ...besideSite];
    if (wrong.length > 0) {
      this.disagreeing++;
      if (this.disagreements.length < mostListed) this.disagreements.push({ seq: row.seq, what: wrong.join('; ') });
    }
    if (!isDropped(row.outcome)) return { wrong, cause: null, access, site };
    const found = causeOf(row, access, site, this.options);
    if (found === null) {
      this.unexplained++;
      if (this.unexplainedRows.length < mostListed) this.unexplainedRows.push(row.seq);
    } else {
      const { cause, file, line } = found;
      this.causes[cause] = (this.causes[cause] ?? 0) + 1;
      this.examples[cause] ??= { seq: row.seq, file, line };
    }
    return { wrong, cause: found, access, site };
  }

  /** What a row must be, whatever happened. */
  private withItself(row: LedgerRow): readonly string[] {
    const wrong: string[] = [];
    const { seq, dueUs, sentUs, connectedUs, firstByteUs, doneUs, outcome, status } = row;
    if (dueUs !== dueUsOf(seq, this.options.ratePerSecond)) wrong.push(`it was not due at ${dueUs} µs`);
    if (!isIdOf(row, this.options.idPrefix)) wrong.push(`its id is ${row.requestId}`);
    if (!areRising(dueUs, sentUs, connectedUs, firstByteUs, doneUs)) wrong.push('its times are not in order');
    const statusOf = outcome === 'ok' ? undefined : /^status-(\d+)$/u.exec(outcome)?.[1];
    if (statusOf !== undefined && Number(statusOf) !== status) wrong.push(`${outcome} with status ${status ?? 'none'}`);
    if (outcome === 'ok' && (status === null || status < 200 || status > 299)) {
      wrong.push(`ok with status ${status ?? 'none'}`);
    }
    if (outcome === 'ok' && row.connection === 'new' && connectedUs === null)
      wrong.push('answered, and never connected');
    if (unanswered.has(outcome) && (status !== null || firstByteUs !== null)) {
      wrong.push(`${outcome} of a request that was answered${status === null ? '' : ` ${status}`}`);
    }
    if (sentUs === null && !isOwnFault(outcome) && outcome !== 'refused' && outcome !== 'connect-timeout') {
      wrong.push(`${outcome} of a request that was never sent`);
    }
    // Timers are good to a millisecond, and may fire one early.
    if (outcome === 'ok' && doneUs - dueUs < askedMs(row.path) * 1000 - 2_000) {
      wrong.push('answered sooner than the time it asked the site to take');
    }
    return wrong;
  }

  private withProxy(row: LedgerRow, access: Access | null): readonly string[] {
    // That there is one line for each request written is the proxy witness's own count.
    if (!this.options.hasProxy || access === null) return nothing;
    const wrong: string[] = [];
    if (row.outcome === 'ok' && !access.hasBackend) wrong.push(`ok, and by the proxy itself (line ${access.line})`);
    if (access.method !== row.method || access.path !== row.path) {
      wrong.push(`the proxy's log has ${access.method} ${access.path} (line ${access.line})`);
    }
    if (row.status !== null && row.status !== access.status) {
      wrong.push(`${row.status} here, ${access.status} in the proxy's log (line ${access.line})`);
    }
    if (row.outcome === 'ok' && row.version !== access.version) {
      wrong.push(
        `version ${row.version ?? 'none'} here, ${access.version ?? 'none'} in the proxy's log (line ${access.line})`,
      );
    }
    if (row.status !== null && row.outcome !== 'truncated' && row.bytes !== access.bytes) {
      wrong.push(`${row.bytes} bytes here, ${access.bytes} in the proxy's log (line ${access.line})`);
    }
    const startUs = access.startWallUs - this.options.originWallUs;
    const endUs = startUs + access.durationUs;
    if (startUs < (row.sentUs ?? row.dueUs) - toleranceUs || startUs > row.doneUs + toleranceUs) {
      wrong.push(
        `the proxy saw it begin at ${Math.round(startUs)} µs (line ${access.line}), which is not while it was under way`,
      );
    }
    if (unanswered.has(row.outcome) && access.status < 500 && endUs < row.doneUs - toleranceUs) {
      wrong.push(`${row.outcome} here, and answered ${access.status} by the proxy (line ${access.line})`);
    }
    if (row.outcome === 'ok' && endUs > row.doneUs + toleranceUs) {
      wrong.push(
        `the proxy ended it at ${Math.round(endUs)} µs (line ${access.line}), after the client had its answer`,
      );
    }
    return wrong;
  }

  private withSite(row: LedgerRow, site: readonly Site[]): readonly string[] {
    if (!this.options.hasSiteLog) return nothing;
    if (row.outcome !== 'ok' && row.version === null) return nothing;
    const isAnswer = ({ status, isCut }: Site): boolean =>
      status === row.status && (!isCut || row.outcome === 'truncated');
    const answered = site.find(isAnswer);
    if (answered === undefined) {
      return this.diedBeforeItsLine(row) ? nothing : [`the site's log has no answer ${row.status ?? ''} to it`];
    }
    const match = site.find((line) => isAnswer(line) && line.version === row.version && line.instance === row.instance);
    if (match === undefined) return [`the site's log names another process (line ${answered.line})`];
    const { originMonotonicUs } = this.options;
    const [receivedUs, answeredUs] = [match.receivedUs - originMonotonicUs, match.answeredUs - originMonotonicUs];
    const wrong: string[] = [];
    if (receivedUs < (row.sentUs ?? row.dueUs) - toleranceUs || receivedUs > row.doneUs + toleranceUs) {
      wrong.push(`the site read it at ${receivedUs} µs (line ${match.line}), which is not while it was under way`);
    }
    if (row.doneUs < answeredUs - toleranceUs) {
      wrong.push(`the site answered at ${answeredUs} µs (line ${match.line}), after the client had its answer`);
    }
    if (match.bodyCrc32 !== row.bodyCrc32 && row.outcome !== 'truncated') {
      wrong.push(`the site answered with another body than the one that arrived (line ${match.line})`);
    }
    const isRightBody = row.bodyCrc32 === expectedBodyCrc32(row);
    if ((row.outcome === 'ok' && !isRightBody) || (row.outcome === 'wrong' && isRightBody)) {
      wrong.push(`${row.outcome} with a body that is ${isRightBody ? '' : 'not '}the one asked for`);
    }
    if (match.method !== row.method || match.path !== row.path) {
      wrong.push(`the site's log has ${match.method} ${match.path} (line ${match.line})`);
    }
    return wrong;
  }

  /** A process that dies of a signal may have answered, and not yet written its line. */
  private diedBeforeItsLine({ doneUs }: LedgerRow): boolean {
    return this.options.windows.some(
      ({ retireUs, exitUs, acceptStoppedUs }) =>
        exitUs !== null &&
        acceptStoppedUs === exitUs &&
        doneUs >= (retireUs ?? exitUs) &&
        doneUs <= exitUs + toleranceUs,
    );
  }

  result(): Reconciliation {
    return {
      rows: this.rows,
      disagreeing: this.disagreeing,
      disagreements: this.disagreements,
      causes: this.causes,
      examples: this.examples,
      unexplained: this.unexplained,
      unexplainedRows: this.unexplainedRows,
    };
  }
}

function isIdOf({ requestId, seq }: LedgerRow, prefix: string): boolean {
  // Nearly all are told by their digits, without a text being made.
  const isPlain = requestId.startsWith(prefix) && plainNumberAfter(requestId, prefix.length) === seq;
  return isPlain || requestId === `${prefix}${seq}`;
}

/** In order, as far as each is known. */
function areRising(dueUs: number, ...times: readonly (number | null)[]): boolean {
  let lastUs = dueUs;
  for (const us of times) {
    if (us == null) continue;
    if (us < lastUs) return false;
    lastUs = us;
  }
  return true;
}
