/** What the engine itself says of a run's containers: started, ended with which status, killed, out of memory. */
import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { messageOf } from '../../base/errors.ts';
import type { EngineEvent } from '../../run/files/engine-events.ts';
import { runLabel } from './engine.ts';

/** A watch that goes on until it is ended. */
export type EngineWatch = Awaited<ReturnType<typeof watchEngine>>;

interface Message {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}

/** Commands run in containers are our own doing, and told in masses. */
const ownDoing = /^(exec_|archive-path|extract-to-dir|attach|create|resize)/u;

/**
 * Watches the containers of a run. Events are kept as they come, since an engine remembers few of them.
 * @throws {Error} when the engine does not answer
 */
export async function watchEngine(docker: Docker, runId: string) {
  const stream: NodeJS.ReadableStream & { destroy?: () => void } = await docker.getEvents({
    filters: { type: ['container'], label: [`${runLabel}=${runId}`] },
  });
  const seen: EngineEvent[] = [];
  let ended = false;
  const breaking = new AbortController();
  const lost = (why: string): void => {
    const last = seen.at(-1);
    if (!ended && last?.action !== 'lost') {
      seen.push({ atWallUs: last?.atWallUs ?? 0, action: 'lost', role: 'engine', detail: why });
      breaking.abort('the engine was lost');
    }
  };
  const lines = createInterface({ input: stream });
  lines.on('line', (line) => {
    const { Action: action, timeNano, Actor } = JSON.parse(line) as Message;
    if (ownDoing.test(action)) return;
    const { name = '', exitCode, signal } = Actor.Attributes;
    const detail = exitCode === undefined ? (signal === undefined ? '' : `signal ${signal}`) : `status ${exitCode}`;
    const role = name.split('-').at(-1) ?? name;
    seen.push({ atWallUs: Math.round(timeNano / 1000), action, role, detail });
    if (action === 'die' && !ended) breaking.abort(`the container \`${role}\` ended`);
  });
  // The reader passes the stream's errors on, as its own.
  lines.on('error', (error) => lost(messageOf(error)));
  lines.on('close', () => lost('the engine ended the stream'));
  return {
    /** Aborted when a container ends or the engine is lost, with that as its reason: nothing more is to be measured. */
    broken: breaking.signal,
    /** Ends it, and gives what it saw. */
    end: (): readonly EngineEvent[] => {
      ended = true;
      stream.destroy?.();
      return seen;
    },
  };
}
