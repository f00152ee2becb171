/** Reads the site's own request log. */
import { gzippedKnown } from '../scenario/gzipped-lines.ts';
import { keyOf, type LineReader } from '../scenario/line-reader.ts';
import type { SiteLine } from './request-table.ts';

/**
 * The lines of a gzipped log, many at a time.
 * @throws {HarnessError} naming the file, and the line that is no JSON
 */
export function readSiteLog(path: string): AsyncGenerator<SiteLine[]> {
  return gzippedKnown(path, knownLine, (line) => line as SiteLine);
}

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
