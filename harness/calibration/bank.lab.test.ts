/** The bank in short: without curl, and without the cases that take seconds. Real sockets, real time. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { bankCases } from './bank.ts';
import { runAnswers, runBankCase } from './run-bank.ts';

const folder = testFolder();

function setting(name: string): { folder: string; runId: string; signal: AbortSignal } {
  return { folder: join(folder, name), runId: `bank-${name}`, signal: new AbortController().signal };
}

// Counts do not depend on how busy the machine is.
describe.concurrent('a server that', () => {
  it.each(
    bankCases.filter(({ isLong }) => isLong !== true).map((bank, index) => [bank.name, bank, String(index)] as const),
  )('%s', async (_, bank, name) => {
    expect((await runBankCase(bank, false, setting(name))).wrong).toEqual([]);
  });
});

it('every answer comes to what it must, over a socket and however it is cut', async () => {
  const results = await runAnswers(false, setting('answers'));
  expect(results.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
});
