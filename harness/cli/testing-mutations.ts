/** Damage of every kind to the folder of a run, for tests: the same seed makes the same. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { seededRandom, type Random } from '../base/random.ts';

const below = (random: Random, most: number): number => Math.floor(random() * most);
const pick = <T>(random: Random, of: readonly T[]): T => of[below(random, of.length)] as T;

/** What somebody might write in place of a value. */
const nasty: readonly unknown[] = [
  ...[null, true, '', 'x', 0, -1, 0.5, 1e9, 1e15, -1e15, Number.MAX_SAFE_INTEGER, 1e300, 2 ** 31, 4_294_967_296],
  ...[
    [],
    {},
    [null],
    { a: 1 },
    'a'.repeat(100_000),
    '../../../etc/passwd',
    '\u{1b}[2J\u{202e}::error::x\n```',
    '\ud800',
  ],
  ...['__proto__', 'constructor', 'NaN', '1e999', '2026-13-45T99:99:99Z'],
  ...['ok', 'status', 'reset', 'unsent', 'local', 200, 502, '200', 'GET', 'POST', "'; drop table ledger; --"],
];

/** A value with one of its parts replaced, taken away or doubled. */
function spoiltValue(random: Random, value: unknown, depth = 0): unknown {
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  // Near the truth, where a check may look away.
  if (typeof value === 'number' && random() < 0.5) return value + pick(random, [-1e6, -1000, -1, 1, 1000, 1e6]);
  if (isLeaf || (depth > 0 && random() < 0.15)) return pick(random, nasty);
  if (Array.isArray(value)) {
    const at = below(random, value.length);
    const kind = random();
    if (kind < 0.1) return value.filter((_, index) => index !== at);
    if (kind < 0.2) return [...(value as unknown[]), value[at] as unknown];
    return value.map((one: unknown, index) => (index === at ? spoiltValue(random, one, depth + 1) : one));
  }
  const name = pick(random, Object.keys(value));
  const { [name]: part, ...others } = value as Record<string, unknown>;
  return random() < 0.1 ? others : { ...others, [name]: spoiltValue(random, part, depth + 1) };
}

