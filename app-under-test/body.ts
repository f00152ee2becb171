/** Bodies of requests, bounded. */
import type { IncomingMessage } from 'node:http';

const largestBodyBytes = 64 * 1024;

/** Beyond this the connection is cut instead of reading on for the sake of a clean answer. */
const patienceBytes = 8 * 1024 * 1024;

/**
 * The body of a request, or 'too-large'. A body that is too large is read to its end and thrown away, since an answer
 * to a client that is still writing would be lost in the reset that follows. Rejects if the connection dies first.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large'> {
  // By events: an async iterator for each request costs a site that comes back to a full queue half its throughput.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= largestBodyBytes) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > patienceBytes) request.destroy();
    });
    request.on('end', () => resolve(bytes > largestBodyBytes ? 'too-large' : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection died before the request was whole')));
  });
}
