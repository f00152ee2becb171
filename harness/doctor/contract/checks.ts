/** The contract of a service that is restarted: what is checked, and for each way to break it what that costs and what to change. */

/** What a fault means. */
export interface Fault {
  /** What it costs at a restart. */
  readonly costs: string;
  /** What to change. */
  readonly change: string;
}

/** A check, and the faults that it finds, by name. */
interface Check {
  /** What is asked, as the table says it. */
  readonly question: string;
  /** How it is found out. */
  readonly how: string;
  readonly faults: Readonly<Record<string, Fault>>;
}

const lostInFlight =
  'Each request that is in flight at a deploy is lost: its client sees a reset or, through a proxy, a 502.';

/** In the order in which they are told. */
export const checks = {
  binds: {
    question: 'listens where it is told',
    how:
      'It is started without a socket unit (with one, where it only inherits), and asked until a request is ' +
      'answered.',
    faults: {
      'does not serve where it was told': {
        costs: 'Nothing can be asked: no experiment is possible.',
        change:
          'If it ended, mend what its last words name (files and packages in service.yaml put things on the server); else ' +
          'let it listen on {public} and {internal}, or say in service.yaml where it does listen.',
      },
    },
  },
  requests: {
    question: 'answers the requests of service.yaml',
    how: 'Each request of the mix is asked three times.',
    faults: {
      'does not answer a request as expected': {
        costs: 'Each such request counts as dropped, with no restart at all.',
        change: 'Correct the request or what it expects, under requests: of service.yaml.',
      },
    },
  },
  live: {
    question: 'live answers as long as it lives',
    how:
      'health.live is asked every 15 ms from the start to the end; refusals count once it has answered, and in the ' +
      'drain while a request is still in flight.',
    faults: {
      'live does not answer': {
        costs:
          'Whoever watches it (a proxy, a supervisor) holds it for dead, and takes it out or kills it in its drain.',
        change: 'Answer 200 on health.live from the first moment to the last, on a port of its own.',
      },
    },
  },
  'ready-warm-up': {
    question: 'ready waits for the warm-up',
    how:
      'Beside health.ready the public port is asked: a request that is sent after ready has said 200 must be ' +
      'answered, and soon. The warm-up is 300 ms where the service is told {warmupMs}.',
    faults: {
      'ready at once though warming': {
        costs: 'A proxy or a deploy that waits for ready sends requests before anybody answers them.',
        change: 'Answer 503 on health.ready until requests are answered: set it after listen() has succeeded.',
      },
      'ready never says 200': {
        costs: 'A proxy that checks it never sends a request, and a deploy that waits for it never ends.',
        change: 'Answer 200 on health.ready once requests are served, or name the path that does.',
      },
    },
  },
  'ready-drain': {
    question: 'ready says no after SIGTERM',
    how:
      'health.ready is asked after SIGTERM: what is sent after the port was seen closed, or half a second after ' +
      'SIGTERM, must not be answered 200.',
    faults: {
      'ready always 200': {
        costs: 'The check tells a proxy nothing: it goes on sending requests to a process that warms up, or leaves.',
        change: 'Answer 503 on health.ready until requests are served, and again from SIGTERM on.',
      },
      'ready still 200 after SIGTERM': {
        costs: 'A proxy that checks it goes on sending requests to a process that has closed its port.',
        change: 'Answer 503 on health.ready from SIGTERM on, before anything is closed.',
      },
    },
  },
  sigterm: {
    question: 'stops at SIGTERM',
    how:
      'systemd stops the unit, with requests in flight and kept connections open. A unit of your own keeps its ' +
      'TimeoutStopSec=; the lab’s has 15 s.',
    faults: {
      'ignores SIGTERM': {
        costs: 'Each deploy takes TimeoutStopSec, and ends with SIGKILL: what is in flight then is lost.',
        change: 'Handle SIGTERM: close the port, answer what is in flight, exit.',
      },
      'drains for ever': {
        costs: 'Its port is closed for all of TimeoutStopSec, until SIGKILL: each deploy is an outage of that length.',
        change: 'Bound the drain: end what is left after a time below TimeoutStopSec, and exit.',
      },
      'a shell wrapper takes SIGTERM': {
        costs: lostInFlight,
        change: 'Let the wrapper end with `exec` of the program, so that systemd stops the program itself.',
      },
    },
  },
  accepting: {
    question: 'stops accepting after SIGTERM',
    how: 'New connections are made every 15 ms after SIGTERM.',
    faults: {
      'accepts until it exits': {
        costs: 'Connections that it took just before its end are reset, and with them their requests.',
        change: 'Close the listening socket first, then answer what is in flight, then exit.',
      },
    },
  },
  'in-flight': {
    question: 'answers what is in flight',
    how:
      'At SIGTERM the slowest request of the mix is under way (if it takes 80 ms or more), and a request with a ' +
      'body has sent half of it; the rest follows 0.7 s later.',
    faults: {
      'exits before answering in-flight requests': {
        costs: lostInFlight,
        change:
          'Wait for requests in flight before you exit: server.Shutdown (Go), server.close (Node), --graceful-timeout.',
      },
    },
  },
  idle: {
    question: 'ends kept connections politely',
    how:
      'Nine kept connections are open at SIGTERM: on six a request is sent every 60 ms, as a proxy does; three are ' +
      'silent. One that is ended without `Connection: close`, within half a second of its last use, was ended while' +
      ' a proxy could be writing on it.',
    faults: {
      'closes idle connections at once': {
        costs:
          'A request that a proxy writes onto such a connection at that moment is lost. A GET may be sent again; a POST may ' +
          'not, and becomes a 502.',
        change:
          'At SIGTERM accept no further connection; answer with `Connection: close` what still comes on those that are ' +
          'kept, and close one only after such an answer, or when nothing has come on any for a second.',
      },
    },
  },
  'second-signal': {
    question: 'bears a second SIGTERM',
    how: '150 ms after SIGTERM the main process gets another one; a request is in flight at both.',
    faults: {
      'crashes on the second SIGTERM': {
        costs: 'A supervisor or a user who signals twice cuts what is in flight: it is lost.',
        change: 'Ignore SIGTERM while the drain goes on.',
      },
    },
  },
  'exit-status': {
    question: 'exits with success',
    how: 'What systemd says of the end by SIGTERM: 0, 143 or the signal itself are right.',
    faults: {
      'fails on SIGTERM': {
        costs: 'systemd takes each deploy for a failure: alarms, and a start limit that is used up.',
        change: 'Exit with 0 after the drain, or name the code: SuccessExitStatus=.',
      },
    },
  },
  'busy-port': {
    question: 'fails where its port is taken',
    how: 'It is started while another process has its public port.',
    faults: {
      'stays up without its port': {
        costs: 'A deploy looks well while nobody answers, and systemd does not start it again.',
        change: 'Exit with a code that is not 0 when listen() fails.',
      },
      'exits with 0 when its port is taken': {
        costs: 'systemd takes the failed start for a success, and Restart=on-failure does not start it again.',
        change: 'Exit with a code that is not 0 when listen() fails.',
      },
    },
  },
  crash: {
    question: 'is back after a crash',
    how: 'The main process is killed with SIGKILL while it serves.',
    faults: {
      'is not started again after a crash': {
        costs: 'It is down from a crash until somebody comes.',
        change: 'Set Restart=on-failure in its unit.',
      },
      'does not come back after a crash': {
        costs: 'It is down from a crash until somebody comes.',
        change: 'Look for what the killed process left: a lock, a pid file, a socket file.',
      },
    },
  },
  writes: {
    question: 'keeps what it acknowledged',
    how:
      'One write of each kind is looked for as `writes` says. Then twenty writes are acknowledged, SIGKILL comes at ' +
      'once, and after the next start they are looked for.',
    faults: {
      '`writes` does not find a write': {
        costs: 'Of a service that stores its writes an experiment could not tell which were lost.',
        change:
          'Let `writes` give the {id} of every write that is stored; or let the service store it there before it answers.',
      },
      'loses acknowledged writes': {
        costs: 'A client was told that its write is stored, and it is gone: worse than any refused request.',
        change: 'Answer a write only after it is committed to disk (SQLite: after COMMIT; a file: after write()).',
      },
    },
  },
  version: {
    question: 'shows its version',
    how: 'Asked before and after a release, as `release` describes it, to v1.',
    faults: {
      'shows no version': {
        costs: 'Answers of the old version cannot be told from those of the new one.',
        change: 'Send the version where service.yaml says, or correct `version`.',
      },
      'a release does not show': {
        costs: 'A deploy that waits for the new version never ends, and stale answers are not seen.',
        change: 'Let `release` change what `version` shows, such as an environment variable that is sent as a header.',
      },
    },
  },
  socket: {
    question: 'serves the socket of systemd',
    how:
      'It is started by systemd with its public port handed over as file descriptor 3. Where it does not serve ' +
      'then, the socket is moved to another port, to see whether it opens its own, and whose process LISTEN_PID ' +
      'names.',
    faults: {
      'binds the port although it got fd 3': {
        costs: 'With a socket unit it does not start: the port is taken (EADDRINUSE).',
        change:
          'Serve file descriptor 3 when LISTEN_PID is your own process id and LISTEN_FDS is set; else open the port.',
      },
      'LISTEN_PID broken by a shell wrapper': {
        costs:
          'The socket is handed to the wrapper: the program opens the port itself, which is taken, and does not start.',
        change: 'Let the wrapper end with `exec` of the program, or start the program without one.',
      },
      'does not serve the socket': {
        costs: 'With a socket unit nobody is answered.',
        change: 'Serve file descriptor 3 when LISTEN_PID is your own process id, or say listens: itself.',
      },
    },
  },
  'queue-length': {
    question: 'keeps the queue of the socket',
    how: 'The length of the queue (`ss -ltn`) before and after the start.',
    faults: {
      'shortens the queue of the socket': {
        costs:
          'What waits during a restart beyond that length is not taken: its clients wait for 1 s, 3 s, 7 s, or give up.',
        change: 'Do not call listen() again on fd 3, or call it with the length of the socket unit (4096).',
      },
    },
  },
  queued: {
    question: 'answers what waited in the queue',
    how:
      'It is stopped, the socket stays; a connection is made when no process runs, and the next process must answer' +
      ' it.',
    faults: {
      'loses queued connections': {
        costs: 'What was connected while no process ran is lost: the socket does not do what it is for.',
        change: 'Let the socket unit outlive its service: neither PartOf= nor BindsTo= nor FlushPending=yes.',
      },
    },
  },
} as const satisfies Record<string, Check>;

/** Name of a check. */
export type CheckId = keyof typeof checks;

/** Names of the faults that a check finds. */
export type FaultOf<Id extends CheckId> = keyof (typeof checks)[Id]['faults'] & string;

/** What a check came to. */
export type Outcome =
  | { readonly status: 'passed'; readonly seen: string }
  | { readonly status: 'failed'; readonly fault: string; readonly seen: string }
  | { readonly status: 'not applicable'; readonly seen: string };

/** A check and what it came to, as it is told. */
export interface CheckResult {
  readonly check: CheckId;
  readonly question: string;
  readonly status: Outcome['status'];
  /** The name of what is wrong. */
  readonly fault?: string;
  /** What was seen; of one that is not applicable, why. */
  readonly seen: string;
  readonly costs?: string;
  readonly change?: string;
}

/** All of them, in order. */
export function resultsOf(outcomes: Readonly<Record<CheckId, Outcome>>): CheckResult[] {
  return (Object.keys(checks) as CheckId[]).map((check) => {
    const { question, faults }: Check = checks[check];
    const outcome = outcomes[check];
    const fault = outcome.status === 'failed' ? faults[outcome.fault] : undefined;
    return { check, question, ...outcome, ...fault };
  });
}
