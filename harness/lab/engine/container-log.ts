/** A container's output as the engine keeps it: every line behind the engine's own stamp, to the nanosecond. */
import { createInterface } from 'node:readline';
import { PassThrough, type Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { unlessRefused } from './engine-errors.ts';
import type { Modem } from './exec.ts';

/** Yields the lines of stdout and stderr so far, in their order; none when the container is gone. */
export async function* containerLog(container: Docker.Container): AsyncGenerator<string> {
  const modem = container.modem as Modem;
  // dockerode gives a log that is not followed as one buffer, of whatever size.
  const asked = new Promise<Duplex>((resolve, reject) => {
    modem.dial(
      {
        path: `/containers/${container.id}/logs?`,
        method: 'GET',
        isStream: true,
        options: { stdout: true, stderr: true, timestamps: true },
        statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      },
      (error, body) => (error === null ? resolve(body) : reject(error)),
    );
  });
  const stream = await unlessRefused(asked, 404);
  if (stream === null) return;
  const both = new PassThrough();
  modem.demuxStream(stream, both, both);
  void finished(stream, { writable: false }).then(
    () => both.end(),
    (error: unknown) => both.destroy(error as Error),
  );
  yield* createInterface({ input: both });
}
