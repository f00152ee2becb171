/** Disk space that is held for the records of a run, so that a disk that others fill does not cost what was measured. */
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Space that is held. */
export interface Reserve {
  /** Gives the space back to whoever writes next. @returns was it still held? */
  release(): Promise<boolean>;
}

const pieceBytes = 1024 * 1024;

/**
 * Holds space on the disk of this folder by a file without a name, so that nothing is left behind however we end.
 * @throws {Error} ENOSPC when there is not so much
 */
export async function holdReserve(folder: string, bytes: number): Promise<Reserve> {
  const path = join(folder, 'reserve');
  const file = await open(path, 'wx');
  let isHeld = true;
  const release = async (): Promise<boolean> => {
    const was = isHeld;
    isHeld = false;
    if (was) await file.close();
    return was;
  };
  try {
    await unlink(path);
    const piece = Buffer.alloc(pieceBytes);
    for (let left = bytes; left > 0; left -= pieceBytes) await file.write(piece, 0, Math.min(left, pieceBytes));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Does it; if the disk is full, gives the reserve back and does it again. */
export async function despiteFullDisk<T>(reserve: Reserve, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' || !(await reserve.release())) throw error;
    return await step();
  }
}
