/** What the engine told of the lab's containers: witnesses/engine.ndjson. */

/** One event of the engine. */
export interface EngineEvent {
  /** Wall clock of the engine, microseconds since 1970. */
  readonly atWallUs: number;
  /** As the engine names it: `start`, `die`, `kill`, `oom`, `pause`; or `lost`, when the engine said no more. */
  readonly action: string;
  /** `server`, `edge` or `client`. */
  readonly role: string;
  /** What came with it: the status of a `die`, the signal of a `kill`. */
  readonly detail: string;
}
