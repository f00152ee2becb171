import { expect, it } from 'vitest';
import type { PlanMixEntry } from '../../in-lab/load/plan.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import { hiddenPaths } from './hidden-paths.ts';

function entry(path: string, target: readonly string[]): PlanMixEntry {
  const expected = { status: null, headers: [], body: null, json: [] };
  return { method: 'GET', path, weight: 1, mixed: { name: path, target, headers: [], body: null, expected } };
}

const told = (mix: readonly PlanMixEntry[], health: OwnService['health'] = {}, shown = health) =>
  hiddenPaths({ mix, service: { health } as OwnService, shown: { health: shown } as OwnService });
const hide = told(
  [
    entry('/', ['/']),
    entry('/read/{id}', ['/read/', 'id', '']),
    entry('/a?b=1&token=${TOKEN}&id={id}&c', ['/a?b=1&token=s3(cr+t&id=', 'id', '&c']),
    entry('/hooks/${HOOK}', ['/hooks/abc"def']),
  ],
  { ready: '/readyz?token=h3alth', live: '/livez' },
  { ready: '/readyz?token=${TOKEN}', live: '/livez' },
);

it.each([
  [
    'the access log',
    '{"RequestPath":"/a?b=1&token=s3(cr+t&id=x-1-7&c"}',
    '{"RequestPath":"/a?b=1&token=${TOKEN}&id={id}&c"}',
  ],
  [
    'signs by their numbers',
    String.raw`{"RequestPath":"/a?b=1\u0026token=s3(cr+t\u0026id=x-1-7\u0026c"}`,
    '{"RequestPath":"/a?b=1&token=${TOKEN}&id={id}&c"}',
  ],
  [
    'the own log, in a sentence',
    String.raw`2026Z {"message":"New attempt 2 for request: /hooks/abc\"def"}`,
    '2026Z {"message":"New attempt 2 for request: /hooks/${HOOK}"}',
  ],
  [
    'what the proxy says of a health check',
    '2026Z {"message":"Health check failed.","targetURL":"http://127.0.0.1:18080/readyz?token=h3alth"}',
    '2026Z {"message":"Health check failed.","targetURL":"http://127.0.0.1:18080/readyz?token=${TOKEN}"}',
  ],
  ['a path without one', '{"RequestPath":"/read/x-1-7"}', '{"RequestPath":"/read/x-1-7"}'],
])('hides a secret path in %s', (_, line, shown) => {
  expect(hide?.(line)).toBe(shown);
});

it('changes nothing where no path holds a secret', () => {
  expect(told([entry('/read/{id}', ['/read/', 'id', ''])], { live: '/livez' })).toBeNull();
});
