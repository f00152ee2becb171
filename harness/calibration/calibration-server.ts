/** Starts the calibration server and asks it for its counts. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { ServerMessage, ServerTask } from './faults.ts';

/** What the server did. */
export type ServerCounts = Extract<ServerMessage, { kind: 'counts' }>;

/** A server that is up. */
export interface CalibrationServer {
  readonly port: number;
  counts(): Promise<ServerCounts>;
  close(): void;
}

/** Starts a server with this task on a free port of 127.0.0.1. */
export async function startServer(task: ServerTask): Promise<CalibrationServer> {
  const child = execa(
    process.execPath,
    [fileURLToPath(new URL('./server.ts', import.meta.url)), JSON.stringify(task)],
    { reject: false, stdin: 'pipe', buffer: false, stderr: 'inherit' },
  );
  const lines: AsyncIterator<string> = child.iterable();
  const next = async (): Promise<ServerMessage> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the calibration server ended');
    return JSON.parse(line.value) as ServerMessage;
  };
  const first = await next();
  if (first.kind !== 'listening') throw new Error('the calibration server did not name its port');
  return {
    port: first.port,
    counts: async () => {
      child.stdin.write('counts\n');
      const message = await next();
      if (message.kind !== 'counts') throw new Error('the calibration server did not tell its counts');
      return message;
    },
    close: () => void child.stdin.end(),
  };
}
