/** Runs the bank: the load generator against each server, curl beside it where it is on this machine. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { readLedger } from '../run/read-ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Service } from '../experiment/service.ts';
import { countsText } from '../report/format.ts';
import { answerCases, type AnswerCase, type Expected } from './answers.ts';
import type { BankCase } from './bank.ts';
import { startRawServer } from './raw-server.ts';
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
  const service = serviceFor({ method: 'GET', connections: 'kept', ratePerSecond, timeoutMs }, port);
  return { ...service, connections: 'mixed' };
}

/** One server of the bank. */
export async function runBankCase(bank: BankCase, withCurl: boolean, setting: CaseSetting): Promise<BankResult> {
  const { name, slots = defaultSlots, body = null, outcomes: right = { ok: slots }, unlikeCurl } = bank;
  const server = await startRawServer(bank);
  try {
    const service = { ...asked(server.port), ...bank.asked };
    const { outcomes } = await measureCase(service, body, (slots * 1000) / service.ratePerSecond, setting);
    const counted = countsText(outcomes);
    const wrong = counted === countsText(right) ? [] : [`${counted}, where ${countsText(right)} is right`];
    // Where the answers differ, one of curl's says nothing.
    const [only = '', ...others] = Object.keys(right);
    const isAsked = withCurl && others.length === 0;
    const curlTakes = isAsked ? await doesCurlTake(server.port, '/', service.method ?? 'GET', body) : null;
    wrong.push(...besideCurl(curlTakes, only === 'ok' || only.startsWith('status-'), unlikeCurl));
    return { name, counted, curlTakes, wrong };
  } finally {
    server.close();
  }
}

/** Ways to cut an answer: as it is, byte by byte, and in two at a third of it. */
const cuts = ['whole', 'bytes', 'third'] as const;
/** No answer longer than this is sent byte by byte. */
const mostSingleBytes = 200;

/** Sends every answer in every cut, in one measurement, and holds each row against what must come of it. */
export async function runAnswers(withCurl: boolean, setting: CaseSetting): Promise<BankResult[]> {
  const sent = answerCases.flatMap((answer) =>
    cuts.filter((cut) => cut !== 'bytes' || answer.bytes.length <= mostSingleBytes).map((cut) => ({ answer, cut })),
  );
  const sentFor = new Map<string, (typeof sent)[number]>();
  const server = await startRawServer({
    serve: (socket, { head, id, nth }) => {
      // curl asks for an answer by its place; the load takes them in turn.
      const wanted = answerCases[Number(/^GET \/(\d+) /u.exec(head)?.[1])];
      const next = wanted === undefined ? sent[nth] : { answer: wanted, cut: 'whole' as const };
      if (next === undefined) return;
      if (id !== null) sentFor.set(id, next);
      void sendAnswer(socket, next.answer, next.cut);
    },
  });
  try {
    await measureCase(asked(server.port), null, (sent.length * 1000) / ratePerSecond, setting);
    if (sentFor.size !== sent.length) throw new Error(`${sentFor.size} of ${sent.length} answers were asked for`);
    const wrong = new Map<AnswerCase, string[]>();
    for await (const { requestId, outcome, hasNoLength } of readLedger(join(setting.folder, runFiles.ledger))) {
      const one = sentFor.get(requestId);
      if (one === undefined) continue;
      const counted = `${outcome}${hasNoLength === true ? ' without a length' : ''}`;
      const right = outcomeOf(one.answer.expected);
      if (counted === right) continue;
      wrong.set(one.answer, [...(wrong.get(one.answer) ?? []), `${one.cut}: ${counted}, where ${right} is right`]);
    }
    const results: BankResult[] = [];
    for (const [place, answer] of answerCases.entries()) {
      const { name, expected, unlikeCurl } = answer;
      const curlTakes = withCurl ? await doesCurlTake(server.port, `/${place}`, 'GET', null) : null;
      const isComplete = typeof expected === 'object' && 'status' in expected;
      const all = [...(wrong.get(answer) ?? []), ...besideCurl(curlTakes, isComplete, unlikeCurl)];
      results.push({ name, counted: outcomeOf(expected), curlTakes, wrong: all });
    }
    return results;
  } finally {
    server.close();
  }
}

async function sendAnswer(socket: Socket, { bytes, expected }: AnswerCase, cut: (typeof cuts)[number]): Promise<void> {
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

/** What is wrong where curl was asked, must do the same, and does not. */
function besideCurl(curlTakes: boolean | null, isComplete: boolean, unlikeCurl: string | undefined): string[] {
  if (curlTakes === null || unlikeCurl !== undefined || curlTakes === isComplete) return [];
  return [`curl ${curlTakes ? 'takes' : 'does not take'} it`];
}

/** Does curl call it a complete answer? */
async function doesCurlTake(port: number, path: string, method: string, body: Buffer | null): Promise<boolean> {
  const words = ['-s', '-m', '1', '-o', '/dev/null', '-X', method, '-H', 'Expect:'];
  if (body !== null) words.push('--data-binary', '@-');
  const input = body ?? '';
  return !(await execa('curl', [...words, `http://127.0.0.1:${port}${path}`], { reject: false, input })).failed;
}
