/** The sha256 of a file of any length. */
import { createHash } from 'node:crypto';
import { openPlainFile } from './plain-file.ts';

/** @throws {HarnessError} when the file is missing, or not plain */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await openPlainFile(path);
  try {
    // One buffer for all: those of a stream would pile up until somebody collects them.
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
