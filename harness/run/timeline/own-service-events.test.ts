import { describe, expect, it } from 'vitest';
import { messageIds } from '../files/journal.ts';
import type { QueueSample } from '../files/queues.ts';
import { ownServiceEvents } from './own-service-events.ts';

const ms = (...samples: readonly (readonly [atMs: number, waiting: number | 'closed'])[]): QueueSample[] =>
  samples.map(([atMs, waiting]) => ({
    ...{ atMonotonicUs: atMs * 1000, port: 8080 },
    ...(waiting === 'closed' ? { waiting: 0, closed: true as const } : { waiting }),
  }));
describe('a service of the user’s own', () => {
  const line = (atMs: number, messageId: string, unit = 'shop.service') => ({
    ...{ atMonotonicUs: atMs * 1000, message: 'as systemd says it', messageId, unit },
  });
  const journal = [
    line(1_010, messageIds.unitStopping),
    line(1_030, messageIds.unitSucceeded),
    line(1_031, messageIds.unitStopped),
    line(1_040, messageIds.unitStarted),
    line(1_041, messageIds.unitStarted, 'other.service'),
  ];
  const common = { journal, originUs: 1_000_000, begins: [5_000], readyUs: [] };
  const shown = (events: ReturnType<typeof ownServiceEvents>): string[] =>
    events.map(({ kind, source, atUs }) => `${atUs / 1000} ${kind} ${source}`);

  it('has the events of its unit from the journal, and those of its ports from the kernel', () => {
    const queues = [
      ...ms([1_020, 0], [1_022, 'closed'], [1_055, 0]),
      ...ms([1_020, 0], [1_022, 'closed'], [1_050, 0]).map((sample) => ({ ...sample, port: 9090 })),
    ];
    const colours = [{ service: 'shop.service', socket: 'shop.socket', publicPort: 8080, internalPort: 9090 }];
    expect(shown(ownServiceEvents({ ...common, queues, colours, hasSocket: false }))).toEqual([
      '10 sigterm journal',
      '30 main-exited journal',
      '31 unit-stopped journal',
      '40 start journal',
      '40 unit-started journal',
      '20 accepting queues',
      '22 accept-stopped queues',
      '55 accepting queues',
      '20 internal-listening queues',
      '50 internal-listening queues',
    ]);
  });

  it('with a socket has its window from the queue', () => {
    const queues = ms([1_000, 0], [1_015, 1], [1_016, 0], [1_025, 1], [1_060, 0]);
    const colours = [{ service: 'shop.service', socket: 'shop.socket', publicPort: 8080 }];
    expect(shown(ownServiceEvents({ ...common, queues, colours, hasSocket: true })).slice(5)).toEqual([
      '16 accept-stopped queues',
      '60 accepting queues',
    ]);
  });
});
