/** Damage of every kind to the folder of a run, for tests: the same seed makes the same. */
import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
];

/** A value with one of its parts replaced, taken away or doubled. */
function spoiltValue(random: Random, value: unknown, depth = 0): unknown {
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
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

function spoiltLines(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = below(random, lines.length);
  const line = lines[at] ?? '';
  const kind = below(random, 6);
  if (kind === 0) lines.splice(at, 1 + below(random, 20));
  if (kind === 1) lines.splice(at, 0, line);
  if (kind === 2) lines.reverse();
  if (kind === 3) lines[at] = '['.repeat(10_000);
  if (kind > 3) {
    try {
      lines[at] = JSON.stringify(spoiltValue(random, JSON.parse(line)));
    } catch {
      lines[at] = `${line}x`;
    }
  }
  return lines.join('\n');
}

/** Spoils one file of the run's folder, or puts something else in its place; tells what was done. */
export async function spoilRun(folder: string, seed: number): Promise<string> {
  const random = seededRandom(seed, 'damage');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  // What is read of a run is spoilt more often than what is only hashed.
  const read = files.filter((path) => /\.(?:json|ndjson|gz)$/u.test(path));
  const path = random() < 0.9 ? pick(random, read) : pick(random, files);
  const kind = random();
  if (kind < 0.04) {
    await rm(path);
    return `${path} removed`;
  }
  if (kind < 0.06) {
    await rm(path);
    await symlink(pick(random, ['/etc/hostname', '/dev/zero', '/dev/stdin', '.', 'run.json']), path);
    return `${path} a link`;
  }
  if (kind < 0.08) {
    await truncate(path, 2 ** below(random, 40));
    return `${path} of another size`;
  }
  const bytes = await readFile(path);
  const isPacked = path.endsWith('.gz');
  if (kind < 0.3) {
    await writeFile(path, spoiltBytes(random, bytes));
    return `${path} with other bytes`;
  }
  const text = isPacked ? gunzipSync(bytes) : bytes;
  const spoilt = kind < 0.4 ? spoiltBytes(random, text) : Buffer.from(spoiltText(random, path, text.toString('utf8')));
  await writeFile(path, isPacked ? gzipSync(spoilt, { level: 1 }) : spoilt);
  return `${path} with another text`;
}

function spoiltText(random: Random, path: string, text: string): string {
  return path.endsWith('.json') ? JSON.stringify(spoiltValue(random, JSON.parse(text))) : spoiltLines(random, text);
}
