/** Notes as clients write them. */
import type { Note } from './store.ts';

const longestId = 200;

/** The note in a JSON text `{"id","text"}`, or a sentence that says why there is none. Other fields are ignored. */
export function parseNote(json: string): Note | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'The body is not JSON.';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'The body is not a JSON object.';
  const { id, text } = value as { id?: unknown; text?: unknown };
  if (typeof id !== 'string' || id === '' || id.length > longestId) {
    return `"id" must be a string of 1 to ${longestId} characters.`;
  }
  if (typeof text !== 'string') return '"text" must be a string.';
  // SQLite's text would be cut at a NUL by many readers, and a lone surrogate would not come back as it went.
  if (![id, text].every((part) => part.isWellFormed() && !part.includes('\0'))) {
    return '"id" and "text" must be well-formed Unicode without NUL.';
  }
  return { id, text };
}
