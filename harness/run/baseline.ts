/** witnesses/baseline.json: what a site can do at all, by autocannon, before and after the load. */
import { z } from 'zod';

const baselineSchema = z.strictObject({
  connections: z.number().int().positive(),
  durationSeconds: z.number().positive(),
  requestsPerSecond: z.number(),
  latencyP50Ms: z.number(),
  latencyP99Ms: z.number(),
});

/** The baselines of a run. */
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
