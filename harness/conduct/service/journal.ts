/** systemd's journal as a witness of a service that the user runs: what it says of the units, never what they say. */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { monotonicUs } from '../../base/clock.ts';
import { HarnessError } from '../../base/errors.ts';
import { oneLine } from '../../run/plain-file.ts';
import { parseJournal, type JournalLine } from '../../run/files/journal.ts';
import { isServiceJournalLine, type JournalUnit } from '../../run/timeline/service-journal.ts';
import { ndjson } from '../run-writer.ts';

/** The clocks of one boot, two processes of which look at different moments. */
const clockSlackUs = 1_000_000;

/** Fields that are kept of an entry: nothing of them is the service's own. */
const keptFields = [
  'MESSAGE',
  'MESSAGE_ID',
  'UNIT',
  'EXIT_CODE',
  'EXIT_STATUS',
  'N_RESTARTS',
  'JOB_TYPE',
  'JOB_RESULT',
];
const stampFields = ['__MONOTONIC_TIMESTAMP', '__REALTIME_TIMESTAMP', '_BOOT_ID'];

/** What the journal had while the load went on: its lines, and their text as the run keeps it. */
export type JournalTold = Awaited<ReturnType<typeof readSince>>;

/**
 * The journal from now on. Finds out that it can be read, is of this boot, and that systemd knows the units.
 * @throws {HarnessError} `witness-unreadable`, saying what to do
 */
export async function openJournal(names: readonly string[]) {
  const last = entriesIn(await ask(['--system', '--lines=1'])).at(-1);
  const cursor = last?.['__CURSOR'];
  if (last === undefined || typeof cursor !== 'string') {
    throw unreadable('no entry of the system journal can be seen', rightsHint);
  }
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim().replaceAll('-', '');
  const aheadUs = Number(last['__MONOTONIC_TIMESTAMP']) - monotonicUs();
  if (last['_BOOT_ID'] !== bootId || aheadUs > clockSlackUs) {
    throw unreadable(
      `its newest entry is of another boot or kernel (${String(last['_BOOT_ID'])}) than this process runs on (${bootId})`,
      'measure must run on the machine whose systemd runs the service: their times share one clock.',
    );
  }
  const units = await Promise.all(names.map(unitOf));
  return {
    units,
    /** What systemd has said of the units since then. */
    read: () => readSince(cursor, units),
  };
}

async function readSince(cursor: string, units: readonly JournalUnit[]) {
  const lines: JournalLine[] = [];
  const kept: object[] = [];
  // One question: journalctl gives the entries of all units in their order.
  const matches = units.flatMap(({ name }) => ['_PID=1', `UNIT=${name}`, '+']).slice(0, -1);
  // --after-cursor skips the first entry that matches, up to systemd 252 at least.
  for (const entry of entriesIn(await ask([`--cursor=${cursor}`, ...matches]))) {
    if (entry['__CURSOR'] === cursor) continue;
    const own = Object.fromEntries(
      [...stampFields, ...keptFields].flatMap((name) => (entry[name] === undefined ? [] : [[name, entry[name]]])),
    );
    const [line] = parseJournal(JSON.stringify(own), 'journalctl');
    if (line === undefined || !isServiceJournalLine(line)) continue;
    lines.push(line);
    kept.push(own);
  }
  return { lines, text: ndjson(kept) };
}

const rightsHint =
  'Run it as root, or as a member of the group systemd-journal or adm: sudo usermod -aG systemd-journal "$USER", and log in again.';

function unreadable(why: string, hint: string, cause?: unknown): HarnessError {
  return new HarnessError('witness-unreadable', `--journal cannot be used: ${why}.`, { hint, cause });
}

const limits = { reject: false, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 } as const;

async function ask(words: readonly string[]): Promise<string> {
  const fields = `--output-fields=${[...keptFields, '_BOOT_ID'].join(',')}`;
  const options = ['--no-pager', '--quiet', '--output=json', fields];
  const answer = await execa('journalctl', [...options, ...words], limits);
  const { failed, code, stdout, stderr, shortMessage = '' } = answer;
  if (!failed) return stdout;
  if (code === 'ENOENT') {
    const where = 'measure must run on the machine whose systemd runs the service.';
    throw unreadable('journalctl is not installed here', where);
  }
  throw unreadable(`journalctl says: ${oneLine(stderr.trim() || shortMessage)}`, rightsHint, answer);
}

/** @throws {HarnessError} when systemd does not know it */
async function unitOf(name: string): Promise<JournalUnit> {
  // Without systemctl, as in some containers, the journal's words must do.
  const { stdout } = await execa('systemctl', ['show', '--property=LoadState,Type', name], limits);
  if (/^LoadState=not-found$/mu.test(stdout)) {
    throw unreadable(`systemd knows no unit ${name}`, 'systemctl list-units --type=service names those that run.');
  }
  return { name, tellsReady: /^Type=(?:notify|notify-reload|dbus)$/mu.test(stdout) };
}

function entriesIn(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
