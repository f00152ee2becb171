/** Reads timeline.ndjson. */
import { integer, integerFrom, lineForm, objectWith, oneOf, optional, recordsOf, text } from './line-form.ts';
import { plainText } from './plain-file.ts';
import { eventKinds, eventSources, type TimelineEvent } from './timeline.ts';

const formOfEvent = lineForm<TimelineEvent>('event of a timeline', {
  atUs: integer,
  kind: oneOf(eventKinds),
  source: oneOf(eventSources),
  restart: integerFrom(0),
  version: optional(text),
  instance: optional(text),
  connections: optional(objectWith({ open: integerFrom(0), inFlight: integerFrom(0) })),
  detail: optional(text),
});

/**
 * The timeline of a run's folder, in order of time.
 * @throws {HarnessError} naming the file, and the line that is no event
 */
export async function readTimeline(path: string): Promise<TimelineEvent[]> {
  return recordsOf(await plainText(path), path, formOfEvent);
}
