/** Judges one life, from its start to its end by SIGTERM: by the order of what happened, as far as that tells. */
import { isOk, isServed, type DrainSeen, type InFlight, type KeptSeen } from '../../in-lab/contract/messages.ts';
import type { Sample, StartSeen, Told } from '../../in-lab/contract/messages.ts';
import type { FaultOf, Outcome } from './checks.ts';
import { failed, notApplicable, passed, wrapperOf, type Known } from './outcome.ts';

/** A life in which it served, up to its end. */
interface Served extends DrainSeen {
  readonly stop: NonNullable<DrainSeen['stop']>;
}

/** The checks that such a life answers. */
export type DrainCheck = keyof ReturnType<typeof judgeServed>;

/** An answer after ready's 200 that takes longer, and longer than usual, waited for the warm-up. */
const longWaitMs = 500;
/** A process that has not turned away by then has not heard the signal. */
const heardMs = 3_000;
/** So long after SIGTERM ready must say it. */
const saidMs = 500;
/** A connection that was used within this time was in use: nobody may close it unannounced. */
const inUseMs = 500;
/** A proxy that checks ready has left by then. */
const graceMs = 2_000;

/** Milliseconds as they are told. */
function ms(fromUs: number, toUs: number): string {
  return `${Math.round((toUs - fromUs) / 1000)} ms`;
}

/** One outcome for each check. */
export function judgeDrain(known: Known, seen: DrainSeen): Record<DrainCheck, Outcome> {
  const { start, stop } = seen;
  if (start.servedUs !== null && stop !== null) {
    return foldWrapper(known, seen, foldAlwaysReady(judgeServed(known, { ...seen, stop })));
  }
  const why = notApplicable('it does not serve');
  return {
    ...{ binds: judgeBinds(known, start), requests: why, live: why, 'ready-warm-up': why, 'ready-drain': why },
    ...{ sigterm: why, accepting: why, 'in-flight': why, idle: why, 'exit-status': why },
  };
}

function judgeServed(known: Known, seen: Served) {
  const sigterm = judgeSigterm(seen);
  const isDeaf = sigterm.status === 'failed' && sigterm.fault === 'ignores SIGTERM';
  const unlessDeaf = (outcome: Outcome): Outcome => (isDeaf ? notApplicable('it ignores SIGTERM') : outcome);
  const inFlight = judgeInFlight(seen);
  return {
    binds: judgeBinds(known, seen.start),
    requests: judgeRequests(seen),
    live: judgeLive(known, seen),
    'ready-warm-up': judgeReadyAtFirst(known, seen),
    'ready-drain': unlessDeaf(judgeReadyAtLast(known, seen)),
    sigterm,
    accepting: unlessDeaf(judgeAccepting(known, seen)),
    'in-flight': unlessDeaf(inFlight),
    idle: unlessDeaf(judgeIdle(seen, inFlight.status === 'failed')),
    'exit-status': unlessDeaf(judgeExit(seen)),
  };
}

/** Ready that never says no is one fault, not two. */
function foldAlwaysReady(outcomes: Record<DrainCheck, Outcome>): Record<DrainCheck, Outcome> {
  const [first, last] = [outcomes['ready-warm-up'], outcomes['ready-drain']];
  if (first.status !== 'failed' || last.status !== 'failed') return outcomes;
  return {
    ...outcomes,
    'ready-warm-up': notApplicable('ready says 200 always, as the next line tells'),
    'ready-drain': {
      ...last,
      fault: 'ready always 200' satisfies FaultOf<'ready-drain'>,
      seen: `${first.seen}; ${last.seen}`,
    },
  };
}

