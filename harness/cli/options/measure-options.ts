/** The options of `measure`, which stand on a command line or in a budgets file. */
import { Option } from 'commander';
import type { PlacedRequests } from '../../gate/files/read-requests.ts';
import type { Typed } from '../command.ts';
import { deliveryOptions } from './delivery-options.ts';

const ownOptions = {
  '--budgets <file>': 'services and what is allowed of each; options given here win over those in the file',
  '--compare <files...>': 'two such files of one service each: which deploy drops less? measured in turn, A B B A',
  '--rounds <n>': 'with --compare: how often each of the two is measured (default: 2)',
  '--url <url>': 'the service to ask: http://, https:// or unix:/run/shop.sock, with :/path',
  '--resolve <host:port:address>': [
    'go to this address in place of the host’s own, as curl does; may be given again',
    'again',
  ],
  '--rate <n>': 'requests a second (default: 100)',
  '--duration <time>': 'how long to ask (default: 30s); with --while at least so long',
  '--requests <file>': 'a mix of requests in YAML; or file#service, those of a service in a budgets file',
  '--method <name>': 'GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE (default: GET)',
  '--body <text>': 'body of each request, or @file; it is not written down',
  '--header <line>': ['a header "Name: value"; may be given again', 'again'],
  '--secret-header <name>': ['a header whose value is not written down; may be given again', 'again'],
  '--ca <file>': 'https: accept certificates of these authorities only, PEM (default: Node’s own list)',
  '--insecure': 'https: accept any certificate; the report says so',
  '--cert <file>': 'https: the client’s own certificate, PEM',
  '--key <file>': 'https: its key, PEM; what it holds is not written down',
  '--tls-resume <on|off>': 'https: take up earlier sessions in new connections (default: off, a full handshake each)',
  '--http <version>': '1.1, or 2: over https by ALPN, over http:// by prior knowledge (default: 1.1)',
  '--connections <kind>': 'kept, new or mixed, half and half (default: mixed)',
  '--expect-status <n>': 'the status that is ok (default: any from 200 to 299)',
  '--timeout <time>': 'what a request has from its due time to its whole answer (default: 30s)',
  '--max-connections <n>': 'connections open at once (default: rate × timeout, at most 8192)',
  '--max-head <size>': 'most bytes of an answer’s head that are read (default: 300KiB)',
  '--max-answer <size>': 'most bytes of an answer’s body that are read (default: 1GiB)',
  '--while <command>': 'run this under the load, and go on until the service is steady again',
  '--while-timeout <time>': 'the longest that it may take each time; then it is ended, and the run (default: 30m)',
  '--restarts <n>': 'run it so often under the one load, each time when the service is steady again (default: 1)',
  '--every <time>': 'from one to the next, half to one and a half of it, drawn from the seed (default: 10s)',
  '--claim <percent>': 'at least so many of all restarts are clean; 95 takes 59 clean ones in a row, 99 takes 299',
  '--even-if-failing': 'run the command although the service does not answer as expected before it',
  '--must-change': 'exit 3 if nothing of the service was seen to change, in any of the restarts',
  '--settle <time>': 'how long it must answer without a failure after the command (default: 3s)',
  '--settle-timeout <time>': 'the longest to wait for that; not back by then fails, exit 1 (default: 60s)',
  '--max-dropped <n>': 'more dropped requests than this fail, exit 1 (default: 0)',
  '--max-gap <time>': 'a longer time in which nobody was answered fails, exit 1 (default: any)',
  '--max-wait <time>': 'a longer wait for an answer fails, exit 1 (default: any)',
  '--journal <unit>': ['what systemd’s journal says of this unit explains the drops; may be given again', 'again'],
  '--hold <n>': 'hold so many connections open beside the load, at most 1000; the report says how each ended',
  '--hold-kind <kind>': 'what is held: sse, websocket, idle (one answered request, then rest) or slow-response',
  '--hold-path <path>': 'what held connections ask for, by GET (default: the path of --url)',
  '--max-cut <n>': 'more held connections cut in the middle of a message than this fail, exit 1 (default: any)',
  '--access-log <file>': [
    'an access log of the server or proxy says what became of the drops; may be given again',
    'again',
  ],
  '--seed <n>': 'makes the order of connections and the times of the restarts the same again',
  '--json': 'verdict.json on stdout, and nothing else there',
  '--out <folder>': 'where the run goes (default: reports/ where you are)',
  '--capacity': 'before and after the load, 3 s of autocannon: what the service can do (sends as fast as it can)',
  '--yes-i-own-this': 'allow more than 1000 requests a second, or 100 held connections, to another machine',
} as const;

/** The options of `measure`. */
export const measureOptions = { ...ownOptions, ...deliveryOptions } as const;

/** The options as they are typed. */
export type MeasureOptions = Typed<typeof measureOptions> & {
  /** The mix of a budgets file; `requests` wins over it. */
  readonly requestList?: PlacedRequests;
};

/** Not for a budgets file: these are about the call, or follow from the budgets. */
const notInFile = new Set([
  ...['budgets', 'compare', 'rounds', 'json', 'out', 'max-dropped', 'max-gap', 'max-wait', 'max-cut'],
]);

/** The options that a budgets file may have: their names as they are typed, without dashes before them, and in code. */
export const fileOptions = Object.entries(ownOptions).flatMap(([flags, help]) => {
  const option = new Option(flags);
  const takes = !option.required ? 'nothing' : typeof help === 'string' ? 'a value' : 'values';
  return notInFile.has(option.name()) ? [] : { name: option.name(), key: option.attributeName(), takes };
});
