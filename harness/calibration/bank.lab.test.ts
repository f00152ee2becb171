/** The bank in short: without curl, and without the cases that take seconds. Real sockets, real time. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { bankCases, type BankCase } from './bank.ts';
import { runAnswers, runBankCase } from './run-bank.ts';

const folder = testFolder();

function setting(name: string): { folder: string; runId: string; signal: AbortSignal } {
  return { folder: join(folder, name), runId: `bank-${name}`, signal: new AbortController().signal };
}

const cases = bankCases
  .filter(({ isLong }) => isLong !== true)
  .map((bank, index) => [bank.name, bank, String(index)] as const);
const isHasty = ({ asked }: BankCase): boolean => asked?.timeoutMs !== undefined;

async function expectRight(bank: BankCase, name: string): Promise<void> {
  expect((await runBankCase(bank, false, setting(name))).wrong).toEqual([]);
}

// Counts do not depend on how busy the machine is, but where a deadline is short.
describe.concurrent('a server that', () => {
  it.each(cases.filter(([, bank]) => !isHasty(bank)))('%s', (_, bank, name) => expectRight(bank, name));
});

describe('a server of which soon an answer is wanted, and that', () => {
  it.each(cases.filter(([, bank]) => isHasty(bank)))('%s', (_, bank, name) => expectRight(bank, name));
});

it('every answer comes to what it must, over a socket and however it is cut', async () => {
  const results = await runAnswers(false, setting('answers'));
  expect(results.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
});
