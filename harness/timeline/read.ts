/** Reads timeline.ndjson. */
import { readFile } from 'node:fs/promises';
import type { TimelineEvent } from './event.ts';

/** The timeline of a run's folder, in order of time. */
export async function readTimeline(path: string): Promise<TimelineEvent[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TimelineEvent);
}
