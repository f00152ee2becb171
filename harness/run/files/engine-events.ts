/** witnesses/engine.ndjson: what the engine told of the lab's containers. */
import { integer, text, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** A line for each event. */
export const engineEventsFile = {
  name: runFiles.engineEvents,
  what: 'event of the engine',
  about: "What the engine told of the lab's containers.",
  fields: {
    atWallUs: integer('Wall clock of the engine, µs since 1970.'),
    action: text(
      'As the engine names it: `start`, `die`, `kill`, `oom`, `pause`; or `lost`, when the engine said no more.',
    ),
    role: text('`server`, `edge` or `client`.'),
    detail: text('What came with it: the status of a `die`, the signal of a `kill`.'),
  },
} as const;

/** One event of the engine. */
export type EngineEvent = RecordOf<(typeof engineEventsFile)['fields']>;
