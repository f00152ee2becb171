import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { testFolder } from '../../../base/testing-folder.ts';
import { LogTail } from './log-tail.ts';

const folder = testFolder();
let files = 0;
const open: LogTail[] = [];
afterEach(async () => {
  for (const tail of open.splice(0)) await tail.close();
});

async function tailOf(before: string): Promise<{ path: string; tail: LogTail }> {
  const path = join(folder, `${files++}.log`);
  writeFileSync(path, before);
  const tail = await LogTail.open(path, 0);
  open.push(tail);
  return { path, tail };
}

describe('a log', () => {
  it('is read from its end on, in whole lines', async () => {
    const { path, tail } = await tailOf('old\nhalf');
    appendFileSync(path, '-written\none\ntw');
    expect(await tail.read(1)).toEqual(['-written', 'one']);
    appendFileSync(path, 'o \u20ac\n\n');
    expect(await tail.read(2)).toEqual(['two \u20ac']);
    expect(await tail.read(3)).toEqual([]);
  });

  it('that is moved away is read on in both files', async () => {
    const { path, tail } = await tailOf('');
    appendFileSync(path, 'one\n');
    renameSync(path, `${path}.1`);
    expect(await tail.read(1)).toEqual(['one']);
    // The server has the old file open until it is told.
    appendFileSync(`${path}.1`, 'two\n');
    writeFileSync(path, 'three\n');
    expect(await tail.read(2)).toEqual(['two', 'three']);
    appendFileSync(`${path}.1`, 'four\n');
    appendFileSync(path, 'five\n');
    expect(await tail.read(3)).toEqual(['four', 'five']);
    expect([tail.replaced, tail.emptied]).toEqual([1, []]);
  });

  it('that is copied and emptied is read on, and tells when lines may have been lost', async () => {
    const { path, tail } = await tailOf('');
    appendFileSync(path, 'one\ntwo\n');
    expect(await tail.read(100)).toEqual(['one', 'two']);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    appendFileSync(path, 'x\n');
    expect(await tail.read(300)).toEqual(['x']);
    expect([tail.replaced, tail.emptied]).toEqual([0, [{ fromUs: 100, toUs: 300 }]]);
  });

  it('that is emptied under a server that does not append has a hole, and is read on behind it', async () => {
    const { path, tail } = await tailOf('');
    const server = openSync(path, 'w');
    writeSync(server, 'one\n');
    expect(await tail.read(100)).toEqual(['one']);
    writeSync(server, 'two, which is lost\n');
    truncateSync(path);
    writeSync(server, 'three\n');
    closeSync(server);
    expect(await tail.read(300)).toEqual(['three']);
    expect(tail.emptied).toEqual([{ fromUs: 100, toUs: 300 }]);
  });

  it('must be a plain file that is there', async () => {
    const missing = join(folder, 'missing.log');
    await expect(LogTail.open(missing, 0)).rejects.toThrow(/--access-log .*missing\.log cannot be used: ENOENT/u);
    mkdirSync(missing);
    await expect(LogTail.open(missing, 0)).rejects.toThrow('it is no plain file');
  });
});