/** What a wrapper that takes the signal does to the drain is the wrapper's fault. */
function foldWrapper(
  known: Known,
  { start }: DrainSeen,
  outcomes: Record<DrainCheck, Outcome>,
): Record<DrainCheck, Outcome> {
  const wrapper = wrapperOf(known, start);
  const hurt = (['sigterm', 'accepting', 'in-flight', 'idle', 'exit-status', 'ready-drain', 'live'] as const).filter(
    (check) => outcomes[check].status === 'failed',
  );
  if (wrapper === null || hurt.length === 0) return outcomes;
  const says = `systemd starts and stops ${wrapper}, and the service is its child`;
  const folded = notApplicable(`${says}: the signal does not reach it in order`);
  return {
    ...outcomes,
    ...Object.fromEntries(hurt.map((check) => [check, folded])),
    // Where it is handed a socket, the check of that names the wrapper.
    sigterm: known.listens === 'itself' ? failed<'sigterm'>('a shell wrapper takes SIGTERM', says) : folded,
  };
}

/** What systemd itself ends a process with that it cannot begin; of that the journal of the unit may have no word. */
const systemdsOwn: Readonly<Record<number, string>> = {
  200: ' (systemd’s CHDIR: its working folder is not there)',
  203: ' (systemd’s EXEC: its program is not there, or cannot be run)',
  216: ' (systemd’s GROUP: its Group= is not there)',
  217: ' (systemd’s USER: its User= is not there)',
};

function judgeBinds({ publicPort, internalPort, hasInternal }: Known, start: StartSeen): Outcome {
  const { servedUs, startedUs, state, processes, lastWords } = start;
  const fails = (seen: string): Outcome => failed<'binds'>('does not serve where it was told', seen);
  const own = start.listeners.filter(({ inode }) => processes.some(({ sockets }) => sockets.includes(inode)));
  const places = own.map(({ address, port }) => `${address}:${port}`).join(', ');
  if (servedUs === null) {
    const words = lastWords.length === 0 ? '' : `; its last words: ${lastWords.slice(-3).join(' | ')}`;
    if (state.activeState === 'failed' || state.ended !== '' || state.restarts > 0) {
      const how =
        state.ended === 'killed'
          ? `was ended by signal ${state.status}`
          : `exited with ${state.status}${systemdsOwn[state.status] ?? ''}`;
      const again = state.restarts === 0 ? '' : `, and again after each of ${state.restarts} restarts`;
      return fails(`it ${state.ended === '' ? 'ended' : how} before it answered${again}${words}`);
    }
    const isThere = own.some(({ port }) => port === publicPort);
    return fails(
      isThere
        ? `it listens on port ${publicPort}, and no request was answered as expected${words}`
        : `nothing of it listens on port ${publicPort}; it listens on ${places === '' ? 'none' : places}${words}`,
    );
  }
  if (hasInternal && !start.listeners.some(({ port }) => port === internalPort)) {
    return fails(`nothing listens on the internal port ${internalPort}; it listens on ${places}`);
  }
  const ports = hasInternal ? `ports ${publicPort} and ${internalPort}` : `port ${publicPort}`;
  return passed(`${ports}; its first answer came ${ms(startedUs, servedUs)} after its start`);
}

function judgeRequests({ measured }: Served): Outcome {
  const wrong = measured.filter(({ results, expected }) => !results.every((result) => isOk(result, expected)));
  const words = wrong.map(({ name, results, expected }) => {
    return `${name}: ${[...new Set(results)].join(', ')} in place of ${expected ?? '2xx'}`;
  });
  if (words.length > 0) return failed<'requests'>('does not answer a request as expected', words.join('; '));
  return passed(measured.map(({ name, medianMs }) => `${name} ${medianMs.toFixed(0)} ms`).join(', '));
}

function of(samples: readonly Sample[], kind: Sample['of']): Sample[] {
  return samples.filter((sample) => sample.of === kind).sort((one, other) => one.sentUs - other.sentUs);
}

/** Until when it surely lived: it answered a request then. */
function aliveUntil({ inFlight, kept }: Served): number {
  const ends = inFlight.flatMap(({ told }) => (told !== null && typeof told.result === 'number' ? told.doneUs : []));
  return Math.max(0, ...ends, ...kept.map(({ lastAnswerUs }) => lastAnswerUs));
}

