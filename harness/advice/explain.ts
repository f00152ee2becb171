/** What the drops say of the service itself, and what to change in it. A way of restarting is not to blame for these. */
import type { Measured, Tried } from './choose.ts';

/** A point in which the service breaks its contract, as `doctor` saw it. */
export interface Broken {
  readonly fault: string;
  readonly seen: string;
  readonly costs: string;
  readonly change: string;
}

/** A weakness of the service, as its drops or `doctor` show it. */
export interface Finding {
  readonly id: string;
  readonly what: string;
  readonly change: string;
  /** What `doctor` saw of it; null: nothing, or it was not asked. */
  readonly doctor: string | null;
  /** Where it was seen, and what it cost there. */
  readonly seen: readonly { readonly way: Measured['way']; readonly dropped: number; readonly posts: number }[];
}

interface Sign extends Omit<Finding, 'seen' | 'doctor'> {
  /** What `doctor` calls it. */
  readonly faults: readonly string[];
  readonly isSeen: (cause: string, id: string, isConfirmed: boolean) => boolean;
}

const twoBackends = ['E6', 'E7'];
/** A port that systemd owns refuses nobody. */
const neverRefuses = ['E5', 'E8'];

/**
 * Where the port is closed, what waits in its queue is reset, whatever the service does: only where `doctor` saw it are those
 * resets its own, too.
 */
const isReset = (cause: string, id: string, isConfirmed: boolean): boolean =>
  neverRefuses.includes(id) ? /^(refused or )?reset:/u.test(cause) : isConfirmed && cause.startsWith('reset:');

const naiveClose: Sign = {
  id: 'naive-close',
  what:
    'It closes idle kept connections at once when it stops (naive close). A request that the proxy has just written on one ' +
    'of them dies. The proxy sends a GET again, and a POST it must not.',
  change:
    'At SIGTERM accept no further connection. Say `Connection: close` in each answer, and close a connection only behind ' +
    'such an answer, or when nothing has come on any for a second: docs/examples/node/shop.mjs and go-socket/main.go do. ' +
    'Go’s Shutdown alone does not, nor does Node’s server.close().',
  faults: ['closes idle connections at once'],
  isSeen: isReset,
};

/** What is left where `doctor` saw that idle connections are not closed at once. */
const closedInUse: Sign = {
  ...naiveClose,
  id: 'closed-in-use',
  what:
    'It closes connections while it stops that the proxy is about to use: not at once, and yet before each has had a last ' +
    'answer. A request that the proxy has just written on one of them dies.',
  change:
    'At SIGTERM accept no further connection, first of all: those that are kept are then used up, an answer with ' +
    '`Connection: close` each, and none is left to be closed in the middle. docs/examples/node/shop.mjs does.',
  faults: [],
};

/** In the drops it looks as naive close does: only `doctor` tells them apart. */
const cutInFlight: Sign = {
  id: 'cut-in-flight',
  what: 'It exits before it has answered what is in flight. The proxy sends a GET again, and a POST it must not.',
  change:
    'Answer what is in flight before you exit, for all of TimeoutStopSec; a shell wrapper must `exec` the program.',
  faults: ['exits before answering in-flight requests', 'a shell wrapper takes SIGTERM'],
  isSeen: isReset,
};

/** The others, each by the causes that show it. */
const signs: readonly Sign[] = [
  {
    id: 'gone-before-noticed',
    what: 'With two of it side by side, the old one closes its port before the proxy’s check has seen it leave.',
    change:
      'Answer 503 at health.ready from SIGTERM on, and go on serving for longer than the check takes to notice (2 s here): ' +
      'put {graceMs} into start or environment, so that the lab can set how long.',
    faults: ['ready always 200', 'ready still 200 after SIGTERM'],
    isSeen: (cause, id) => twoBackends.includes(id) && cause.startsWith('refused:'),
  },
  {
    id: 'no-backend',
    what: 'With two of it side by side, there were moments in which the proxy’s check found neither of them ready.',
    change:
      'Answer 2xx at health.ready as soon as requests are served, and 503 only from SIGTERM on; nothing else may turn it.',
    faults: [],
    isSeen: (cause, id) =>
      twoBackends.includes(id) && /check (held no backend|was just finding)|just finding/u.test(cause),
  },
  {
    id: 'answers-errors',
    what: 'It answers with errors while it starts or stops, instead of answering as asked, or not accepting yet.',
    change: 'Open the port when requests can be served, and serve those that were accepted until the end.',
    faults: [],
    isSeen: (cause) => /^the (service|site) itself answered/u.test(cause),
  },
  {
    id: 'hangs',
    what: 'It took requests, or let them wait in its queue, and never answered.',
    change: 'Accept before SIGTERM only what is answered after it, and end by itself before TimeoutStopSec.',
    faults: [],
    isSeen: (cause) => cause.startsWith('timeout:'),
  },
];

/**
 * What is wrong with the service, as far as the drops of these runs show it (a cause is a cause in a late run, too), and what
 * `doctor` saw.
 * @param broken null where `doctor` was not asked
 */
export function findingsOf(tried: readonly Tried[], broken: readonly Broken[] | null): Finding[] {
  const measured = tried.filter((one) => one.kind === 'measured');
  const found = [resetSign(broken), ...signs].flatMap(({ isSeen, faults, ...of }) => {
    const doctor = broken?.find(({ fault }) => faults.includes(fault)) ?? null;
    const seen = measured.flatMap(({ way, drops }) => {
      const mine = drops.filter(({ cause }) => cause !== null && isSeen(cause, way.id, doctor !== null));
      const dropped = sum(mine);
      return dropped === 0 ? [] : [{ way, dropped, posts: sum(mine.filter(({ method }) => method === 'POST')) }];
    });
    if (doctor === null && seen.length === 0) return [];
    return [{ ...of, faults, doctor: doctor === null ? null : `${doctor.fault}: ${doctor.seen}`, seen }];
  });
  // What shows in no drop.
  const others = (broken ?? []).filter(({ fault }) => !found.some(({ faults }) => faults.includes(fault)));
  return [
    ...found.map(({ id, what, change, doctor, seen }) => ({ id, what, change, doctor, seen })),
    ...others.map(({ fault, costs, change, seen }) => {
      const what = `It breaks its contract: ${fault}. ${costs}`;
      return { id: fault.replaceAll(' ', '-'), what, change, doctor: seen, seen: [] };
    }),
  ];
}

/** Faults that are known here by the names that `doctor` gives them. */
export const knownFaults: readonly string[] = [naiveClose, cutInFlight, ...signs].flatMap(({ faults }) => faults);

/** Which of the two it is that resets connections. */
function resetSign(broken: readonly Broken[] | null): Sign {
  const has = ({ faults }: Sign): boolean => broken?.some(({ fault }) => faults.includes(fault)) === true;
  if (has(naiveClose)) return naiveClose;
  if (has(cutInFlight)) return cutInFlight;
  if (broken !== null) return closedInUse;
  const alike = 'A service that exits before it has answered what is in flight looks the same: answer that first.';
  return { ...naiveClose, change: `${naiveClose.change} ${alike}` };
}

function sum(drops: readonly { readonly count: number }[]): number {
  return drops.reduce((total, { count }) => total + count, 0);
}
