import { describe, expect, it } from 'vitest';
import e5 from '../../../experiments/E5-socket-activation.ts';
import { contentOf } from '../../verdict/testing-folder.ts';
import { accessLogFile } from './access-log.ts';
import { deployerMessageIn } from './deployer-log.ts';
import { engineEventsFile } from './engine-events.ts';
import { recordIn, recordsIn, type Fields, type RecordFile } from './fields.ts';
import { journalFile } from './journal.ts';
import { ledgerFile } from './ledger.ts';
import { databaseStateFile, notesFile } from './notes.ts';
import { queuesFile } from './queues.ts';
import { siteLogFile } from './site-log.ts';
import { timelineFile } from './timeline.ts';

const { ledger, access, site, timeline, queues, notes, engine, database } = contentOf(e5, 'waited');

/** A file's form, and a line that is of it. */
type Kind = readonly [file: RecordFile<Fields>, line: unknown];
const kinds = {
  ledger: [ledgerFile, ledger[0]],
  access: [accessLogFile, access?.[0]],
  site: [siteLogFile, site?.find(({ method }) => method === 'POST')],
  database: [databaseStateFile, database],
  notes: [notesFile, notes[0]],
  queues: [queuesFile, queues?.[0]],
  timeline: [timelineFile, timeline[0]],
  engine: [engineEventsFile, engine?.[0]],
  journal: [journalFile, { __MONOTONIC_TIMESTAMP: '5', MESSAGE: null, UNIT: ['a', 'b'] }],
} as const satisfies Record<string, Kind>;

const place = { path: 'a/file', line: 3 };
/** The line with some fields in place of what they were; one that is undefined goes. */
const lineWith = (name: keyof typeof kinds, over: object): string =>
  JSON.stringify({ ...(kinds[name][1] as object), ...over });

