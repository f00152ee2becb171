/** The paths of an experiment's fields, read from its schema: what --set, --sweep and variants may name. */
import { z } from 'zod';
import { experimentSchema } from './experiment.ts';

/** The part of a JSON Schema that has fields below it. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

let known: readonly string[] | undefined;

/** Every path, parts and leaves, in the schema's order; an entry of a list is `*`. */
export function fieldPaths(): readonly string[] {
  known ??= [...new Set(pathsBelow(z.toJSONSchema(experimentSchema, { io: 'input' }) as Node, ''))];
  return known;
}

/** Is there such a field? An entry of a list is named by its number. */
export function isFieldPath(path: string): boolean {
  return fieldPaths().includes(path.replaceAll(/(?<=\.)\d+(?=\.|$)/gu, '*'));
}

function pathsBelow(node: Node, path: string): string[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const below = [
    ...Object.entries(node.properties ?? {}).map(([name, part]) => ({ part, path: at(name) })),
    ...[node.items ?? [], node.prefixItems ?? []].flat().map((part) => ({ part, path: at('*') })),
  ].flatMap(({ part, path: deeper }) => [deeper, ...pathsBelow(part, deeper)]);
  return [...below, ...(node.anyOf ?? []).flatMap((one) => pathsBelow(one, path))];
}
