/** What a schema says of what does not fit it. */
import type { z } from 'zod';

/** The first thing that is wrong, behind the path of its field; the whole has no path. */
export function firstIssueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return error.message;
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}
