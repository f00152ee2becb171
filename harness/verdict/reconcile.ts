/**
 * Reconciliation by request id: every row of the client's ledger beside its line in the proxy's access log and in the
 * site's own log. What does not agree is listed row by row; and every drop is given a cause out of a witness other than
 * the client, by file and line.
 */
import { askedMs } from '../load/request.ts';
import { dueUsOf } from '../load/pacer.ts';
import { isDropped, isOwnFault, type LedgerRow, type Outcome } from '../load/row.ts';
import type { AccessLine } from '../timeline/access-log.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { Reconciliation } from './verdict.ts';

/** A line of the site's request log. */
export interface SiteLine {
  readonly request: string | null;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  /** CLOCK_MONOTONIC. */
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly version: string;
  readonly instance: string;
  readonly store?: { readonly waitMs: number; readonly code: string };
  readonly outcome?: 'cut';
}

/** Where a line was found. */
export interface Citation {
  /** Name of the file within the run's folder. */
  readonly file: string;
  /** Number of the line in it, from 1. */
  readonly line: number;
}

/** Disagreements, and unexplained rows, that are listed. */
const mostListed = 50;

/**
 * The proxy's wall clock is translated by one offset, and its stamps are taken before and after the client's by as long as
 * a busy machine keeps a process waiting.
 */
const toleranceUs = 50_000;

const files = { access: 'witnesses/access.ndjson.gz', site: 'witnesses/site-requests.ndjson.gz' } as const;

/** Outcomes without a byte of an answer. */
const unanswered: ReadonlySet<Outcome> = new Set<Outcome>([
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'unreachable',
  'unsent',
]);

interface Access extends AccessLine {
  readonly line: number;
}
interface Site extends SiteLine {
  readonly line: number;
}

/** Takes the witnesses first, then the rows. */
export class Reconciler {
  private readonly options: {
    readonly idPrefix: string;
    readonly ratePerSecond: number;
    readonly hasProxy: boolean;
    readonly hasSiteLog: boolean;
    readonly originMonotonicUs: number;
    readonly wallOffsetUs: number;
    /** Of the proxy's check: so long it may go on asking a colour that has closed its port; 0 without one. */
    readonly checkIntervalUs: number;
  };
  private readonly windows: readonly RestartWindow[];
  private readonly access = new Map<number, Access>();
  private readonly site = new Map<number, Site[]>();
  private readonly disagreements: Reconciliation['disagreements'] = [];
  private readonly causes: Record<string, number> = {};
  private readonly examples: Reconciliation['examples'] = {};
  private readonly unexplainedRows: number[] = [];
  private rows = 0;
  private disagreeing = 0;
  private unexplained = 0;
  private accessLines = 0;
  private siteLines = 0;

  constructor(options: Reconciler['options'], windows: readonly RestartWindow[]) {
    this.options = options;
    this.windows = windows;
  }

  addAccess(line: AccessLine): void {
    this.accessLines++;
    const seq = this.seqOf(line.requestId);
    if (seq !== null) this.access.set(seq, { ...line, line: this.accessLines });
  }

  addSite(line: SiteLine): void {
    this.siteLines++;
    const seq = this.seqOf(line.request ?? '');
    if (seq === null) return;
    const before = this.site.get(seq);
    const numbered = { ...line, line: this.siteLines };
    if (before === undefined) this.site.set(seq, [numbered]);
    else before.push(numbered);
  }

  private seqOf(id: string): number | null {
    if (!id.startsWith(this.options.idPrefix)) return null;
    const seq = Number(id.slice(this.options.idPrefix.length));
    return Number.isInteger(seq) ? seq : null;
  }

  addRow(row: LedgerRow): void {
    this.rows++;
    const access = this.access.get(row.seq);
    const site = this.site.get(row.seq) ?? [];
    const wrong = [...this.withItself(row), ...this.withProxy(row, access), ...this.withSite(row, site)];
    if (wrong.length > 0) {
      this.disagreeing++;
      if (this.disagreements.length < mostListed) this.disagreements.push({ seq: row.seq, what: wrong.join('; ') });
    }
    if (isDropped(row.outcome)) this.explain(row, access, site);
  }

