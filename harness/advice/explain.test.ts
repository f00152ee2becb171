import { expect, it } from 'vitest';
import { findingsOf } from './explain.ts';
import { lossy, measured, notTried } from './testing.ts';

const unclear = 'refused or reset: the proxy’s own log does not tell which';

it.each([
  ['E5', 'reset: the backend’s connection ended before the answer', 'naive-close'],
  // A port that is closed resets what waits in its queue.
  ['E1', 'reset: the backend’s connection ended before the answer', null],
  ['E5', unclear, 'naive-close'],
  ['E1', unclear, null],
  // A closed port is what a plain restart is; of two backends one should be open.
  ['E1', 'refused: nobody listened at the backend’s port', null],
  ['E6', 'refused: nobody listened at the backend’s port', 'gone-before-noticed'],
  ['E2', 'the proxy’s check held no backend to be up', null],
  ['E7', 'the proxy’s check held no backend to be up', 'no-backend'],
  ['E6', 'the proxy had chosen a backend that its check was just finding down', 'no-backend'],
  ['E5', 'the service itself answered 503', 'answers-errors'],
  ['E5', 'timeout: the backend took no connection, or gave no answer, in time', 'hangs'],
])('%s, %s: %s', (id, cause, finding) => {
  const found = findingsOf(
    [lossy(id, [{ method: 'POST', cause, count: 3 }]), measured('E3'), notTried('E4', '')],
    null,
  );
  expect(found.map((one) => one.id)).toEqual(finding === null ? [] : [finding]);
});

it('adds up what a weakness cost, way by way, and its POSTs', () => {
  const cause = 'the service itself answered 503';
  const drops = [
    { method: 'POST', cause, count: 3 },
    { method: 'GET', cause, count: 4 },
    { method: 'GET', cause: null, count: 5 },
  ];
  const [found] = findingsOf([lossy('E1', drops), lossy('E5', drops.slice(1))], null);
  expect(found?.seen).toMatchObject([
    { way: { id: 'E1' }, dropped: 7, posts: 3 },
    { way: { id: 'E5' }, dropped: 4, posts: 0 },
  ]);
});

const reset = 'reset: the backend’s connection ended before the answer';
const brokenBy = (...faults: string[]) => faults.map((fault) => ({ fault, seen: 's', costs: 'c', change: 'ch' }));

it.each([
  [['closes idle connections at once'], ['naive-close']],
  [['exits before answering in-flight requests'], ['cut-in-flight']],
  [
    ['a shell wrapper takes SIGTERM', 'closes idle connections at once'],
    ['naive-close', 'a-shell-wrapper-takes-SIGTERM'],
  ],
  // What is polite is not called naive.
  [['ready always 200'], ['closed-in-use', 'gone-before-noticed']],
  [[], ['closed-in-use']],
])('takes resets for what doctor saw: %s', (faults, ids) => {
  const found = findingsOf([lossy('E5', [{ method: 'POST', cause: reset, count: 1 }])], brokenBy(...faults));
  expect(found.map(({ id }) => id)).toEqual(ids);
  expect(found.filter(({ doctor }) => doctor?.endsWith('s') === true)).toHaveLength(faults.length);
  expect(found[0]?.seen).toMatchObject([{ way: { id: 'E5' }, posts: 1 }]);
});

it('names what doctor saw, though it cost nothing', () => {
  const found = findingsOf([measured('E5')], brokenBy('closes idle connections at once', 'fails on SIGTERM'));
  expect(found).toMatchObject([
    { id: 'naive-close', doctor: 'closes idle connections at once: s', seen: [] },
    { id: 'fails-on-SIGTERM', what: 'It breaks its contract: fails on SIGTERM. c', change: 'ch', seen: [] },
  ]);
});

it('takes resets at a port that is closed for the service’s own only where doctor saw it', () => {
  const e1 = lossy('E1', [{ method: 'POST', cause: reset, count: 2 }]);
  expect(findingsOf([e1], [])).toEqual([]);
  expect(findingsOf([e1], brokenBy('closes idle connections at once'))).toMatchObject([
    { id: 'naive-close', seen: [{ way: { id: 'E1' }, posts: 2 }] },
  ]);
});