function judgeLive(known: Known, seen: Served): Outcome {
  if (!known.hasLive) return notApplicable('service.yaml has no health.live');
  const fails = (when: string, { result }: Sample): Outcome =>
    failed<'live'>('live does not answer', `${when}: ${typeof result === 'number' ? `status ${result}` : result}`);
  const { start, stop } = seen;
  const first = of(start.samples, 'live');
  const begun = first.findIndex(({ result }) => isOk(result, null));
  const wrong = first.find(({ result }, index) =>
    typeof result === 'number' ? !isOk(result, null) : result === 'timeout' || (begun >= 0 && index > begun),
  );
  const when = ({ sentUs }: Sample): string =>
    start.servedUs !== null && sentUs > start.servedUs ? 'while it serves' : 'while it warms up';
  if (wrong !== undefined) return fails(when(wrong), wrong);
  const served = of(start.samples, 'public').find(({ result }) => typeof result === 'number');
  const late = first.find(
    ({ sentUs, result }) => served !== undefined && sentUs > served.doneUs && !isOk(result, null),
  );
  if (late !== undefined) return fails('while it serves', late);
  if (begun < 0) return notApplicable('it was never asked in time');
  const isAlone = known.internalPort === known.publicPort;
  const livedUs = aliveUntil(seen);
  const isInDrain = ({ sentUs, doneUs }: Sample): boolean => sentUs > stop.orderedUs && doneUs < livedUs;
  const inDrain = of(seen.samples, 'live').filter(isInDrain);
  const silent = inDrain.find(({ result }) => !isOk(result, null));
  if (silent !== undefined && !isAlone) return fails('in its drain', silent);
  const drain = isAlone ? 'its only port is closed in warm-up and drain' : `${inDrain.length} times in its drain`;
  return passed(`${first.length - begun} times from its start on; ${drain}`);
}

function judgeReadyAtFirst(known: Known, { start, measured }: Served): Outcome {
  if (!known.hasReady) return notApplicable('service.yaml has no health.ready');
  const ready = of(start.samples, 'ready');
  const yes = ready.find(({ result }) => isOk(result, null));
  const { startedUs, servedUs } = start;
  if (yes === undefined) {
    const results = [...new Set(ready.map(({ result }) => result))].join(', ');
    return failed<'ready-warm-up'>('ready never says 200', `while requests were answered, ready said: ${results}`);
  }
  const usualMs = Math.max(...measured.map(({ medianMs }) => medianMs));
  const bad = of(start.samples, 'public').find(({ result, sentUs, doneUs }) => {
    if (sentUs < yes.doneUs) return false;
    const tookMs = (doneUs - sentUs) / 1000;
    return typeof result !== 'number' || result >= 500 || tookMs > Math.max(longWaitMs, 3 * usualMs);
  });
  if (bad === undefined || servedUs === null || bad.sentUs > servedUs) {
    const no = ready.filter(({ result }) => result === 503).length;
    const before = no === 0 ? '' : `503 before (${no} times), `;
    return passed(`${before}200 from ${ms(startedUs, yes.doneUs)} after its start on`);
  }
  const { result } = bad;
  const late = `answered only after ${ms(bad.sentUs, bad.doneUs)}`;
  const what = typeof result !== 'number' ? result : result >= 500 ? `answered with ${result}` : late;
  return failed<'ready-warm-up'>(
    'ready at once though warming',
    `ready said 200 ${ms(startedUs, yes.doneUs)} after the start; a request sent ${ms(yes.doneUs, bad.sentUs)} later was ${what}`,
  );
}

