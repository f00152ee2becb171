import { describe, expect, it } from 'vitest';
import type { AccessLine } from '../run/access-log.ts';
import { ProxyWitnessCount } from './proxy-witness.ts';
import { badRow, row } from './testing.ts';

function line(seq: number, over: Partial<AccessLine> = {}): AccessLine {
  return {
    requestId: `run-1-${seq}`,
    method: 'GET',
    path: '/notes/x',
    status: 200,
    bytes: 10,
    startWallUs: 0,
    durationUs: 1,
    backend: '127.0.0.1:18080',
    version: 'v0',
    ...over,
  };
}

describe('the proxy’s log against the ledger', () => {
  it('agrees when each request that was written arrived once and got the same answer', () => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    for (const seq of [0, 1, 2]) witness.addLine(line(seq));
    witness.addLine(line(9, { requestId: 'prime-9' }));
    for (const seq of [0, 1, 2]) witness.addRow(row(seq));
    witness.addRow(badRow(3, { outcome: 'refused', status: null, firstByteUs: null, error: 'ECONNREFUSED, connect' }));
    witness.addRow(row(4, { outcome: 'unsent', sentUs: null, status: null, firstByteUs: null }));
    expect(witness.result()).toEqual({
      arrived: 3,
      ledgerSent: 3,
      missing: 0,
      extra: 0,
      repeated: 0,
      disagreeing: 0,
    });
  });

  it('finds what is missing, extra, repeated or answered otherwise', () => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    for (const seq of [1, 1, 2]) witness.addLine(line(seq));
    witness.addLine(line(3, { status: 502 }));
    witness.addLine(line(99));
    for (const seq of [0, 1, 3]) witness.addRow(row(seq));
    expect(witness.result()).toEqual({
      arrived: 5,
      ledgerSent: 3,
      missing: 1,
      extra: 2,
      repeated: 1,
      disagreeing: 1,
    });
  });

  it('holds no status against a row that has none', () => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    witness.addLine(line(0, { status: 499 }));
    witness.addRow(badRow(0, { outcome: 'timeout', status: null, firstByteUs: null }));
    expect(witness.result()).toMatchObject({ ledgerSent: 1, missing: 0, disagreeing: 0 });
  });

  it.each<[string, Parameters<typeof row>[1], boolean]>([
    ['whose connection stood', { connectedUs: 90, firstByteUs: null, error: 'ECONNRESET, connect' }, true],
    ['of whose answer a byte came', { connectedUs: null, firstByteUs: 90, error: 'ECONNRESET, connect' }, true],
    ['on a kept connection, without an error', { connectedUs: null, firstByteUs: null, error: null }, true],
    ['that failed in connecting', { connectedUs: null, firstByteUs: null, error: 'ECONNREFUSED, connect' }, false],
    [
      'that the generator failed by itself',
      { connectedUs: null, firstByteUs: null, outcome: 'local', error: 'EMFILE' },
      false,
    ],
    [
      'that the generator failed by itself, without a word',
      { connectedUs: null, firstByteUs: null, outcome: 'local' },
      false,
    ],
    ['that was never sent', { connectedUs: 90, firstByteUs: 90, sentUs: null }, false],
  ])('expects a request %s: %j, %s', (_, over, isExpected) => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    witness.addRow(row(0, { outcome: 'reset', status: null, ...over }));
    expect(witness.result()).toMatchObject({ ledgerSent: isExpected ? 1 : 0, missing: isExpected ? 1 : 0 });
  });

  it('finds a line of a request that by the ledger was never written', () => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    witness.addLine(line(0));
    witness.addRow(row(0, { outcome: 'unsent', sentUs: null, status: null }));
    expect(witness.result()).toMatchObject({ arrived: 1, ledgerSent: 0, extra: 1 });
  });

  it('takes a kept connection that died after the write as written', () => {
    const witness = new ProxyWitnessCount(10, 'run-1-');
    witness.addRow(badRow(0, { outcome: 'reset', status: null, firstByteUs: null, error: 'ECONNRESET, wait' }));
    expect(witness.result()).toMatchObject({ ledgerSent: 1, missing: 1 });
  });
});
