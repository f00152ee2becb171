/** Runs the bank: the load generator against each server, curl beside it where it is on this machine. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { readLedger } from '../run/read-ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Service } from '../experiment/service.ts';
import { answerCases, type AnswerCase, type Expected } from './answers.ts';
import type { BankCase } from './bank.ts';
import { startRawServer, type Behaviour } from './raw-server.ts';
import { measureCase, serviceFor, type CaseSetting } from './run-case.ts';

/** What a case of the bank came to. */
export interface BankResult {
  readonly name: string;
  /** As counted, for people. */
  readonly counted: string;
  /** Did curl take the answer? Null where it was not asked. */
  readonly curlTakes: boolean | null;
  /** Each disagreement, a sentence. */
  readonly wrong: readonly string[];
}

const ratePerSecond = 100;
const defaultSlots = 50;
const timeoutMs = 5_000;

/** The version of curl on this machine; null where there is none. */
export async function curlVersion(): Promise<string | null> {
  const { stdout, failed } = await execa('curl', ['--version'], { reject: false });
  return failed ? null : (/^curl (\S+)/u.exec(stdout)?.[1] ?? null);
}

/** What is asked unless a case says otherwise: half of it on kept connections, half on new ones. */
function asked(port: number): Service {
  return {
    ...serviceFor({ method: 'GET', connections: 'kept', ratePerSecond, timeoutMs }, port),
    connections: 'mixed',
  };
}

/** One server of the bank. */
export async function runBankCase(bank: BankCase, withCurl: boolean, setting: CaseSetting): Promise<BankResult> {
  const slots = bank.slots ?? defaultSlots;
  const server = await startRawServer(bank.serve, bank.isEarly);
  try {
    const service = {
      ...asked(server.port),
      ...bank.asked,
    };
    const body = bank.body ?? null;
    const { outcomes } = await measureCase(service, body, (slots * 1000) / service.ratePerSecond, setting);
    const wrong: string[] = [];
    const [counted, right] = [inOrder(outcomes), inOrder(bank.outcomes)];
    if (counted !== right) wrong.push(`${counted}, where ${right} is right`);
    // What is not the same for all tells nothing of one answer.
    const [only = '', ...others] = Object.keys(bank.outcomes);
    let curlTakes: boolean | null = null;
    if (withCurl && others.length === 0) {
      curlTakes = await doesCurlTake(server.port, '/', service.method, body);
      const isComplete = only === 'ok' || only.startsWith('status-');
      wrong.push(...besideCurl(curlTakes, isComplete, bank.unlikeCurl));
    }
    return { name: bank.name, counted, curlTakes, wrong };
  } finally {
    server.close();
  }
}

/** Ways to cut an answer: as it is, byte by byte, and in two at a third of it. */
const cuts = ['whole', 'bytes', 'third'] as const;
/** No answer longer than this is sent byte by byte. */
const mostSingleBytes = 200;

/** Every answer in every cut, one after another in one measurement, and each row held against what must come of it. */
export async function runAnswers(withCurl: boolean, setting: CaseSetting): Promise<BankResult[]> {
  const sent = answerCases.flatMap((answer) =>
    cuts.filter((cut) => cut !== 'bytes' || answer.bytes.length <= mostSingleBytes).map((cut) => ({ answer, cut })),
  );
  const askedFor = new Map<string, (typeof sent)[number]>();
  const server = await startRawServer((socket, { head, id, nth }) => {
    const place = /^GET \/(\d+) /u.exec(head)?.[1];
    const one = place === undefined ? sent[nth] : sent.find(({ answer }) => answer === answerCases[Number(place)]);
    if (one === undefined) return;
    if (id !== null && place === undefined) askedFor.set(id, one);
    void sendAnswer(socket, one.answer, place === undefined ? one.cut : 'whole');
  });
  try {
    const service = asked(server.port);
    await measureCase(service, null, (sent.length * 1000) / ratePerSecond, setting);
    const wrong = new Map<AnswerCase, string[]>(answerCases.map((answer) => [answer, []]));
    for await (const { requestId, outcome, hasNoLength } of readLedger(join(setting.folder, runFiles.ledger))) {
      const one = askedFor.get(requestId);
      if (one === undefined) continue;
      const [counted, right] = [
        `${outcome}${hasNoLength === true ? ' without a length' : ''}`,
        outcomeOf(one.answer.expected),
      ];
      if (counted !== right) wrong.get(one.answer)?.push(`${one.cut}: ${counted}, where ${right} is right`);
    }
    if (askedFor.size !== sent.length) throw new Error(`${askedFor.size} of ${sent.length} answers were asked for`);
    const results: BankResult[] = [];
    for (const [place, answer] of answerCases.entries()) {
      const curlTakes = withCurl ? await doesCurlTake(server.port, `/${place}`, 'GET', null) : null;
      const isComplete = typeof answer.expected === 'object' && 'status' in answer.expected;
      if (curlTakes !== null) wrong.get(answer)?.push(...besideCurl(curlTakes, isComplete, answer.unlikeCurl));
      results.push({
        name: answer.name,
        counted: outcomeOf(answer.expected),
        curlTakes,
        wrong: wrong.get(answer) ?? [],
      });
    }
    return results;
  } finally {
    server.close();
  }
}

async function sendAnswer(
  socket: Parameters<Behaviour>[0],
  { bytes, expected }: AnswerCase,
  cut: (typeof cuts)[number],
): Promise<void> {
  const buffer = Buffer.from(bytes, 'latin1');
  const third = Math.floor(buffer.length / 3);
  const pieces = {
    whole: [buffer],
    bytes: Array.from(buffer, (byte) => Buffer.from([byte])),
    third: [buffer.subarray(0, third), buffer.subarray(third)],
  }[cut];
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    if (pieces.length > 1) await sleep(1);
  }
  // Where the close is a part of the answer it comes; else what was sent must do.
  const needsClose = typeof expected === 'string' ? expected !== 'local' : 'endsByClose' in expected;
  if (needsClose) socket.end();
}

function outcomeOf(expected: Expected): string {
  if (typeof expected === 'string') return expected;
  if ('refused' in expected) return 'parse';
  const { status, endsByClose } = expected;
  return `${status <= 299 ? 'ok' : `status-${status}`}${endsByClose === true ? ' without a length' : ''}`;
}

/** Of what must be like curl, and of what must not. */
function besideCurl(curlTakes: boolean, isComplete: boolean, unlikeCurl: string | undefined): string[] {
  if (unlikeCurl !== undefined || curlTakes === isComplete) return [];
  return [`curl ${curlTakes ? 'takes' : 'does not take'} it`];
}

/** Does curl call it a complete answer? */
async function doesCurlTake(port: number, path: string, method: string, body: Buffer | null): Promise<boolean> {
  const command = ['-s', '-m', '1', '-o', '/dev/null', '-X', method, '-H', 'Expect:'];
  const { failed } = await execa(
    'curl',
    [...command, ...(body === null ? [] : ['--data-binary', '@-']), `http://127.0.0.1:${port}${path}`],
    { reject: false, ...(body === null ? { stdin: 'ignore' as const } : { input: body }) },
  );
  return !failed;
}

function inOrder(outcomes: Readonly<Record<string, number>>): string {
  return Object.entries(outcomes)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
}
