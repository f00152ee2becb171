/**
 * Copies the ledger out of the lab while it is written, so that a row is on this machine's disk within a second of being
 * settled, whatever becomes of the client, the engine or this process.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Conversation } from '../../base/conversation.ts';
import { converse } from '../../lab/engine/exec.ts';

/** A copy that goes on until it is ended. */
export type LedgerCopy = Awaited<ReturnType<typeof copyLedger>>;

/** Follows a file, which may not be there yet, from a byte on, and ends when its input does. */
const follow = 'tail -c "+$1" -s 0.2 -F "$0" 2>/dev/null & read -r _; kill $!';

/**
 * Begins to copy.
 * @param onFull asked when the disk is full: true when there is room now, so that it goes on
 */
export async function copyLedger(
  client: Docker.Container,
  { from, to, onFull }: { from: string; to: string; onFull: () => Promise<boolean> },
) {
  const follower = async (): Promise<Conversation> => {
    const { size } = await stat(to).catch(() => ({ size: 0 }));
    return await converse(client, ['sh', '-c', follow, from, String(size + 1)]);
  };
  let talk = await follower();
  let over = false;
  const isOver = (): boolean => over;
  const copying = (async (): Promise<void> => {
    while (!isOver()) {
      if (await written(talk, createWriteStream(to, { flags: 'a' }))) return;
      talk.close();
      if (isOver() || !(await onFull())) return;
      talk = await follower();
    }
  })();
  // A copy that cannot go on is no failure of the run: its rows are fetched at the end.
  copying.catch(() => undefined);
  return {
    /** Ends it; what has come is in the file. */
    end: async (): Promise<void> => {
      over = true;
      talk.close();
      await copying.catch(() => undefined);
    },
  };
}

/** Writes line after line; false when the file took no more. */
async function written(talk: Conversation, file: WriteStream): Promise<boolean> {
  const done = finished(file).then(
    () => true,
    () => false,
  );
  const reading = (async (): Promise<void> => {
    for await (const line of talk.lines) file.write(`${line}\n`);
    file.end();
  })();
  reading.catch(() => file.destroy());
  return await done;
}