function judgeReadyAtLast(known: Known, { stop, samples }: Served): Outcome {
  if (!known.hasReady) return notApplicable('service.yaml has no health.ready');
  const ready = of(samples, 'ready').filter(({ sentUs }) => sentUs > stop.orderedUs);
  if (ready.length === 0) return notApplicable('it could not be asked in its drain');
  const closed = refusedAt(samples, stop.askedUs);
  const fromUs = Math.min(closed ?? Infinity, stop.orderedUs + saidMs * 1000);
  const wrong = ready.find(({ result, sentUs }) => sentUs > fromUs && isOk(result, null));
  if (wrong !== undefined) {
    return failed<'ready-drain'>(
      'ready still 200 after SIGTERM',
      `ready said 200 to a question sent ${ms(stop.askedUs, wrong.sentUs)} after SIGTERM` +
        (closed === null ? '' : `, when its port had been closed for ${ms(closed, wrong.sentUs)}`),
    );
  }
  const no = ready.find(({ result }) => !isOk(result, null));
  if (no === undefined) return passed('it was gone before it could be asked twice');
  const said = typeof no.result === 'number' ? String(no.result) : no.result;
  return passed(`${said} from ${ms(stop.askedUs, no.doneUs)} after SIGTERM on`);
}

/** When the port was seen closed; null where it was not. */
function refusedAt(samples: readonly Sample[], askedUs: number): number | null {
  return of(samples, 'public').find(({ result, sentUs }) => result === 'refused' && sentUs >= askedUs)?.doneUs ?? null;
}

function judgeSigterm({ stop, samples, kept }: Served): Outcome {
  const { goneUs, orderedUs, askedUs, waitedForIdle, state } = stop;
  if (goneUs !== null) return passed(`gone ${ms(askedUs, goneUs)} after SIGTERM`);
  const limit = state.timeoutStopMs === null ? 'is not set' : `is ${(state.timeoutStopMs / 1000).toFixed(0)} s`;
  const hearUs = orderedUs + heardMs * 1000;
  const isDeaf =
    of(samples, 'public').some(({ sentUs, result }) => sentUs > hearUs && typeof result === 'number') ||
    kept.some(({ lastAnswerUs, isAnnounced }) => lastAnswerUs > hearUs && !isAnnounced);
  if (isDeaf) {
    return failed<'sigterm'>('ignores SIGTERM', `it still took requests to the end; TimeoutStopSec= ${limit}`);
  }
  const idle = waitedForIdle ? '; it went as soon as its idle connections were closed by their client' : '';
  return failed<'sigterm'>(
    'drains for ever',
    `it took no more requests, and had not ended when TimeoutStopSec= was near, which ${limit}${idle}`,
  );
}

function judgeAccepting({ isHanded }: Known, { stop, samples, inFlight }: Served): Outcome {
  if (isHanded) return notApplicable('systemd owns the port, which is never closed');
  const closed = refusedAt(samples, stop.askedUs);
  const { goneUs, askedUs, orderedUs } = stop;
  if (closed !== null && (goneUs === null || closed < goneUs)) return passed(`${ms(askedUs, closed)} after SIGTERM`);
  const isCut = ({ result, sentUs }: Sample): boolean =>
    sentUs > orderedUs && (result === 'reset' || result === 'closed');
  const cut = of(samples, 'public').filter(isCut);
  const hasAnswered = inFlight.every(({ told, expected }) => told === null || isServed(told.result, expected));
  const isSlow = goneUs !== null && goneUs - orderedUs > inUseMs * 1000;
  if (cut.length > 0 && hasAnswered && isSlow) {
    return failed<'accepting'>(
      'accepts until it exits',
      `${cut.length} connections that were made after SIGTERM were cut when it exited, ${ms(askedUs, goneUs)} after SIGTERM`,
    );
  }
  return passed(goneUs === null ? 'its port was closed' : `with its end, ${ms(askedUs, goneUs)} after SIGTERM`);
}