function spoiltBytes(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  const kind = below(random, 5);
  if (kind === 0) return bytes.subarray(0, at);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(random, 50))]);
  if (kind === 2) {
    const more = Buffer.from(Array.from({ length: below(random, 40) }, () => below(random, 256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  }
  const spoilt = Buffer.from(bytes);
  for (let count = 1 + below(random, 4); count > 0 && spoilt.length > 0; count--) {
    spoilt[below(random, spoilt.length)] =
      kind === 3 ? below(random, 256) : pick(random, [0, 10, 34, 44, 48, 57, 91, 123, 255]);
  }
  return spoilt;
}

/** Texts that are no text of ours, whole. */
const spoiltTexts: readonly ((text: string, at: number) => Buffer)[] = [
  (text) => Buffer.from(`\u{feff}${text}`),
  (text) => Buffer.from(text.replaceAll('\n', '\r\n')),
  (text, at) => Buffer.from(`${text.slice(0, at)}\0${text.slice(at)}`),
  (text, at) => Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from([0xc3, 0x28]), Buffer.from(text.slice(at))]),
  (text) => Buffer.from(text.replace('{', '{"schema":2,"runId":"x","seq":7,"atUs":5,"outcome":"ok",')),
  (text) => Buffer.from(text.replace(/\}(?=\s*$)/u, ',"schema":2,"runId":"x","seq":7,"atUs":5,"outcome":"ok"}')),
  (text) => Buffer.from('['.repeat(10_000) + text),
  (text) => Buffer.from(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}\n${text}`),
  (text) => Buffer.from(text.replace(/:(\d+)/u, ':NaN')),
  (text) => Buffer.from(text.replace(/:(\d+)/u, ':1e999')),
  (text) => Buffer.from(text.replace(/:(\d+)/u, `:${'9'.repeat(5_000)}`)),
  (text) => Buffer.from(text.replace(/:(\d+)/u, ':"$1"')),
  (text) => Buffer.from(`${text}${text}`),
  (text) => Buffer.from(`${' '.repeat(5 * 1024 * 1024)}${text}`),
  () => Buffer.from(''),
  () => Buffer.from('null'),
];

function spoiltLines(random: Random, text: string): string {
  const lines = text.split('\n');
  const [at, other] = [below(random, lines.length), below(random, lines.length)];
  const line = lines[at] ?? '';
  const kind = below(random, 8);
  if (kind === 0) lines.splice(at, 1 + below(random, 20));
  if (kind === 1) lines.splice(at, 0, line);
  if (kind === 2) lines.reverse();
  if (kind === 3) lines[at] = lines[other] ?? '';
  if (kind > 3) {
    try {
      lines[at] = JSON.stringify(spoiltValue(random, JSON.parse(line)));
    } catch {
      lines[at] = `${line}x`;
    }
  }
  return lines.join('\n');
}

/** One of each is made once: a gigabyte of nothing, and of lines. */
const bombs = new Map<string, Buffer>();
function bomb(of: string): Buffer {
  const made = bombs.get(of) ?? gzipSync(of.repeat(Math.ceil((96 * 1024 * 1024) / of.length)), { level: 9 });
  bombs.set(of, made);
  return made;
}

/** What a packed file may be made of. */
const spoiltPacks: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, bytes.length - 1 - below(random, 40)),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes) => Buffer.concat([bytes, gzipSync('')]),
  (bytes) => Buffer.concat([bytes, Buffer.alloc(100)]),
  (bytes) => Buffer.concat([bytes, Buffer.from('garbage')]),
  (bytes) => gzipSync(bytes),
  (bytes) => gunzipSync(bytes),
  (_, random) => bomb(pick(random, ['\0', '\n', '{}\n', '['])),
];

const strangeNames = [
  '\u{1b}[31mred',
  'a\nb',
  '..',
  'ledger.ndjson',
  'ledger.ndjson.gz.new',
  'lab/x y',
  'charts/a.svg',
];

/** What may stand in a file's place, or beside it, that is no file of this run. */
const otherFiles: readonly ((file: Spoilt) => Promise<string>)[] = [
  async ({ path }) => {
    await rm(path);
    return 'removed';
  },
  async ({ path, random }) => {
    await rm(path);
    await symlink(pick(random, ['/etc/hostname', '/dev/zero', '/dev/stdin', '.', 'run.json']), path);
    return 'a link';
  },
  async ({ path, random }) => {
    await truncate(path, 2 ** below(random, 40));
    return 'of another size';
  },
  async ({ path, folder, random }) => {
    const name = pick(random, strangeNames);
    if (name === '..' || existsSync(join(folder, name))) return 'left alone';
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await (random() < 0.5 ? link(path, join(folder, name)) : copyFile(path, join(folder, name)));
    return `doubled as ${JSON.stringify(name)}`;
  },
  async ({ path, random }) => {
    await rm(path);
    if (random() < 0.5) await mkdir(path);
    else execFileSync('mkfifo', [path]);
    return 'a folder or a pipe';
  },
  async ({ path, files, random }) => {
    const other = pick(random, files);
    await rename(path, `${path}.swapped`);
    if (other !== path) await rename(other, path);
    await rename(`${path}.swapped`, other);
    return `in the place of ${other}`;
  },
  async ({ path, folder, others, random }) => {
    const from = join(pick(random, others), relative(folder, path));
    if (existsSync(from)) await copyFile(from, path);
    return `from ${from}`;
  },
];

/** A file that is spoilt. */
interface Spoilt {
  readonly path: string;
  readonly folder: string;
  readonly files: readonly string[];
  /** Folders of other runs. */
  readonly others: readonly string[];
  readonly random: Random;
}

/**
 * Spoils the run's folder once, now and then twice or three times.
 * @param others folders of other runs, from which files are taken
 * @returns what was done
 */
export async function spoilRun(folder: string, seed: number, others: readonly string[] = [folder]): Promise<string> {
  const random = seededRandom(seed, 'damage');
  const done: string[] = [];
  do done.push(await spoilFile(folder, random, others));
  while (random() < 0.15);
  return done.join('; ');
}

async function spoilFile(folder: string, random: Random, others: readonly string[]): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  // What is read of a run is spoilt more often than what is only hashed.
  const read = files.filter((path) => /\.(?:json|ndjson|gz)$/u.test(path));
  const path = random() < 0.9 ? pick(random, read) : pick(random, files);
  const kind = random();
  if (kind < 0.2) return `${path} ${await pick(random, otherFiles)({ path, folder, files, others, random })}`;
  const bytes = await readFile(path);
  const isPacked = path.endsWith('.gz');
  if (kind < 0.27 || (kind < 0.35 && !isPacked)) {
    await writeFile(path, spoiltBytes(random, bytes));
    return `${path} with other bytes`;
  }
  if (kind < 0.35) {
    const at = below(random, spoiltPacks.length);
    await writeFile(
      path,
      orElse(bytes, () => spoiltPacks[at]?.(bytes, random)),
    );
    return `${path} packed otherwise (${at})`;
  }
  const text = isPacked ? orElse(bytes, () => gunzipSync(bytes)) : bytes;
  const spoilt =
    kind < 0.42 ? spoiltBytes(random, text) : orElse(text, () => spoiltText(random, path, text.toString('utf8')));
  await writeFile(path, isPacked ? gzipSync(spoilt, { level: 1 }) : spoilt);
  return `${path} with another text`;
}

/** A file that was spoilt before is no text, or not packed, any more: it stays as it is. */
function orElse(bytes: Buffer, work: () => Buffer | undefined): Buffer {
  try {
    return work() ?? bytes;
  } catch {
    return bytes;
  }
}

function spoiltText(random: Random, path: string, text: string): Buffer {
  if (random() < 0.25) return pick(random, spoiltTexts)(text, below(random, text.length));
  const isRecord = path.endsWith('.json');
  return Buffer.from(isRecord ? JSON.stringify(spoiltValue(random, JSON.parse(text))) : spoiltLines(random, text));
}
