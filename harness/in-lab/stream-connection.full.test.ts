/** Every server that fails in a known way, over TLS and in plain text, on kept and new connections. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from './testing-h2-cases.ts';
import { expectTold, loadOf, stopServers } from './testing-h2-load.ts';

beforeAll(() => undefined);
afterAll(stopServers);

describe.each(['plain', 'tls'] as const)('the generator over HTTP/2, %s', (kind) => {
  describe.each(['kept', 'new'] as const)('%s connections', (connections) => {
    it.each(cases)('$name', async (given) => {
      const load = await loadOf(given, kind, { connections });
      expectTold(load, given);
      expect(load.rows.length).toBe(100);
    });
  });
});
