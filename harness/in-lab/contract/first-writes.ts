/**
 * One write of each kind, looked for before anything restarts: whether `writes` of service.yaml asks the right thing. Run in
 * the lab's `server` container, its input is a line with a {@link FirstWritesPlan}, its output one with {@link FirstWrite}s.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import type { FirstWrite } from '../../run/run-record.ts';
import type { PlanMixEntry } from '../load/plan.ts';
import { storedIds } from '../deploy/writes-question.ts';
import { askOnce } from './line.ts';
import { isOk, type FirstWritesPlan } from './messages.ts';
import { requestOf } from './requests.ts';

const askMs = 10_000;
const pollMs = 200;

/** Of an id that is somebody else's. */
const mostLetters = 80;

/** The entries of the mix that write. */
export function writingEntries({ mix, writes, ...plan }: FirstWritesPlan): PlanMixEntry[] {
  return mix.filter((entry) => writes.requests.includes(requestOf(plan, entry).name));
}

/** Makes a write of each kind, and looks until each is found, or for so long. */
export async function makeFirstWrites(plan: FirstWritesPlan, patienceMs = 6_000): Promise<FirstWrite[]> {
  return await Promise.all(writingEntries(plan).map((entry) => makeFirstWrite(plan, entry, patienceMs)));
}

/** Some store a write only a while after they have acknowledged it. */
async function makeFirstWrite(plan: FirstWritesPlan, entry: PlanMixEntry, patienceMs: number): Promise<FirstWrite> {
  const request = requestOf(plan, entry, 'new');
  const { name, id, expected } = request;
  const { result } = await askOnce(plan.publicPort, request, askMs);
  if (!isOk(result, expected)) return { request: name, id, fate: 'unknown', came: `it came to ${result}` };
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const seen = await look(plan, id);
    if (seen.fate === 'found' || performance.now() > deadline) return { request: name, id, ...seen };
    await sleep(pollMs);
  }
}

async function look({ writes }: FirstWritesPlan, id: string): Promise<Pick<FirstWrite, 'fate' | 'came'>> {
  try {
    const stored = await storedIds(writes.question, [id]);
    return stored.includes(id)
      ? { fate: 'found', came: '' }
      : { fate: 'absent', came: (stored.at(-1) ?? '').slice(0, mostLetters) };
  } catch (error) {
    return { fate: 'unknown', came: messageOf(error) };
  }
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await makeFirstWrites(JSON.parse(line) as FirstWritesPlan))}\n`);
    break;
  }
}
