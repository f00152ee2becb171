/**
 * What the proxy's access log and the site's own log say of each request of the load, by the number of its slot; in
 * columns, since a run may have a million of them.
 */
import type { AccessLine } from '../run/access-log.ts';
import { slotOf, SiteColumns, type Site, type SiteLine } from './site-columns.ts';
import { WordColumn } from './word-column.ts';

export type { Site, SiteLine } from './site-columns.ts';

/** What the proxy's log has of a request. */
export interface Access {
  /** Number of the line in the log, from 1; of several lines, the last one's. */
  readonly line: number;
  /** How many lines have this request. */
  readonly times: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly startWallUs: number;
  readonly durationUs: number;
  readonly hasBackend: boolean;
  readonly version: string | null;
}

/** Filled first, asked then. */
export class RequestTable {
  private readonly prefix: string;
  private readonly slots: number;
  private readonly access: {
    line: Uint32Array;
    times: Uint8Array;
    method: WordColumn;
    path: WordColumn;
    status: Uint16Array;
    bytes: Uint32Array;
    startWallUs: Float64Array;
    durationUs: Float64Array;
    hasBackend: Uint8Array;
    version: WordColumn;
  };
  private site: SiteColumns;
  private accessLines = 0;
  private lastWallUs = 0;

  /**
   * @param slots how many slots the schedule has
   * @param prefix what the request ids of the load begin with; the slot's number follows it
   */
  constructor(slots: number, prefix: string) {
    this.slots = slots;
    this.prefix = prefix;
    this.access = {
      line: new Uint32Array(slots),
      times: new Uint8Array(slots),
      method: new WordColumn(slots),
      path: new WordColumn(slots),
      status: new Uint16Array(slots),
      bytes: new Uint32Array(slots),
      startWallUs: new Float64Array(slots),
      durationUs: new Float64Array(slots),
      hasBackend: new Uint8Array(slots),
      version: new WordColumn(slots),
    };
    this.site = new SiteColumns(slots, prefix);
  }

  /** @returns the request's slot; null where the line is not of this load */
  addAccess(line: AccessLine): number | null {
    this.accessLines++;
    this.lastWallUs = Math.max(this.lastWallUs, line.startWallUs + line.durationUs);
    const seq = slotOf(line.requestId, this.prefix, this.slots);
    if (seq === null) return null;
    const { access } = this;
    access.line[seq] = this.accessLines;
    access.times[seq] = Math.min(255, (access.times[seq] ?? 0) + 1);
    access.method.set(seq, line.method);
    access.path.set(seq, line.path);
    access.status[seq] = line.status;
    access.bytes[seq] = line.bytes;
    access.startWallUs[seq] = line.startWallUs;
    access.durationUs[seq] = line.durationUs;
    access.hasBackend[seq] = line.backend === undefined ? 0 : 1;
    access.version.set(seq, line.version ?? '');
    return seq;
  }

  addSite(line: SiteLine): void {
    this.site.add(line);
  }

  /** Takes what was filled elsewhere, instead of line after line. */
  useSite(columns: SiteColumns): void {
    this.site = columns;
  }

  /** When the proxy answered for the last time, whomever; 0 where it answered nobody. */
  get proxyLastWallUs(): number {
    return this.lastWallUs;
  }

  /** The proxy's line of this slot; null where there is none. */
  accessOf(seq: number): Access | null {
    const { access } = this;
    const line = access.line[seq] ?? 0;
    if (line === 0) return null;
    return {
      line,
      times: access.times[seq] ?? 0,
      method: access.method.of(seq),
      path: access.path.of(seq),
      status: access.status[seq] ?? 0,
      bytes: access.bytes[seq] ?? 0,
      startWallUs: access.startWallUs[seq] ?? 0,
      durationUs: access.durationUs[seq] ?? 0,
      hasBackend: access.hasBackend[seq] === 1,
      version: access.version.of(seq) || null,
    };
  }

  /** The site's lines of this slot, in the order of the log. */
  siteOf(seq: number): readonly Site[] {
    return this.site.of(seq);
  }
}
