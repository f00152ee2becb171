/** What Traefik's own log says of its end and its beginning, by the words of 3.7 (pkg/server, cmd/traefik). */
import type { EventKind } from '../files/timeline.ts';

/** The entry point that the load goes to (containers/edge). */
const entryPoint = 'web';

/** The event that a line of the log tells of, with its words; null where it is about anything else. */
export function proxyEventIn(line: string): { kind: EventKind; said: string } | null {
  if (!line.startsWith('{')) return null;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { message: said } = fields;
  const kind = typeof said === 'string' ? kindOf(said, fields) : null;
  return typeof said !== 'string' || kind === null ? null : { kind, said };
}

function kindOf(said: string, { entryPointName, middlewareName }: Record<string, unknown>): EventKind | null {
  if (said === 'I have to go...') return 'sigterm';
  if (said === 'Shutting down') return 'exit';
  if (said.startsWith('Traefik version ')) return 'start';
  if (entryPointName !== entryPoint) return null;
  // Just before it closes its listeners.
  if (/^Waiting \S+ seconds before killing connections$/u.test(said)) return 'accept-stopped';
  if (said === 'Starting TCP Server') return 'accepting';
  // The last that is made for an entry point with routes, just before they are put in force.
  return said === 'Creating middleware' && middlewareName === 'traefik-internal-recovery' ? 'ready' : null;
}
