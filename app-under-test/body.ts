/** Bodies of requests, bounded. */
import type { IncomingMessage } from 'node:http';

/** The largest body that is accepted. */
export const largestBodyBytes = 64 * 1024;

/** Beyond this the connection is cut instead of reading on for the sake of a clean answer. */
const patienceBytes = 8 * 1024 * 1024;

/**
 * The body of a request, or 'too-large'. A body that is too large is read to its end and thrown away, since an answer
 * to a client that is still writing would be lost in the reset that follows. Rejects if the connection dies first.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= largestBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > patienceBytes) request.destroy();
  }
  return bytes > largestBodyBytes ? 'too-large' : Buffer.concat(chunks);
}
