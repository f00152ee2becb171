import { readFile } from 'node:fs/promises';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import { verdictJsonSchema, verdictJsonSchemaText, verdictSchemaFile } from './json-schema.ts';
import { verdictOf } from '../judge.ts';
import { direct, evidence, ledgerOf, proxy, restartCounts, runRecord, window } from '../testing.ts';

const validate = new Ajv({ allErrors: true }).compile(verdictJsonSchema());

/** A verdict as the harness itself makes it, with a restart, drops, a drop window and a control. */
function madeVerdict(): Record<string, unknown> {
  const moment = { kind: 'accept-stopped', atUs: 1_050_000, line: 5 };
  const of = {
    run: runRecord(e1),
    windows: [window],
    ledger: ledgerOf(1, { perRestart: [restartCounts(1, { longestQueue: 7 })] }),
    ...evidence,
    dropWindows: [{ fromUs: 1_100_100, toUs: 1_102_000, dropped: 1, openedBy: moment, closedBy: null }],
    direct,
    proxy,
    kernel: { 'TcpExt.ListenOverflows': 2 },
  };
  const control = { role: 'C0' as const, name: 'E0', because: 'nothing else drops', verdict: verdictOf(of) };
  return JSON.parse(JSON.stringify(verdictOf({ ...of, controls: [control] }))) as Record<string, unknown>;
}

/** Every property that the schema names, by its path. */
function* properties(schema: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (Array.isArray(schema)) for (const part of schema) yield* properties(part, path);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  const { properties: named = {}, items, anyOf, additionalProperties } = schema as Record<string, unknown>;
  for (const [name, of] of Object.entries(named as Record<string, Record<string, unknown>>)) {
    yield [`${path}.${name}`, of];
    yield* properties(of, `${path}.${name}`);
  }
  for (const part of [items, anyOf, additionalProperties]) yield* properties(part, path);
}

describe('the JSON Schema of verdict.json', () => {
  it('is published as it is now: `npm run schema` writes it', async () => {
    const published = await readFile(new URL(`../../../${verdictSchemaFile}`, import.meta.url), 'utf8');
    expect(published).toBe(verdictJsonSchemaText());
  });

  it('takes a verdict that the harness makes', () => {
    expect(validate(madeVerdict()), JSON.stringify(validate.errors)).toBe(true);
  });

  it('refuses one with a field missing, one unknown, a count below zero, or a verdict of another name', () => {
    const made = madeVerdict();
    for (const name of Object.keys(made)) {
      const without = Object.fromEntries(Object.entries(made).filter(([key]) => key !== name));
      expect(validate(without), `without ${name}`).toBe(false);
    }
    expect(validate({ ...made, dropt: 0 })).toBe(false);
    expect(validate({ ...made, dropped: -1 })).toBe(false);
    expect(validate({ ...made, verdict: 'passed' })).toBe(false);
    expect(validate({ ...made, controls: [{ role: 'C0' }] })).toBe(false);
  });

  it('says of every field what it is', () => {
    const all = [...properties(verdictJsonSchema())];
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, of]) => typeof of['description'] !== 'string').map(([path]) => path)).toEqual([]);
  });
});
