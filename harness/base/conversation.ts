/** A process that is spoken to by lines, wherever it runs. */

/** A command that is spoken to, a line at a time. */
export interface Conversation {
  say(line: string): void;
  /** Lines of its output; ends when it ends. */
  readonly lines: AsyncIterableIterator<string>;
  /** Closes its input and stops listening. */
  close(): void;
  /** Ends it at once; only where it runs on this machine. */
  kill?(): void;
  /** What it wrote to stderr so far. */
  stderr(): string;
}
