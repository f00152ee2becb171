/** A container's output as the engine keeps it: every line behind the engine's own stamp, to the nanosecond. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough, type Duplex } from 'node:stream';
import type Docker from 'dockerode';

/** The parts of docker-modem that its types leave out. */
interface Modem {
  demuxStream(stream: Duplex, stdout: PassThrough, stderr: PassThrough): void;
  dial(request: object, answer: (error: Error | null, stream: Duplex) => void): void;
}

/** Yields the lines of stdout and stderr so far, in their order; none when the container is gone. */
export async function* containerLog(container: Docker.Container): AsyncGenerator<string> {
  const modem = container.modem as Modem;
  let stream: Duplex;
  try {
    // dockerode gives a log that is not followed as one buffer, of whatever size.
    stream = await new Promise((resolve, reject) => {
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
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return;
    throw error;
  }
  const both = new PassThrough();
  modem.demuxStream(stream, both, both);
  void Promise.race([once(stream, 'end'), once(stream, 'close')]).then(
    () => both.end(),
    (error: unknown) => both.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  for await (const line of createInterface({ input: both })) yield line;
}