describe('a line of a run’s file', () => {
  it.each(Object.entries<Kind>(kinds))(
    'is taken where it is of its form, more fields and all: %s',
    (_, [file, line]) => {
      const text = JSON.stringify({ ...(line as object), more: [1] });
      expect(recordIn(file, text, place)).toEqual(JSON.parse(text));
    },
  );

  it.each(Object.entries<Kind>(kinds))('is damage of the run where it is no record at all: %s', (_, [file]) => {
    const of =
      (line: string): (() => unknown) =>
      () =>
        recordIn(file, line, place);
    const [first] = Object.entries(file.fields).find(([, { mayBeMissing }]) => mayBeMissing !== true) ?? [];
    for (const line of ['null', '5', '"x"', '[]']) {
      expect(of(line)).toThrow(`a/file: line 3 is no ${file.what}: it is ${line}, not an object.`);
    }
    expect(of('{}')).toThrow(`a/file: line 3 is no ${file.what}: ${first ?? '?'} is missing.`);
    expect(of('{"a":')).toThrow('a/file: line 3 is no JSON.');
    expect(of('{}')).toThrow(expect.objectContaining({ code: 'run-damaged' }));
  });

  it.each<[keyof typeof kinds, object, string]>([
    ['ledger', { sentUs: undefined }, 'sentUs is missing'],
    ['ledger', { outcome: 'OK' }, 'outcome is "OK", not one of ok, refused, '],
    ['access', { StartUTC: 'x' }, 'StartUTC is "x", not a time in UTC (RFC 3339)'],
    ['access', { StartUTC: '2026-13-01T00:00:00Z' }, 'StartUTC is "2026-13-01T00:00:00Z", not a time in UTC'],
    ['access', { StartUTC: undefined }, 'StartUTC is missing'],
    ['access', { Duration: undefined }, 'Duration is missing'],
    ['access', { Duration: '5' }, 'Duration is "5", not a whole number from 0'],
    ['access', { Duration: -5 }, 'Duration is -5, not a whole number from 0'],
    ['access', { DownstreamStatus: '200' }, 'DownstreamStatus is "200", not a whole number from 0'],
    ['access', { DownstreamContentSize: null }, 'DownstreamContentSize is null, not a whole number from 0'],
    ['access', { RequestMethod: undefined }, 'RequestMethod is missing'],
    ['access', { RequestPath: 5 }, 'RequestPath is 5, not a text'],
    ['access', { 'request_X-Request-Id': null }, 'request_X-Request-Id is null, not a text'],
    ['access', { ServiceAddr: 5 }, 'ServiceAddr is 5, not a text'],
    ['access', { 'origin_X-App-Version': 5 }, 'origin_X-App-Version is 5, not a text'],
    ['site', { request: 5 }, 'request is 5, not a text or null'],
    ['site', { method: undefined }, 'method is missing'],
    ['site', { path: undefined }, 'path is missing'],
    ['site', { receivedUs: undefined }, 'receivedUs is missing'],
    ['site', { answeredUs: '5' }, 'answeredUs is "5", not a whole number from 0'],
    ['site', { status: '200' }, 'status is "200", not a whole number from 0 or null'],
    ['site', { bodyCrc32: 'x' }, 'bodyCrc32 is "x", not a whole number from 0'],
    ['site', { version: null }, 'version is null, not a text'],
    ['site', { instance: undefined }, 'instance is missing'],
    ['site', { outcome: 'x' }, 'outcome is "x", not one of cut'],
    [
      'site',
      { store: { code: 'OK' } },
      'store is {"code":"OK"}, not an object with waitMs (a number) and code (a text)',
    ],
    ['site', { store: null }, 'store is null, not an object with waitMs'],
    ['database', { integrity: undefined }, 'integrity is missing'],
    ['notes', { id: 5 }, 'id is 5, not a text'],
    ['notes', { times: undefined }, 'times is missing'],
    ['notes', { times: 0 }, 'times is 0, not a whole number from 1'],
    ['notes', { versions: null }, 'versions is null, not a text'],
    ['notes', { writtenUs: 0 }, 'writtenUs is 0, not a whole number from 1'],
    ['queues', { port: '18080' }, 'port is "18080", not a whole number from 0'],
    ['queues', { waiting: undefined }, 'waiting is missing'],
    ['timeline', { atUs: '5' }, 'atUs is "5", not a whole number'],
    ['timeline', { kind: 'x' }, 'kind is "x", not one of load-begin, '],
    ['timeline', { source: 'me' }, 'source is "me", not one of deployer, app, journal, queues, proxy, engine'],
    ['timeline', { restart: undefined }, 'restart is missing'],
    ['timeline', { version: 1 }, 'version is 1, not a text'],
    ['timeline', { instance: 1 }, 'instance is 1, not a text'],
    ['timeline', { detail: {} }, 'detail is {}, not a text'],
    [
      'timeline',
      { connections: { open: 1 } },
      'connections is {"open":1}, not an object with open (a whole number from 0) and inFlight (a whole number from 0)',
    ],
    ['journal', { __MONOTONIC_TIMESTAMP: 1_000 }, '__MONOTONIC_TIMESTAMP is 1000, not a text of digits'],
    ['journal', { __MONOTONIC_TIMESTAMP: '5s' }, '__MONOTONIC_TIMESTAMP is "5s", not a text of digits'],
    ['engine', { atWallUs: null }, 'atWallUs is null, not a whole number'],
    ['engine', { action: undefined }, 'action is missing'],
    ['engine', { role: 5 }, 'role is 5, not a text'],
    ['engine', { detail: undefined }, 'detail is missing'],
  ])('is damage of the run where a field is missing or of another type: %s %o', (name, over, why) => {
    const [file]: Kind = kinds[name];
    expect(() => recordIn(file, lineWith(name, over), place)).toThrow(`a/file: line 3 is no ${file.what}: ${why}`);
  });

  it('of the deployer needs the rest where it is about a restart', () => {
    const begin = { kind: 'deploy-begin', restart: 1, version: 'v1', atMonotonicUs: 5 };
    const read = (line: object): unknown => deployerMessageIn(JSON.stringify(line), place);
    expect(read(begin)).toEqual(begin);
    expect(read({ kind: 'done', version: 'v1' })).toEqual({ kind: 'done' });
    const what = 'a/file: line 3 is no message of the deployer:';
    expect(() => read({ ...begin, kind: 'x' })).toThrow(
      `${what} kind is "x", not one of waiting, done, deploy-begin, `,
    );
    expect(() => read({ ...begin, restart: 0 })).toThrow(`${what} restart is 0, not a whole number from 1`);
    expect(() => read({ ...begin, version: undefined })).toThrow(`${what} version is missing`);
    expect(() => read({ ...begin, atMonotonicUs: '5' })).toThrow(`${what} atMonotonicUs is "5", not a number`);
    expect(() => read({ ...begin, failure: null })).toThrow(`${what} failure is null, not a text`);
  });

  it('is named by its number among those that are not empty, and a long value by its beginning', () => {
    const lines = [lineWith('queues', {}), '', lineWith('queues', { port: 'x'.repeat(100) })].join('\n');
    expect(() => recordsIn(queuesFile, lines, 'a/file')).toThrow(
      `a/file: line 2 is no sample of the queues: port is "${'x'.repeat(39)}…, not a whole number from 0.`,
    );
    expect(recordsIn(queuesFile, '\n\n', 'a/file')).toEqual([]);
  });
});
