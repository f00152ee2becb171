/**
 * Reconciliation by request id: every row of the client's ledger beside its line in the proxy's access log and in the
 * site's own log. What does not agree is listed row by row; every drop is given its cause.
 */
import { isDropped, type LedgerRow } from '../run/ledger.ts';
import {
  causeOf,
  diedBeforeItsLine,
  oneClockUs,
  passedOnWhole,
  toleranceUs,
  type Cause,
  type CauseSources,
} from './cause.ts';
import type { Access, RequestTable, Site } from './request-table.ts';
import { isSuccess } from './row-alone.ts';
import type { Reconciliation } from './verdict.ts';
import { transitAboveMs } from './waits.ts';
import { expectedBodyBytes } from '../run/site-requests.ts';

/** Disagreements, and unexplained rows, that are listed. */
const mostListed = 50;

/** Of nearly every row. */
const nothing: readonly string[] = [];

/** What the rows are held against. */
export interface ReconcilerOptions extends CauseSources {
  readonly hasSiteLog: boolean;
  /** A proxy that tries again may ask the site several times. */
  readonly isOnlyTry: boolean;
  readonly originMonotonicUs: number;
  /** So far the wall clock, by which the proxy stamps, may be from the one by which client and site do. */
  readonly wallClockUs: number;
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
  private readonly hasProxyDied: boolean;
  private readonly disagreements: Reconciliation['disagreements'] = [];
  private readonly causes: Record<string, number> = {};
  private readonly examples: Reconciliation['examples'] = {};
  private readonly unexplainedRows: number[] = [];
  private rows = 0;
  private disagreeing = 0;
  private unexplained = 0;

  constructor(options: ReconcilerOptions) {
    this.options = options;
    this.hasProxyDied = options.engine.some(({ action, role }) => action === 'die' && role === 'edge');
  }

  /** @param alone what is wrong with the row by itself */
  addRow(row: LedgerRow, alone: readonly string[]): Reconciled {
    this.rows++;
    const { table } = this.options;
    const access = table.accessOf(row.seq);
    const site = table.siteOf(row.seq);
    const besideProxy = this.withProxy(row, access);
    const besideSite = this.withSite(row, site, access);
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
    if (startUs < (row.sentUs ?? row.dueUs) - this.options.wallClockUs || startUs > row.doneUs + toleranceUs) {
      wrong.push(
        `the proxy saw it begin at ${Math.round(startUs)} µs (line ${access.line}), which is not while it was under way`,
      );
    }
    if (this.wasAnswered(row, access, endUs)) {
      wrong.push(`${row.outcome} here, and answered ${access.status} by the proxy (line ${access.line})`);
    }
    if (row.outcome.startsWith('status-') && row.doneUs > endUs + transitAboveMs * 1000) {
      wrong.push(
        `the proxy ended it at ${Math.round(endUs)} µs (line ${access.line}), long before the client was done`,
      );
    }
    if (row.outcome === 'ok' && endUs > row.doneUs + toleranceUs) {
      wrong.push(
        `the proxy ended it at ${Math.round(endUs)} µs (line ${access.line}), after the client had its answer`,
      );
    }
    return wrong;
  }

  /**
   * By the proxy's line the client must have had an answer, and says that it had none: one that ended long before, or one
   * that the proxy sent in one piece. Of a proxy that died nobody knows what it still sent.
   */
  private wasAnswered(row: LedgerRow, access: Access, endUs: number): boolean {
    if (row.status !== null || this.hasProxyDied) return false;
    if (endUs < row.doneUs - toleranceUs) return true;
    // Client and proxy may give up at the same moment, and 499 is the proxy's word for a client that went away.
    if (row.outcome === 'timeout' || row.outcome === 'connect-timeout' || access.status === 499) return false;
    const isOwn = access.version === null && access.status >= 400;
    return (isOwn || passedOnWhole(row, access)) && endUs <= row.doneUs + toleranceUs;
  }

