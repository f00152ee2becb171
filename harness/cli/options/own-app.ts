/** `--app`: a service of the user's own in place of the demo site. */
import type { OwnApp } from '../../conduct/run-request.ts';
import { readOwnService } from '../../own-service/read-service.ts';

/**
 * Reads the file that the option names; null without one.
 * @throws {HarnessError} naming line and column of what is wrong
 */
export async function ownAppOf(path: string | undefined): Promise<OwnApp | null> {
  if (path === undefined) return null;
  const { folder, service, used, mix, hide, labelOf } = await readOwnService(path, process.env);
  return { path, folder, mix, hide, labelOf, service: used, shown: service };
}
