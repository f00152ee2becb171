import { describe, expect, it } from 'vitest';
import { accessLineOf, wallUsOf, type AccessFields } from './access-log.ts';

/** A line as Traefik 3 writes it, of the fields that containers/edge keeps. */
const fields: AccessFields = {
  StartUTC: '2026-11-23T12:00:00.123456789Z',
  Duration: 2_345_678,
  DownstreamStatus: 201,
  DownstreamContentSize: 42,
  RequestMethod: 'POST',
  RequestPath: '/notes',
  'request_X-Request-Id': 'run-1-7',
  ServiceAddr: '127.0.0.1:18080',
  'origin_X-App-Version': 'v3',
};

describe('a line of the access log', () => {
  it('has nanoseconds, which become microseconds, and the status that the client got', () => {
    expect(accessLineOf(fields)).toEqual({
      requestId: 'run-1-7',
      method: 'POST',
      path: '/notes',
      status: 201,
      bytes: 42,
      startWallUs: Date.UTC(2026, 10, 23, 12) * 1000 + 123_456.789,
      durationUs: 2_345.678,
      backend: '127.0.0.1:18080',
      version: 'v3',
    });
  });

  it('has neither backend nor version where no backend answered, and no bytes where none were sent', () => {
    const { ServiceAddr, DownstreamContentSize, 'origin_X-App-Version': version, ...rest } = fields;
    expect([ServiceAddr, DownstreamContentSize, version].every((field) => field !== undefined)).toBe(true);
    expect(accessLineOf(rest)).toMatchObject({ backend: undefined, version: undefined, bytes: 0 });
  });

  it('of a request without an id belongs to nobody', () => {
    expect(accessLineOf({ ...fields, 'request_X-Request-Id': undefined }).requestId).toBe('');
  });
});

describe('the proxy’s stamps', () => {
  it.each([
    ['1970-01-01T00:00:01Z', 1_000_000],
    ['1970-01-01T00:00:01.5Z', 1_500_000],
    ['1970-01-01T00:00:00.000001Z', 1],
    ['1970-01-01T00:00:00.000000001Z', 0.001],
    ['1970-01-02T00:00:00.000000Z', 86_400e6],
  ])('%s', (time, us) => {
    expect(wallUsOf(time)).toBe(us);
  });

  it.each([
    '',
    '1970-01-01T00:00:01',
    '1970-01-01T00:00:01+01:00',
    '1970-01-01 00:00:01Z',
    'x1970-01-01T00:00:01Z',
    '1970-01-01T00:00:01.Z',
    '1970-01-01T00:00:01.1234567890Z',
    '1970-01-01T00:00:01Zx',
  ])('that are none: %j', (time) => {
    expect(wallUsOf(time)).toBeNaN();
  });
});