function told({ name, kind }: InFlight, { result, doneUs }: Told, askedUs: number): string {
  const what = kind === 'half' ? `${name}, half of it sent before SIGTERM` : `${name}, sent before SIGTERM`;
  const came = typeof result === 'number' ? `answered ${result}` : result;
  return `${what}: ${came} ${ms(askedUs, doneUs)} after SIGTERM`;
}

function judgeInFlight({ inFlight, stop }: Served): Outcome {
  if (inFlight.length === 0) {
    return notApplicable('no request of the mix takes 80 ms, and none has a body: nothing is in flight for long');
  }
  const known = inFlight.flatMap((request) => (request.told === null ? [] : [{ ...request, told: request.told }]));
  if (known.length === 0) return notApplicable('it answered before the signal came');
  const lost = known.filter(({ told: { result }, expected }) => !isServed(result, expected));
  const words = (requests: typeof known): string =>
    requests.map((request) => told(request, request.told, stop.askedUs)).join('; ');
  return lost.length === 0
    ? passed(words(known))
    : failed<'in-flight'>('exits before answering in-flight requests', words(lost));
}

function judgeIdle({ kept: all, keepsConnections, stop, samples }: Served, isCut: boolean): Outcome {
  if (!keepsConnections) return notApplicable('it keeps no connection open');
  const kept = all.filter(({ endedUs }) => endedUs === null || endedUs >= stop.askedUs);
  if (kept.length === 0) return notApplicable('no kept connection could be opened');
  if (isCut) return notApplicable('it exits before requests are answered');
  const used = kept.filter(({ kind }) => kind === 'used');
  const cut = kept.filter((line) => !line.isAnnounced && (line.isRequestLost || sinceUseMs(line) <= inUseMs));
  const ends = kept.flatMap(({ endedUs }) => endedUs ?? []);
  if (cut.length === 0) {
    const silent = kept.filter(({ kind, endedUs }) => kind === 'silent' && endedUs !== null);
    const longest = Math.max(...silent.map(({ endedUs }) => endedUs ?? 0));
    const after = silent.length === 0 ? '' : `; unused ones were ended ${ms(stop.askedUs, longest)} after SIGTERM`;
    const announced = used.filter(({ isAnnounced }) => isAnnounced).length;
    return passed(`${announced} of ${used.length} in use were told with Connection: close${after}`);
  }
  const firstUs = Math.min(
    ...cut.flatMap(({ endedUs }) => endedUs ?? []),
    ...(ends.length === 0 ? [stop.askedUs] : []),
  );
  const said = of(samples, 'ready').find(({ result, sentUs }) => sentUs > stop.askedUs && !isOk(result, null));
  if (said !== undefined && firstUs - said.doneUs >= graceMs * 1000) {
    return passed(
      `left open for ${ms(said.doneUs, firstUs)} after ready has said no: a proxy that checks it has gone by then`,
    );
  }
  const lost = cut.filter(({ isRequestLost }) => isRequestLost).length;
  return failed<'idle'>(
    'closes idle connections at once',
    `${cut.length} of ${kept.length} kept connections were ended without a word, the first ${ms(stop.askedUs, firstUs)} after ` +
      `SIGTERM; one had been used ${Math.round(Math.min(...cut.map(sinceUseMs)))} ms before` +
      (lost === 0 ? '' : `; ${lost} of them with a request on it, which was lost`),
  );
}

function sinceUseMs({ endedUs, lastAnswerUs }: KeptSeen): number {
  return endedUs === null ? 0 : (endedUs - lastAnswerUs) / 1000;
}

function judgeExit({ stop }: Served): Outcome {
  if (stop.goneUs === null) return notApplicable('it did not exit');
  const { result, ended, status } = stop.state;
  const how = ended === 'exited' ? `exited with ${status}` : `ended by signal ${status}`;
  const isRight = result === 'success' || (ended === 'exited' ? status === 0 || status === 143 : status === 15);
  return isRight ? passed(how) : failed<'exit-status'>('fails on SIGTERM', `${how}; systemd says ${result}`);
}
