/** What the lab asks readiness.ts, and what it answers. */

/** What to wait for. */
export interface ReadinessQuestion {
  readonly deadlineMs: number;
  readonly sites: readonly {
    readonly internalAddress: string;
    /** The Host header by which the proxy knows it; null without a proxy. */
    readonly proxiedHost: string | null;
    /** The proxy's service whose only server does not run. The proxy takes it for up at first, and must know that it is down. */
    readonly downService: string | null;
  }[];
}

/** The last line of its output. */
export interface Readiness {
  /** What was still missing at the deadline; empty when the lab is ready. */
  readonly missing: readonly string[];
}