  /** What a row must be, whatever happened. */
  private withItself(row: LedgerRow): string[] {
    const wrong: string[] = [];
    const { seq, dueUs, sentUs, connectedUs, firstByteUs, doneUs, outcome, status } = row;
    if (dueUs !== dueUsOf(seq, this.options.ratePerSecond)) wrong.push(`it was not due at ${dueUs} µs`);
    if (row.requestId !== `${this.options.idPrefix}${seq}`) wrong.push(`its id is ${row.requestId}`);
    const times = [sentUs, connectedUs, firstByteUs, doneUs].filter((us) => us !== null);
    if (times.some((us, index) => us < (times[index - 1] ?? dueUs))) wrong.push('its times are not in order');
    const statusOf = /^status-(\d+)$/u.exec(outcome)?.[1];
    if (statusOf !== undefined && Number(statusOf) !== status) wrong.push(`${outcome} with status ${status ?? 'none'}`);
    if (outcome === 'ok' && (status === null || status < 200 || status > 299)) {
      wrong.push(`ok with status ${status ?? 'none'}`);
    }
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

  private withProxy(row: LedgerRow, access: Access | undefined): string[] {
    // That there is one line for each request written is the proxy witness's own count.
    if (!this.options.hasProxy || access === undefined) return [];
    const wrong: string[] = [];
    if (access.method !== row.method || access.path !== row.path) {
      wrong.push(`the proxy's log has ${access.method} ${access.path} (line ${access.line})`);
    }
    if (row.status !== null && row.status !== access.status) {
      wrong.push(`${row.status} here, ${access.status} in the proxy's log (line ${access.line})`);
    }
    if (row.outcome === 'ok' && row.version !== (access.version ?? null)) {
      wrong.push(
        `version ${row.version ?? 'none'} here, ${access.version ?? 'none'} in the proxy's log (line ${access.line})`,
      );
    }
    if (row.status !== null && row.outcome !== 'truncated' && row.bytes !== access.bytes) {
      wrong.push(`${row.bytes} bytes here, ${access.bytes} in the proxy's log (line ${access.line})`);
    }
    const startUs = access.startWallUs - this.options.wallOffsetUs - this.options.originMonotonicUs;
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

  private withSite(row: LedgerRow, site: readonly Site[]): string[] {
    if (!this.options.hasSiteLog) return [];
    if (row.outcome !== 'ok' && row.version === null) return [];
    const answered = site.filter((line) => line.status === row.status && line.outcome === undefined);
    if (answered.length === 0) {
      return this.diedBeforeItsLine(row) ? [] : [`the site's log has no answer ${row.status ?? ''} to it`];
    }
    const match = answered.find(({ version, instance }) => version === row.version && instance === row.instance);
    if (match === undefined) return [`the site's log names another process (line ${answered[0]?.line ?? '?'})`];
    const { originMonotonicUs } = this.options;
    const [receivedUs, answeredUs] = [match.receivedUs - originMonotonicUs, match.answeredUs - originMonotonicUs];
    const wrong: string[] = [];
    if (receivedUs < (row.sentUs ?? row.dueUs) - toleranceUs || receivedUs > row.doneUs + toleranceUs) {
      wrong.push(`the site read it at ${receivedUs} µs (line ${match.line}), which is not while it was under way`);
    }
    if (row.doneUs < answeredUs - toleranceUs) {
      wrong.push(`the site answered at ${answeredUs} µs (line ${match.line}), after the client had its answer`);
    }
    if (match.method !== row.method || match.path !== row.path) {
      wrong.push(`the site's log has ${match.method} ${match.path} (line ${match.line})`);
    }
    return wrong;
  }

  /** A process that dies of a signal may have answered, and not yet written its line. */
  private diedBeforeItsLine({ doneUs }: LedgerRow): boolean {
    return this.windows.some(
      ({ retireUs, exitUs, acceptStoppedUs }) =>
        exitUs !== null &&
        acceptStoppedUs === exitUs &&
        doneUs >= (retireUs ?? exitUs) &&
        doneUs <= exitUs + toleranceUs,
    );
  }

  private explain(row: LedgerRow, access: Access | undefined, site: readonly Site[]): void {
    const found = this.causeOf(row, access, site);
    if (found === null) {
      this.unexplained++;
      if (this.unexplainedRows.length < mostListed) this.unexplainedRows.push(row.seq);
      return;
    }
    const [cause, citation] = found;
    this.causes[cause] = (this.causes[cause] ?? 0) + 1;
    this.examples[cause] ??= { seq: row.seq, ...citation };
  }

  /** The cause of a drop, and the witness's line that shows it; null where no witness other than the client has one. */
  private causeOf(
    row: LedgerRow,
    access: Access | undefined,
    site: readonly Site[],
  ): [cause: string, citation: Citation] | null {
    const said = site.find(({ status, outcome }) => outcome === undefined && status !== null && status === row.status);
    if (said !== undefined && row.version !== null) {
      const code = said.store === undefined || said.store.code === 'OK' ? '' : ` (${said.store.code})`;
      return [`the site itself answered ${said.status ?? ''}${code}`, { file: files.site, line: said.line }];
    }
    const cut = site.find(({ outcome }) => outcome === 'cut');
    if (cut !== undefined) {
      return ['the site’s process ended with the request under way', { file: files.site, line: cut.line }];
    }
    if (access === undefined) return this.withoutProxy(row);
    const { status, line } = access;
    const citation = { file: files.access, line };
    if (status === 404 && access.backend === undefined) return ['the proxy had no route', citation];
    if (status === 503 && access.backend === undefined) return ['the proxy held no backend to be up', citation];
    const atUs = access.startWallUs - this.options.wallOffsetUs - this.options.originMonotonicUs;
    if ((status === 502 || status === 500) && access.backend !== undefined) {
      const window = this.windowAt(atUs, atUs + access.durationUs);
      // Outside every restart nothing closes a port: then the proxy's word alone is no cause.
      if (window === null) return null;
      return [window, citation];
    }
    return null;
  }

  /** What the timeline says of the backend while the proxy tried it; null where it says that nothing happened. */
  private windowAt(fromUs: number, toUs: number): string | null {
    for (const window of this.windows) {
      const { acceptStoppedUs, acceptingUs, exitUs, retireUs } = window;
      if (acceptStoppedUs === null) continue;
      const isSwap = acceptingUs !== null && acceptingUs < acceptStoppedUs;
      const noticedUs = acceptStoppedUs + 2 * this.options.checkIntervalUs;
      const endUs = isSwap ? noticedUs : (acceptingUs ?? Infinity);
      if (toUs >= acceptStoppedUs && fromUs <= endUs + toleranceUs)
        return 'refused or reset: the backend’s port was closed, or its queue was lost';
      if (toUs >= (retireUs ?? acceptStoppedUs) && fromUs <= (exitUs ?? acceptStoppedUs) + toleranceUs) {
        return 'reset: written to a process that was leaving';
      }
    }
    return null;
  }

  /** Without a proxy the client's own outcome is all, but the site's end is a witness of it. */
  private withoutProxy(row: LedgerRow): [string, Citation] | null {
    if (this.options.hasProxy) return null;
    const window = this.windowAt(row.sentUs ?? row.dueUs, row.doneUs);
    return window === null ? null : [window, { file: 'timeline.ndjson', line: 0 }];
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
