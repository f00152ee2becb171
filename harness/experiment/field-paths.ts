/** The names and paths of the fields of written data, read from its schema. */
import { z } from 'zod';

/** The part of a JSON Schema that has fields below it. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

/** Every path, parts and leaves, in the schema's order; an entry of a list is `*`. */
export function fieldPathsOf(schema: z.ZodType): readonly string[] {
  return [...new Set(pathsBelow(nodeOf(schema), ''))];
}

/** The names that fields may have at this place. */
export function fieldNamesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let nodes = alternatives(nodeOf(schema));
  for (const name of path) {
    nodes = nodes.flatMap((node) => partNamed(node, name)).flatMap(alternatives);
  }
  return [...new Set(nodes.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function nodeOf(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: 'input' }) as Node;
}

function alternatives(node: Node): readonly Node[] {
  return [node, ...(node.anyOf ?? []).flatMap(alternatives)];
}

function partNamed({ properties, additionalProperties, items, prefixItems }: Node, name: PropertyKey): readonly Node[] {
  if (typeof name === 'number') return [prefixItems?.[name] ?? items ?? []].flat();
  const part = properties?.[String(name)] ?? additionalProperties;
  return typeof part === 'object' ? [part] : [];
}

function pathsBelow(node: Node, path: string): string[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const below = [
    ...Object.entries(node.properties ?? {}).map(([name, part]) => ({ part, path: at(name) })),
    ...[node.items ?? [], node.prefixItems ?? []].flat().map((part) => ({ part, path: at('*') })),
  ].flatMap(({ part, path: deeper }) => [deeper, ...pathsBelow(part, deeper)]);
  return [...below, ...(node.anyOf ?? []).flatMap((one) => pathsBelow(one, path))];
}
