import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCatalog, errorGroups } from './error-catalog.ts';
import { errorText, exitCodeOfError } from './error-text.ts';
import { HarnessError, type ErrorCode } from './errors.ts';

const entries = Object.entries(errorCatalog);

describe('the catalogue of errors', () => {
  it('gives each code a meaning, advice, and an exit code that docs/troubleshooting.md explains', () => {
    const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
    for (const [code, { exitCode, meaning, advice }] of entries) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/u);
      expect(meaning, code).toMatch(/\.$/u);
      expect(advice.length, code).toBeGreaterThan(20);
      expect(page).toMatch(new RegExp(`^\\| (\\d+, )?${exitCode}(, \\d+)? \\|`, 'mu'));
    }
  });

  it('has each code in one group only', () => {
    expect(Object.values(errorGroups).flatMap((group) => Object.keys(group))).toEqual(entries.map(([code]) => code));
  });

  it('has the codes that setup.mjs uses, which cannot import it', () => {
    const setup = readFileSync(new URL('../../setup.mjs', import.meta.url), 'utf8');
    const codes = [...setup.matchAll(/new CannotRun\(\s*'([a-z-]+)'/gu)].map(([, code]) => code as ErrorCode);
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.length).toBe(setup.match(/new CannotRun\(/gu)?.length);
    for (const code of codes) expect(errorCatalog[code], code).toMatchObject({ exitCode: 4 });
  });
});

describe('an error as it is printed', () => {
  it('is a sentence with its code, then what to do', () => {
    const error = new HarnessError('image-missing', 'The image x is not on this engine.');
    expect(errorText(error, { verbose: false })).toBe(
      `error: The image x is not on this engine. [image-missing]\n${errorCatalog['image-missing'].advice}\n`,
    );
    expect(exitCodeOfError(error)).toBe(4);
  });

  it('has the advice of the place that knows better, and what a tool said below the sentence', () => {
    const error = new HarnessError('lab-not-ready', 'Not ready.\nline of a journal', { hint: 'Do this.' });
    expect(errorText(error, { verbose: false })).toBe(
      'error: Not ready. [lab-not-ready]\nline of a journal\nDo this.\n',
    );
  });

  it('shows stack and causes only when asked', () => {
    const error = new HarnessError('engine-lost', 'Gone.', { cause: new Error('one', { cause: 'two' }) });
    expect(errorText(error, { verbose: false })).not.toMatch(/ {4}at |caused by/u);
    const told = errorText(error, { verbose: true });
    expect(told).toMatch(/HarnessError: Gone\.\n {4}at /u);
    expect(told).toMatch(/caused by Error: one\n {4}at /u);
    expect(told).toMatch(/caused by two\n$/u);
  });

  it('calls what nobody foresaw a fault of the harness, says what to send, and never prints its stack unasked', () => {
    const told = errorText(new TypeError('x is undefined'), { verbose: false });
    expect(told).toMatch(/^error: A fault of the harness: x is undefined \[internal\]\nPlease report it/u);
    expect(told).not.toMatch(/ {4}at /u);
    expect(errorText(new TypeError('x is undefined'), { verbose: true })).toMatch(
      /TypeError: x is undefined\n {4}at /u,
    );
    expect(exitCodeOfError(new TypeError('x'))).toBe(3);
    expect(errorText('thrown text', { verbose: false })).toMatch(/thrown text \[internal\]/u);
  });

  it('ends with a cause that is its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(errorText(error, { verbose: true }).match(/caused by/gu)).toHaveLength(1);
  });
});
