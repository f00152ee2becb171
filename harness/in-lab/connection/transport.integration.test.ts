import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocketOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { LoadPlan, TlsPlan } from '../load/plan.ts';
import { anyGet, anyPost, outcomes, rowsOf, testPlan } from '../load/testing.ts';
import {
  expectBalanced,
  stopServers,
  witness,
  type Behaviour,
  type TestRequest,
  type Witness,
  type WitnessSetting,
} from '../load/testing-server.ts';
import { certificates, tlsPlan, type Certificates, type Identity } from './testing-tls.ts';

beforeAll(() => void certificates());
afterAll(stopServers);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const answerOk: Behaviour = ({ socket }) => void socket.write(ok);

interface Server extends Omit<WitnessSetting, 'tls'> {
  readonly settings?: TLSSocketOptions;
  readonly behave?: Behaviour;
}

async function serve({ settings = {}, behave = answerOk, ...more }: Server): Promise<Witness> {
  return await witness(behave, { ...more, tls: { ...certificates().valid, ...settings } });
}

/** How many requests a load has: of four of them, each tenth, some are on new connections and some on kept ones. */
const all = 40;

async function load(port: number, tls: Partial<TlsPlan> = {}, over: Partial<LoadPlan> = {}): Promise<LedgerRow[]> {
  const [ratePerSecond, durationMs] = [400, (all / 400) * 1000];
  return await rowsOf(
    testPlan(port, { mix: [anyGet, anyPost], tls: tlsPlan(tls), ratePerSecond, durationMs, ...over }),
  );
}

function errors(rows: readonly LedgerRow[]): (string | null)[] {
  return [...new Set(rows.filter(({ outcome }) => outcome !== 'ok').map(({ error }) => error))].sort();
}

