/** What the ledger comes to, from the queries. */
import { sumOf } from '../base/sums.ts';
import type { RunDatabase } from '../run/database.ts';
import type { FailureKind } from '../run/failure-kind.ts';
import { queries, type QueryName } from './queries/all.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { Tally } from './record/verdict.ts';

/** What one restart did to the load. */
export interface RestartCounts {
  /** null where the outage window was not seen. */
  readonly dueInOutage: number | null;
  readonly dropped: number;
  /** Of them, those that a generator that stood still could have made itself. */
  readonly droppedIfLate: number;
  /** By method and connection. */
  readonly droppedByKind: Readonly<Record<string, number>>;
  /** null where nobody saw the old process being told to end. */
  readonly inFlightAtSigterm: number | null;
  readonly longestWaitUs: number | null;
  /** How late the latest request left whose due time lies in the restart's at-risk span; 0 when none was late. */
  readonly latestUs: number;
  /** The most connections that waited at the site's port; null where nobody looked. */
  readonly longestQueue: number | null;
}

/** What the ledger comes to. */
export interface LedgerSummary {
  readonly all: Tally;
  readonly byMethod: Record<string, Tally>;
  readonly byConnection: Record<string, Tally>;
  /** By method and connection: `POST kept`. */
  readonly byKind: Record<string, Tally>;
  readonly atRisk: { due: number; dropped: number; byMethod: Record<string, { due: number; dropped: number }> };
  /** Of the dropped, those that a generator that stood still could have made itself. */
  readonly droppedIfLate: number;
  /** Failed requests by kind. */
  readonly failureKinds: Partial<Record<FailureKind, number>>;
  /** Ok answers whose end was the close of the connection. */
  readonly withoutLength: number;
  /** What the first failed TLS handshake says; null where none failed. */
  readonly tlsError: string | null;
  /** Requests that a client which retries idempotent ones would have sent again. */
  readonly resendable: number;
  readonly perRestart: readonly RestartCounts[];
  /** Slots with no row, and slots with more than one. */
  readonly missingSlots: number;
  readonly repeatedSlots: number;
  /** Longest stretch of the schedule in which no request due in it was answered; null where no request left. */
  readonly silenceUs: number | null;
  /** Was the service gone when the load ended: the last request refused, or the last two not answered as expected? */
  readonly isGoneAtEnd: boolean;
  /** From the due time of the first dropped request to that of the last; null where none was dropped. */
  readonly affectedUs: number | null;
  readonly longestWaitUs: number | null;
  readonly lag: { p50Us: number; p99Us: number; maxUs: number } | null;
  readonly achievedRate: number | null;
}

/** A function that runs a query by its name. */
export type Ask = <T>(name: QueryName) => Promise<T[]>;

/** The same, the rows some at a time. */
export type AskInParts = <T>(name: QueryName) => AsyncIterable<T[]>;

/** Asks a run's database. */
export function askerOf(database: RunDatabase): Ask {
  return (name) => database.all(queries[name].sql);
}

/** Asks a run's database for many rows. */
export function partsAskerOf(database: RunDatabase): AskInParts {
  return (name) => database.parts(queries[name].sql);
}

type Totals = Pick<
  LedgerSummary,
  'droppedIfLate' | 'resendable' | 'withoutLength' | 'tlsError' | 'affectedUs' | 'longestWaitUs'
> &
  Readonly<Record<'sendingUs' | 'lagP50Us' | 'lagP99Us' | 'lagMaxUs', number | null>> & { readonly sent: number };

