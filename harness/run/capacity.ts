/** witnesses/baseline.json: what a site can do at all, by autocannon, before and after the load. */
import { z } from 'zod';

const capacitySchema = z.strictObject({
  connections: z.number().int().positive(),
  durationSeconds: z.number().positive(),
  requestsPerSecond: z.number(),
  latencyP50Ms: z.number(),
  latencyP99Ms: z.number(),
});

/** The capacities of a run. */
export const capacitiesSchema = z.strictObject({
  tool: z.string(),
  request: z.string(),
  before: capacitySchema.nullable(),
  after: capacitySchema.nullable(),
});

/** The capacity at one moment. */
export type Capacity = z.infer<typeof capacitySchema>;
/** The capacities of a run. */
export type Capacities = z.infer<typeof capacitiesSchema>;
