/** Reads the site's own request log. */
import { gzippedKnown } from '../run/gzipped-lines.ts';
import { finite, integerFrom, lineForm, objectWith, oneOf, optional, orNull, text } from '../run/line-form.ts';
import { keyOf, type LineReader } from '../run/line-reader.ts';
import type { SiteLine } from './request-table.ts';

/**
 * The lines of a gzipped log, many at a time.
 * @throws {HarnessError} naming the file, and the line that is none of such a log
 */
export function readSiteLog(path: string): AsyncGenerator<SiteLine[]> {
  return gzippedKnown(path, knownLine, formOfLine);
}

/** As app-under-test/log.ts writes it. */
const formOfLine = lineForm<SiteLine>("line of the site's log", {
  request: orNull(text),
  method: text,
  path: text,
  receivedUs: integerFrom(0),
  status: orNull(integerFrom(0)),
  answeredUs: integerFrom(0),
  bodyCrc32: optional(integerFrom(0)),
  store: optional(objectWith({ waitMs: finite, code: text })),
  version: text,
  instance: text,
  outcome: optional(oneOf(['cut'])),
});

const keys = {
  request: keyOf('request'),
  method: keyOf('method'),
  path: keyOf('path'),
  receivedUs: keyOf('receivedUs'),
  status: keyOf('status'),
  answeredUs: keyOf('answeredUs'),
  bodyCrc32: keyOf('bodyCrc32'),
  store: keyOf('store'),
  waitMs: keyOf('waitMs'),
  code: keyOf('code'),
  version: keyOf('version'),
  instance: keyOf('instance'),
};

/** An answer as app-under-test writes it; one that was cut is left to JSON.parse. */
function knownLine(line: LineReader): SiteLine {
  const request = line.textOrNull(keys.request);
  const method = line.word(keys.method);
  const path = line.word(keys.path);
  const receivedUs = line.integer(keys.receivedUs);
  const status = line.integerOrNull(keys.status);
  const answeredUs = line.integer(keys.answeredUs);
  const bodyCrc32 = line.integer(keys.bodyCrc32);
  let store: SiteLine['store'];
  if (line.beginObject(keys.store)) {
    store = { waitMs: line.decimal(keys.waitMs), code: line.word(keys.code) };
    line.endObject();
  }
  const version = line.word(keys.version);
  const instance = line.word(keys.instance);
  return store === undefined
    ? { request, method, path, receivedUs, status, answeredUs, bodyCrc32, version, instance }
    : { request, method, path, receivedUs, status, answeredUs, bodyCrc32, version, instance, store };
}