/** Counts the ledger. */
export async function countLedger(ask: Ask, windows: readonly RestartWindow[]): Promise<LedgerSummary> {
  const cells = await ask<Cell & { method: string; connection: string }>('outcomes');
  const [totals] = await ask<Totals>('totals');
  const [slots] = await ask<{ missing: number; repeated: number }>('slots');
  const [silence] = await ask<{ silenceUs: number | null }>('silence');
  const ends = await ask<{ outcome: string }>('end');
  const kinds = await ask<{ kind: FailureKind; failed: number }>('failure-kinds');
  const atRisk = await ask<{ method: string; due: number; dropped: number }>('at-risk');
  if (totals === undefined || slots === undefined) throw new Error('a query without a row');
  const { sent, sendingUs, lagP50Us, lagP99Us, lagMaxUs, ...figures } = totals;
  return {
    ...talliesOf(cells),
    atRisk: {
      due: sumOf(atRisk, ({ due }) => due),
      dropped: sumOf(atRisk, ({ dropped }) => dropped),
      byMethod: Object.fromEntries(atRisk.map(({ method, ...counts }) => [method, counts])),
    },
    ...figures,
    failureKinds: Object.fromEntries(kinds.map(({ kind, failed }) => [kind, failed])),
    perRestart: await countRestarts(ask, windows),
    missingSlots: slots.missing,
    repeatedSlots: slots.repeated,
    silenceUs: silence?.silenceUs ?? null,
    isGoneAtEnd: ends[0]?.outcome === 'refused' || (ends.length === 2 && ends.every(({ outcome }) => outcome !== 'ok')),
    lag:
      lagP50Us === null || lagP99Us === null || lagMaxUs === null
        ? null
        : { p50Us: lagP50Us, p99Us: lagP99Us, maxUs: lagMaxUs },
    // n requests span n − 1 intervals.
    achievedRate: sent > 1 && sendingUs !== null && sendingUs > 0 ? ((sent - 1) * 1e6) / sendingUs : null,
  };
}

/** Requests of one outcome. */
export interface Cell {
  readonly outcome: string;
  readonly due: number;
  readonly sent: number;
  readonly dropped: boolean;
}

function talliesOf(
  cells: readonly (Cell & Readonly<Record<'method' | 'connection', string>>)[],
): Pick<LedgerSummary, 'all' | 'byMethod' | 'byConnection' | 'byKind'> {
  return {
    all: tallyOf(cells),
    byMethod: talliesBy(cells, ({ method }) => method),
    byConnection: talliesBy(cells, ({ connection }) => connection),
    byKind: talliesBy(cells, ({ method, connection }) => `${method} ${connection}`),
  };
}

/** A tally for each name, in the order of their first cells. */
export function talliesBy<C extends Cell>(cells: readonly C[], nameOf: (cell: C) => string): Record<string, Tally> {
  return Object.fromEntries([...Map.groupBy(cells, nameOf)].map(([name, own]) => [name, tallyOf(own)]));
}

/** Adds them up. */
export function tallyOf(cells: readonly Cell[]): Tally {
  const outcomes: Record<string, number> = {};
  for (const { outcome, due } of cells) outcomes[outcome] = (outcomes[outcome] ?? 0) + due;
  return {
    due: sumOf(cells, ({ due }) => due),
    sent: sumOf(cells, ({ sent }) => sent),
    dropped: sumOf(cells, ({ due, dropped }) => (dropped ? due : 0)),
    outcomes,
  };
}

async function countRestarts(ask: Ask, windows: readonly RestartWindow[]): Promise<RestartCounts[]> {
  const of = async <T>(name: QueryName): Promise<Map<number, T>> => {
    const rows = await ask<T & { restart: number }>(name);
    return new Map(rows.map((row) => [row.restart, row]));
  };
  const drops = await ask<{ restart: number; kind: string; dropped: number; droppedIfLate: number }>('restart-drops');
  const loads = await of<{ dueInOutage: number; latestUs: number; longestWaitUs: number | null }>('restart-load');
  const inFlight = await of<{ inFlight: number }>('restart-in-flight');
  const queues = await of<{ longestQueue: number }>('restart-queues');
  return windows.map(({ restart, acceptStoppedUs, sigtermUs, retireUs }) => {
    const own = drops.filter((row) => row.restart === restart);
    return {
      dueInOutage: acceptStoppedUs === null ? null : (loads.get(restart)?.dueInOutage ?? 0),
      dropped: sumOf(own, ({ dropped }) => dropped),
      droppedIfLate: sumOf(own, ({ droppedIfLate }) => droppedIfLate),
      droppedByKind: Object.fromEntries(own.map(({ kind, dropped }) => [kind, dropped])),
      inFlightAtSigterm: (sigtermUs ?? retireUs) === null ? null : (inFlight.get(restart)?.inFlight ?? 0),
      longestWaitUs: loads.get(restart)?.longestWaitUs ?? null,
      latestUs: loads.get(restart)?.latestUs ?? 0,
      longestQueue: queues.get(restart)?.longestQueue ?? null,
    };
  });
}
