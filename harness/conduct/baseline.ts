/**
 * The baseline: what a site can do at all, by autocannon. Its load is closed (each connection asks again once it was
 * answered), so it tells capacity and latency before and after the deploys, and never how many requests were lost.
 */
import { z } from 'zod';

/** One baseline. */
const baselineSchema = z.strictObject({
  connections: z.number().int().positive(),
  durationSeconds: z.number().positive(),
  requestsPerSecond: z.number(),
  latencyP50Ms: z.number(),
  latencyP99Ms: z.number(),
});

/** The baselines of a run, as witnesses/baseline.json holds them. */
export const baselinesSchema = z.strictObject({
  tool: z.string(),
  request: z.string(),
  before: baselineSchema.nullable(),
  after: baselineSchema.nullable(),
});

/** One baseline. */
export type Baseline = z.infer<typeof baselineSchema>;
/** The baselines of a run. */
export type Baselines = z.infer<typeof baselinesSchema>;

/** What is asked. */
export interface BaselineRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The file that holds the body; null without one. autocannon reads it as UTF-8. */
  readonly bodyFile: string | null;
}

const connections = 10;
const durationSeconds = 3;

/** The words after `node`, given where autocannon's program lies. */
export function baselineCommand(program: string, { url, method, headers, bodyFile }: BaselineRequest): string[] {
  return [
    ...[program, '--json', '--no-progress', '--method', method],
    ...['--connections', String(connections), '--duration', String(durationSeconds)],
    ...headers.flatMap(([name, value]) => ['--headers', `${name}=${value}`]),
    ...(bodyFile === null ? [] : ['--input', bodyFile]),
    url,
  ];
}

const outputSchema = z.object({
  requests: z.object({ average: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

/** Reads what autocannon wrote; null when that is no result of its. */
export function parseBaseline(stdout: string): Baseline | null {
  try {
    const { requests, latency } = outputSchema.parse(JSON.parse(stdout));
    return {
      connections,
      durationSeconds,
      requestsPerSecond: requests.average,
      latencyP50Ms: latency.p50,
      latencyP99Ms: latency.p99,
    };
  } catch {
    return null;
  }
}
