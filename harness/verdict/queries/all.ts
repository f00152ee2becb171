/** Every query by its name, in the order in which a reader asks. */
import { causeSteps } from './causes.ts';
import { counts } from './counts.ts';
import { directQueries } from './direct.ts';
import { disagreementQueries, suspects } from './disagreements.ts';
import { holdQueries } from './holds.ts';
import { proxyQueries } from './proxy.ts';
import type { Query } from './query.ts';
import { requestQueries } from './requests.ts';
import { restarts } from './restarts.ts';
import { serverLogQueries } from './server-log.ts';
import { siteQueries } from './sites.ts';
import { waits } from './waits.ts';
import { writeQueries } from './writes.ts';

export const queries = {
  ...counts,
  ...restarts,
  ...waits,
  ...writeQueries,
  ...proxyQueries,
  ...directQueries,
  ...siteQueries,
  ...requestQueries,
  ...holdQueries,
  ...serverLogQueries,
  ...disagreementQueries,
} as const satisfies Record<string, Query>;

/** Name of a query. */
export type QueryName = keyof typeof queries;

/** Those that a user may run by name: the steps to the causes have made their tables. */
export const namedQueries: Readonly<Record<string, Query>> = { ...causeSteps, suspects, ...queries };
