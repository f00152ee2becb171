/** YAML that somebody wrote by hand: its data, and where each field stands, so that every mistake has line and column. */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ErrorCode,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { usageError } from '../refusals.ts';

/** A place in a file, both from 1 on. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** `gate.yaml:3:5`. */
export function placeText(file: string, { line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** Names and indexes from the top down to a field. */
export type Path = readonly PropertyKey[];

/** A document, read. */
export interface YamlData {
  readonly data: unknown;
  /** Where the field begins, by its name; where it is missing, the place of what it is missing in. */
  readonly placeOf: (path: Path) => Place;
  /** Where its value stands, when that is a single one; else as {@link YamlData.placeOf}. */
  readonly valuePlaceOf: (path: Path) => Place;
}

/** Nobody writes deeper, or more; aliases of aliases grow by powers. */
const mostDepth = 32;
const mostNodes = 20_000;
const tooDeep = `nested deeper than ${mostDepth} levels`;
const tooMany = `with its aliases it has more than ${mostNodes} values`;

/** What the library says, in words for whoever wrote the file; else its own. */
const words: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'a second document begins here; the file may have one',
  DUPLICATE_KEY: 'the same field is there twice',
  TAB_AS_INDENT: 'a tab stands where the indent is: use spaces',
};
const quotesHint =
  'Text needs quotes when it holds ": " or " #", begins with one of @ ` % & * ! | > { } [ ], or holds , [ ] { } inside of braces.';

/**
 * Reads one document of YAML 1.2.
 * @param file how errors call it
 * @param isText where numbers are text: they are taken as they are written, 010 and 1e3 too
 * @throws {HarnessError} naming line and column of what cannot be read
 */
export function readYaml(text: string, file: string, isText: (path: Path) => boolean = () => false): YamlData {
  const counter = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refused: Refuse = (offset, what, hint) => usageError(`${placeText(file, placeAt(offset))}: ${what}.`, hint);
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, schema: 'core' });
  refuseBroken(text, document, refused);
  const reader = new Reader(document, refused, isText);
  const data = reader.read(document.contents, [], 0);
  const found = (path: Path, of: 'name' | 'value'): Place => {
    for (let length = path.length; length > 0; length--) {
      const offsets = reader.offsets.get(keyOf(path.slice(0, length)));
      if (offsets !== undefined) return placeAt(offsets[of]);
    }
    return placeAt(document.contents?.range[0] ?? 0);
  };
  return { data, placeOf: (path) => found(path, 'name'), valuePlaceOf: (path) => found(path, 'value') };
}

type Refuse = (offset: number, what: string, hint?: string) => Error;

function refuseBroken(text: string, document: Document.Parsed, refused: Refuse): void {
  // The parser takes them: NUL, escape sequences, half of a UTF-16 letter.
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/u.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    throw refused(control.index, `a control character (U+${code}) is not text`);
  }
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) {
    const { code, message, pos } = broken;
    const tag = /Unresolved tag: (\S+)/u.exec(message)?.[1]?.replace(/^tag:yaml.org,2002:/u, '!!');
    if (tag !== undefined) throw refused(pos[0], `the tag ${tag} is not known here`);
    // Its parser calls itself once a level.
    const own = message.startsWith('Maximum call stack') ? tooDeep : words[code];
    if (own !== undefined) throw refused(pos[0], own);
    throw refused(pos[0], `cannot be read as YAML: ${message.replace(/\.$/u, '')}`, quotesHint);
  }
  if (document.directives.yaml.version === '1.1') {
    throw refused(0, 'YAML 1.1 reads yes as true and 010 as 8: take the line %YAML 1.1 away');
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map(String));
}

function startOf(node: unknown, otherwise: number): number {
  return isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise;
}

/** Makes plain data of nodes, and notes where each field stands. */
class Reader {
  readonly offsets = new Map<string, { name: number; value: number }>();
  private readonly document: Document.Parsed;
  private readonly refused: Refuse;
  private readonly isText: (path: Path) => boolean;
  private nodes = 0;

  constructor(document: Document.Parsed, refused: Refuse, isText: (path: Path) => boolean) {
    this.document = document;
    this.refused = refused;
    this.isText = isText;
  }

  /** @param offset of the field that it is the value of */
  read(node: unknown, path: Path, offset: number): unknown {
    const at = startOf(node, offset);
    this.count(path, at);
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (target === undefined) throw this.refused(at, `there is no anchor &${node.source}`);
      return this.read(target, path, at);
    }
    if (isMap(node)) return this.map(node, path, at);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const below = [...path, index];
        const itemAt = startOf(item, at);
        this.offsets.set(keyOf(below), { name: itemAt, value: itemAt });
        return this.read(item, below, itemAt);
      });
    }
    return isScalar(node) ? this.scalar(node, path, at) : null;
  }

  private count(path: Path, at: number): void {
    if (path.length > mostDepth) throw this.refused(at, tooDeep);
    if (++this.nodes > mostNodes) throw this.refused(at, tooMany);
  }

  private map(node: YAMLMap, path: Path, at: number): unknown {
    const fields = new Map<string, unknown>();
    for (const { key, value } of [...this.mergedInto(node, path, at), ...node.items]) {
      const keyAt = startOf(key, at);
      if (!isScalar(key) || typeof key.value !== 'string') {
        throw this.refused(keyAt, 'the name of a field must be text');
      }
      if (isMerge(key)) continue;
      const below = [...path, key.value];
      // Where there is no value, the name says more.
      const isSingle = isScalar(value) && (value.source !== '' || value.type !== 'PLAIN');
      this.offsets.set(keyOf(below), { name: keyAt, value: isSingle ? startOf(value, keyAt) : keyAt });
      fields.set(key.value, this.read(value, below, keyAt));
    }
    if (fields.has('__proto__')) throw this.refused(at, '__proto__: there is no such field');
    return Object.fromEntries(fields);
  }

  /** The fields of what `<<` names: those of the map itself come after them, and win. */
  private mergedInto(node: YAMLMap, path: Path, at: number): Pair[] {
    return node.items.flatMap(({ key, value }) => {
      if (!isMerge(key)) return [];
      const keyAt = startOf(key, at);
      // The first of several maps wins.
      const sources = (isSeq(value) ? value.items : [value]).toReversed();
      return sources.flatMap((source) => {
        const target = isAlias(source) ? source.resolve(this.document) : source;
        if (!isMap(target)) throw this.refused(keyAt, '<< takes a map, or an alias of one');
        const below = [...path, '<<'];
        this.count(below, keyAt);
        return [...this.mergedInto(target, below, keyAt), ...target.items];
      });
    });
  }

  private scalar({ value, source = '' }: Scalar, path: Path, at: number): unknown {
    if (value instanceof Uint8Array) {
      const hint = "Put the bytes into a file, and write body: '@file'.";
      throw this.refused(at, 'bytes (!!binary) are not read from YAML', hint);
    }
    if (typeof value !== 'number' && typeof value !== 'bigint') return value;
    if (this.isText(path)) return source;
    if (/^[-+]?0\d/u.test(source)) {
      throw this.refused(at, `${source} is 8 to some readers and 10 to others: write it without 0`);
    }
    return value;
  }
}

/** In quotes, or with a tag, `<<` is a name like any other. */
function isMerge(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}
