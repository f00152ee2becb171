/** What a row of the ledger must be whatever happened: as the load generator makes rows, and no other way. */
import { outcomeOfWords, stepOfWords } from '../run/failure-words.ts';
import { isOwnFault, type LedgerRow, type Outcome } from '../run/ledger.ts';
import { PlannedRequests, type Plan } from './planned-requests.ts';
import { plainNumberAfter } from './request-id.ts';
import { dueUsOf } from '../experiment/load-schedule.ts';
import { askedMs, expectedBodyCrc32 } from '../run/site-requests.ts';

/** What rows are held against. */
export interface RowRules {
  /** What request ids begin with; the slot's number follows. */
  readonly idPrefix: string;
  readonly ratePerSecond: number;
  /** The status that is ok; null stands for any from 200 to 299. */
  readonly expectedStatus: number | null;
  /** What a request has from its due time to its whole answer. */
  readonly deadlineMs: number;
}

/** Everything that a row is held against by itself; plain data, so that a thread can be given it. */
export interface AloneTask extends RowRules {
  /** What the schedule is drawn from; null where the run's record does not tell, as of a service that the user runs. */
  readonly plan: Plan | null;
}

/** Holds row after row against its rules and, where there is a plan, against what its slot asks for. */
export class AloneCheck {
  private readonly rules: RowRules;
  private readonly planned: PlannedRequests | null;

  /** @param slots how many slots the schedule has */
  constructor({ plan, ...rules }: AloneTask, slots: number) {
    this.rules = rules;
    this.planned = plan === null ? null : new PlannedRequests(plan, slots);
  }

  /** What is wrong with it, each a phrase; mostly nothing. */
  wrong(row: LedgerRow): readonly string[] {
    const byRules = wrongAlone(row, this.rules);
    const byPlan = this.planned === null ? nothing : wrongByPlan(row, this.planned);
    if (byPlan.length === 0) return byRules;
    return [...byRules, ...byPlan];
  }
}

/** Only of an experiment it is known which body each request asks for. */
function wrongByPlan(row: LedgerRow, planned: PlannedRequests): readonly string[] {
  const wrong: string[] = [];
  const other = planned.otherThan(row);
  if (other !== null) wrong.push(`the schedule has ${other} in its slot`);
  if (row.outcome === 'ok' || row.outcome === 'wrong') {
    const isRightBody = row.bodyCrc32 === expectedBodyCrc32(row);
    if (isRightBody !== (row.outcome === 'ok')) {
      wrong.push(`${row.outcome} with a body that is ${isRightBody ? '' : 'not '}the one asked for`);
    }
  }
  return wrong.length === 0 ? nothing : wrong;
}

/** Outcomes without a byte of an answer. */
const unanswered: ReadonlySet<Outcome> = new Set<Outcome>([
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'unreachable',
  'unsent',
]);

/** Of nearly every row. */
const nothing: readonly string[] = [];

/** What is wrong with it by itself. */
export function wrongAlone(row: LedgerRow, rules: RowRules): readonly string[] {
  const wrong: string[] = [];
  const { seq, dueUs, sentUs, connectedUs, firstByteUs, doneUs, outcome } = row;
  if (dueUs !== dueUsOf(seq, rules.ratePerSecond)) wrong.push(`it was not due at ${dueUs} µs`);
  if (row.trial !== 1) wrong.push(`it is of trial ${row.trial}`);
  if (!isIdOf(row, rules.idPrefix)) wrong.push(`its id is ${row.requestId}`);
  if (!areRising(dueUs, sentUs, connectedUs, firstByteUs, doneUs)) wrong.push('its times are not in order');
  if (row.connection === 'new' && firstByteUs !== null && connectedUs === null) {
    wrong.push('answered, and never connected');
  }
  if (sentUs === null && !isOwnFault(outcome) && outcome !== 'refused' && outcome !== 'connect-timeout') {
    wrong.push(`${outcome} of a request that was never sent`);
  }
  wrong.push(...(isAnswer(outcome) ? wrongAnswer(row, rules) : wrongFailure(row, rules)));
  return wrong.length === 0 ? nothing : wrong;
}

/** Complete answers have a status and a body; all other outcomes are failures, and say of what. */
function isAnswer(outcome: Outcome): boolean {
  return outcome === 'ok' || outcome === 'wrong' || outcome.startsWith('status-');
}

function wrongAnswer(row: LedgerRow, { expectedStatus }: RowRules): string[] {
  const wrong: string[] = [];
  const { outcome, status, dueUs, doneUs } = row;
  const isExpected = expectedStatus === null ? isSuccess(status) : status === expectedStatus;
  // A status that nobody asked for may be a success all the same.
  const isOther = outcome === `status-${status}` && (expectedStatus === null || !isExpected);
  const isRight = outcome === 'ok' || outcome === 'wrong' ? isExpected : isOther;
  if (!isRight) wrong.push(`${outcome} with status ${status ?? 'none'}`);
  if (row.firstByteUs === null) wrong.push(`${outcome} without a first byte`);
  if (row.bodyCrc32 === null) wrong.push(`${outcome} without the check sum of its body`);
  if (row.error !== null) wrong.push(`${outcome} with an error (${row.error})`);
  // Timers are good to a millisecond, and may fire one early.
  if (outcome === 'ok' && doneUs - dueUs < askedMs(row.path) * 1000 - 2_000) {
    wrong.push('answered sooner than the time it asked the site to take');
  }
  return wrong;
}

/** A status from 200 to 299. */
export function isSuccess(status: number | null): boolean {
  return status !== null && status >= 200 && status <= 299;
}

function wrongFailure(row: LedgerRow, { deadlineMs }: RowRules): string[] {
  const wrong: string[] = [];
  const { outcome, status, connectedUs, firstByteUs, error } = row;
  if (unanswered.has(outcome) && (status !== null || firstByteUs !== null)) {
    wrong.push(`${outcome} of a request that was answered${status === null ? '' : ` ${status}`}`);
    return wrong;
  }
  if (row.version !== null || row.instance !== null || row.bodyCrc32 !== null) {
    wrong.push(`${outcome} with what only a whole answer has`);
  }
  if (error === null || outcomeOfWords(error) !== outcome) {
    wrong.push(`${outcome} ${error === null ? 'without an error' : `of the error “${error}”`}`);
    return wrong;
  }
  const step = stepOfWords(error);
  const hasCome = { connect: connectedUs !== null, wait: firstByteUs !== null, body: false };
  if (step !== null && hasCome[step]) wrong.push(`its error came at the step “${step}”, which was over`);
  if (step === 'body' && firstByteUs === null) wrong.push('its error came with the answer, of which there is nothing');
  if (status !== null && firstByteUs === null) wrong.push(`status ${status} without a first byte`);
  if (error.startsWith('deadline') && row.doneUs - row.dueUs < deadlineMs * 1000) {
    wrong.push(`given up before its ${deadlineMs / 1000} s were over`);
  }
  return wrong;
}

function isIdOf({ requestId, seq }: LedgerRow, prefix: string): boolean {
  // Nearly all are told by their digits, without a text being made.
  const isPlain = requestId.startsWith(prefix) && plainNumberAfter(requestId, prefix.length) === seq;
  return isPlain || requestId === `${prefix}${seq}`;
}

/** In order, as far as each is known. */
function areRising(dueUs: number, ...times: readonly (number | null)[]): boolean {
  let lastUs = dueUs;
  for (const us of times) {
    if (us == null) continue;
    if (us < lastUs) return false;
    lastUs = us;
  }
  return true;
}