  private withSite(row: LedgerRow, site: readonly Site[], access: Access | null): readonly string[] {
    if (!this.options.hasSiteLog) return nothing;
    const impossible = this.impossibleLines(row, site, access);
    if (row.outcome !== 'ok' && row.version === null) return impossible;
    const isAnswer = ({ status, isCut }: Site): boolean => status === row.status && !isCut;
    const answered = site.find(isAnswer);
    if (answered === undefined) {
      return diedBeforeItsLine(row.doneUs, this.options.windows)
        ? nothing
        : [`the site's log has no answer ${row.status ?? ''} to it`];
    }
    const match = site.find((line) => isAnswer(line) && line.version === row.version && line.instance === row.instance);
    if (match === undefined) return [`the site's log names another process (line ${answered.line})`];
    const { originMonotonicUs } = this.options;
    const [receivedUs, answeredUs] = [match.receivedUs - originMonotonicUs, match.answeredUs - originMonotonicUs];
    const wrong: string[] = [];
    if (access !== null && row.outcome === 'ok') wrong.push(...this.outOfOrder(access, match));
    if (receivedUs < (row.sentUs ?? row.dueUs) - oneClockUs) {
      wrong.push(`the site read it at ${receivedUs} µs (line ${match.line}), which is not while it was under way`);
    }
    if (row.doneUs < answeredUs - oneClockUs) {
      wrong.push(`the site answered at ${answeredUs} µs (line ${match.line}), after the client had its answer`);
    }
    if (match.bodyCrc32 !== row.bodyCrc32) {
      wrong.push(`the site answered with another body than the one that arrived (line ${match.line})`);
    }
    if (match.method !== row.method || match.path !== row.path) {
      wrong.push(`the site's log has ${match.method} ${match.path} (line ${match.line})`);
    }
    return [...wrong, ...impossible];
  }

  /** The proxy has a request before it hands it on, and its answer after the site gave it. */
  private outOfOrder(access: Access, { receivedUs, answeredUs, line }: Site): readonly string[] {
    const { originWallUs, originMonotonicUs, wallClockUs } = this.options;
    const startUs = access.startWallUs - originWallUs;
    const endUs = startUs + access.durationUs;
    const readUs = receivedUs - originMonotonicUs;
    const isReadFirst = readUs < startUs - wallClockUs;
    if (!isReadFirst && endUs >= answeredUs - originMonotonicUs - wallClockUs) return nothing;
    return [
      isReadFirst
        ? `the site read it at ${readUs} µs (line ${line}), before the proxy had it (line ${access.line})`
        : `the proxy ended it at ${Math.round(endUs)} µs (line ${access.line}), before the site answered (line ${line})`,
    ];
  }

  /** What the site's own log cannot hold of one request. */
  private impossibleLines(row: LedgerRow, site: readonly Site[], access: Access | null): readonly string[] {
    const [first] = site;
    if (first === undefined) return nothing;
    const { line } = first;
    const wrong: string[] = [];
    const { isOnlyTry, hasProxy } = this.options;
    for (const [index, one] of site.entries()) {
      const isTwice = site.some(
        ({ instance, receivedUs }, other) =>
          other < index && instance === one.instance && receivedUs === one.receivedUs,
      );
      if (isTwice) wrong.push(`the site's log has one try of it twice (line ${one.line})`);
      if (one.answeredUs < one.receivedUs) wrong.push(`the site answered it before it read it (line ${one.line})`);
      if (isSuccess(one.status) && one.code !== '' && one.code !== 'OK') {
        wrong.push(`the site answered ${one.status ?? ''} to what SQLite refused (line ${one.line})`);
      }
    }
    // A GET the proxy's transport may write again, on a connection that died; a POST it does not.
    const whole = site.filter(({ isCut }) => !isCut);
    if (isOnlyTry && row.method === 'POST' && whole.length > 1) {
      wrong.push(`the site answered it ${whole.length} times (line ${line})`);
    }
    if (hasProxy && isOnlyTry && access?.hasBackend === false) {
      wrong.push(`the site has it (line ${line}), and the proxy asked nobody (line ${access.line})`);
    }
    if (row.outcome === 'truncated' && row.bytes >= (expectedBodyBytes(row) ?? Infinity)) {
      wrong.push('truncated with all of the body');
    }
    return wrong.length === 0 ? nothing : wrong;
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