/** Where a count depends on how soon an answer comes: beside other tests each slot may need a connection of its own. */
const alone = { concurrent: false } as const;

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each(versions)('the generator over %s', (maxVersion) => {
  it('has one handshake a connection, and one request a slot', alone, async () => {
    const server = await serve({ settings: { maxVersion } });
    // Time for the first connections to be free again.
    const rows = await load(server.port, {}, { ratePerSecond: 50, durationMs: 800 });
    expectBalanced(rows, server);
    expect(outcomes(rows)).toEqual({ ok: all });
    expect(server.arrivals.size).toBe(all);
    const opened = rows.filter(({ connectedUs }) => connectedUs !== null);
    expect(opened.every(({ securedUs }) => securedUs !== undefined)).toBe(true);
    expect(rows.filter((row) => row.connectedUs === null && row.securedUs !== undefined)).toEqual([]);
    expect(server.counts).toEqual({ connections: opened.length, handshakes: opened.length, resumed: 0 });
    expect(opened.length).toBeLessThan(all);
  });

  it.each<[keyof Certificates, string]>([
    ['expired', 'certificate expired'],
    ['future', 'certificate not yet valid'],
    ['otherName', 'certificate for another name'],
    ['selfSigned', 'certificate self-signed'],
  ])('sends nothing to a server whose certificate is %s, unless told to', async (name, word) => {
    const server = await serve({ settings: { maxVersion, ...(certificates()[name] as Identity) } });
    const rows = await load(server.port);
    expect(outcomes(rows)).toEqual({ tls: all });
    expect(errors(rows)).toEqual([`${word}, handshake`]);
    expect(server.arrivals.size).toBe(0);
    const insecure = await load(server.port, { isInsecure: true });
    expect(outcomes(insecure)).toEqual({ ok: all });
    expect(server.arrivals.size).toBe(all);
  });

  it('does not accept an authority that it does not know', async () => {
    const server = await serve({ settings: { maxVersion } });
    const rows = await load(server.port, { ca: null });
    expect(errors(rows)).toEqual(['certificate of an unknown authority, handshake']);
    expect(outcomes(rows)).toEqual({ tls: all });
  });

  it('shows a certificate to a server that wants one, and tells the alert where it has none', async () => {
    const settings = { maxVersion, requestCert: true, rejectUnauthorized: true, ca: certificates().ca };
    const server = await serve({ settings });
    const refused = await load(server.port);
    expect(outcomes(refused)).toEqual({ tls: all });
    const alert = maxVersion === 'TLSv1.2' ? 'alert handshake_failure, handshake' : 'alert certificate_required, wait';
    expect(errors(refused)).toEqual([alert]);
    expect(server.arrivals.size).toBe(0);
    expect(outcomes(await load(server.port, certificates().client))).toEqual({ ok: all });
  });

  it('takes up sessions only where it is told to', alone, async () => {
    const server = await serve({ settings: { maxVersion } });
    // Time for the first handshakes to be done.
    const seldom = { connections: 'new', ratePerSecond: 100, durationMs: all * 10 } as const;
    const rows = await load(server.port, { resumes: true }, seldom);
    expect(outcomes(rows)).toEqual({ ok: all });
    const resumed = rows.filter(({ isResumed }) => isResumed === true).length;
    expect(resumed).toBeGreaterThan(0);
    expect(server.counts.resumed).toBe(resumed);
    expect((await load(server.port)).some(({ isResumed }) => isResumed === true)).toBe(false);
  });

  describe('where each tenth request', () => {
    const begun =
      (end: (request: TestRequest) => void): Behaviour =>
      (request) =>
        void request.socket.write(ok.slice(0, -1), () => end(request));
    const untilClose =
      (end: (request: TestRequest) => void): Behaviour =>
      (request) =>
        void request.socket.write('HTTP/1.1 200 OK\r\n\r\nsome of it', () => end(request));
    const whole =
      (end: (request: TestRequest) => void): Behaviour =>
      (request) =>
        void request.socket.write(ok, () => end(request));
    const fin = ({ raw }: TestRequest): void => void raw.end();
    const rst = ({ raw }: TestRequest): void => void setTimeout(() => raw.resetAndDestroy(), 20);
    const notify = ({ socket }: TestRequest): void => void socket.end();
    const cases: [string, Behaviour, string, string | null][] = [
      ['is reset before its answer', rst, 'reset', 'ECONNRESET, wait'],
      ['is closed by a FIN before its answer', fin, 'closed', 'FIN, wait'],
      ['is closed by close_notify before its answer', notify, 'closed', 'close_notify, wait'],
      ['is reset in its body', begun(rst), 'truncated', 'ECONNRESET, body'],
      ['is closed by a FIN in its body', begun(fin), 'truncated', 'FIN, body'],
      ['is closed by close_notify in its body', begun(notify), 'truncated', 'close_notify, body'],
      ['has a whole answer and a FIN', whole(fin), 'ok', null],
      ['has a whole answer and close_notify', whole(notify), 'ok', null],
      ['has a whole answer and a reset', whole(rst), 'ok', null],
      ['has a body until the close, cut by a FIN', untilClose(fin), 'truncated', 'FIN, body'],
      ['has a body until the close, cut by a reset', untilClose(rst), 'truncated', 'ECONNRESET, body'],
      ['has a body until the close, which close_notify ends', untilClose(notify), 'ok', null],
    ];
    it.each(cases)('%s', async (_, misbehave, outcome, error) => {
      const behave: Behaviour = (request) => (request.nth % 10 === 9 ? misbehave : answerOk)(request);
      const server = await serve({ settings: { maxVersion }, behave });
      // A request that follows a whole answer on the connection may meet its close: that is a failure, and not this one.
      const rows = await load(server.port, {}, error === null ? { connections: 'new' } : {});
      expectBalanced(rows, server);
      expect(server.arrivals.size).toBe(all);
      expect(outcomes(rows)).toEqual(outcome === 'ok' ? { ok: all } : { ok: 36, [outcome]: 4 });
      expect(errors(rows)).toEqual(error === null ? [] : [error]);
    });
  });

  it('reads an answer that comes byte by byte, each in a record of its own', async () => {
    const writeSlowly = async ({ socket }: TestRequest): Promise<void> => {
      for (const byte of ok) {
        socket.write(byte);
        await sleep(1);
      }
    };
    const server = await serve({ settings: { maxVersion }, behave: (request) => void writeSlowly(request) });
    const rows = await load(server.port, {}, { ratePerSecond: 50, durationMs: 200 });
    expectBalanced(rows, server);
    expect(outcomes(rows)).toEqual({ ok: 10 });
  });

  it('uploads and reads what no buffer of the kernel holds', async () => {
    const megabytes = Buffer.alloc(4 << 20, 'x');
    const upload = { ...anyPost, fixed: { ...anyPost.fixed, bodyBase64: megabytes.toString('base64') } };
    const behave: Behaviour = ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${megabytes.length}\r\n\r\n`);
      socket.write(megabytes);
    };
    const server = await serve({ settings: { maxVersion }, behave });
    const rows = await load(server.port, {}, { ratePerSecond: 10, durationMs: 300, mix: [upload] });
    expectBalanced(rows, server);
    expect(outcomes(rows)).toEqual({ ok: 3 });
    expect(rows.every(({ bytes }) => bytes === megabytes.length)).toBe(true);
  });
});

describe('a handshake that fails', () => {
  const afterHello =
    (act: (raw: Socket) => void) =>
    (raw: Socket): boolean => {
      raw.once('data', () => act(raw));
      return true;
    };
  /** The beginning of a record that says it is longer. */
  const half = Buffer.from([22, 3, 3, 0, 80, 2, 0, 0]);
  const alertRecord = (description: number): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, description]);
  const cases: [string, (raw: Socket) => boolean, string][] = [
    ['closed at once', (raw) => (raw.resume(), raw.end(), true), 'FIN, handshake'],
    ['closed after the hello', afterHello((raw) => raw.end()), 'FIN, handshake'],
    ['closed in the middle', afterHello((raw) => raw.end(half)), 'FIN, handshake'],
    ['reset after the hello', afterHello((raw) => raw.resetAndDestroy()), 'ECONNRESET, handshake'],
    [
      'reset in the middle',
      afterHello((raw) => void raw.write(half, () => setTimeout(() => raw.resetAndDestroy(), 20))),
      'ECONNRESET, handshake',
    ],
    // Node tells of close_notify only once the handshake is done.
    ['ended by close_notify', afterHello((raw) => raw.end(alertRecord(0))), 'FIN, handshake'],
    ['refused by an alert', afterHello((raw) => raw.end(alertRecord(40))), 'alert handshake_failure, handshake'],
    ['refused by an internal error', afterHello((raw) => raw.end(alertRecord(80))), 'alert internal_error, handshake'],
    [
      'answered in plain text',
      afterHello((raw) => raw.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
      'TLS is not what the server speaks, handshake',
    ],
    ['never answered', () => true, 'deadline, handshake'],
    ['begun and left', afterHello((raw) => void raw.write(half)), 'deadline, handshake'],
  ];
  it.each(cases)('%s: each request settles once, and none is sent again', async (_, accept, error) => {
    const server = await serve({ accept });
    const rows = await load(server.port, {}, error.startsWith('deadline') ? { deadlineMs: 500 } : {});
    expectBalanced(rows, server);
    expect(outcomes(rows)).toEqual({ tls: all });
    expect(errors(rows)).toEqual([error]);
    expect(server.counts.handshakes).toBe(0);
    // What the deadline ended may still wait to be accepted.
    if (!error.startsWith('deadline')) expect(server.counts.connections).toBe(all);
    expect(rows.every(({ sentUs, connectedUs }) => sentUs !== null && connectedUs !== null)).toBe(true);
  });

  it('leaves the others alone', async () => {
    const server = await serve({ accept: (raw, nth) => nth % 5 === 4 && (raw.end(), true) });
    const rows = await load(server.port, {}, { connections: 'new' });
    expectBalanced(rows, server);
    expect(outcomes(rows)).toEqual({ ok: 32, tls: 8 });
    expect(server.arrivals.size).toBe(32);
  });

  it('is told of a version that is too old', async () => {
    const settings = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = await serve({ settings });
    const rows = await load(server.port);
    expect(outcomes(rows)).toEqual({ tls: all });
    expect(errors(rows)).toEqual(['alert protocol_version, handshake']);
  });

  it('is none where the port is closed', async () => {
    const server = await serve({});
    server.close();
    expect(outcomes(await load(server.port))).toEqual({ refused: all });
  });
});

describe('a kept connection', () => {
  // A machine that stands still for a tenth of a second sends two at once.
  it('is not used once its server has closed it, with or without close_notify', { retry: 3 }, async () => {
    for (const close of [({ raw }: TestRequest) => raw.end(), ({ socket }: TestRequest) => socket.end()]) {
      const behave: Behaviour = (request) => {
        request.socket.write(ok);
        setTimeout(() => close(request), 2);
      };
      const server = await serve({ behave });
      const rows = await load(server.port, {}, { connections: 'kept', ratePerSecond: 10, durationMs: 500 });
      expectBalanced(rows, server);
      expect(outcomes(rows)).toEqual({ ok: 5 });
      expect(server.counts.handshakes).toBe(5);
    }
  });

  it('outlives session tickets', alone, async () => {
    const server = await serve({});
    const rows = await load(server.port, {}, { connections: 'kept', ratePerSecond: 20, durationMs: 500 });
    expect(outcomes(rows)).toEqual({ ok: 10 });
    expect(server.counts.handshakes).toBeLessThan(5);
  });
});
