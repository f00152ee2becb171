/** What the lab asks readiness.ts, and what it answers. */
import type { ProxiedQuestion, ReadyQuestion } from '../../experiment/ready-question.ts';

/** What to wait for. */
export interface ReadinessQuestion {
  readonly deadlineMs: number;
  /** Units that are given up once systemd has given them up. */
  readonly units: readonly string[];
  readonly sites: readonly {
    readonly ready: ReadyQuestion;
    /** What is asked through the proxy: the Host header by which it knows the site, and the path; null without a proxy. */
    readonly proxied: (ProxiedQuestion & { readonly host: string }) | null;
    /** The proxy's service whose only server does not run. The proxy takes it for up at first, and must know that it is down. */
    readonly downService: string | null;
  }[];
}

/** The last line of its output. */
export interface Readiness {
  /** What was still missing at the deadline; empty when the lab is ready. */
  readonly missing: readonly string[];
}
