import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { LeftRunning, RunningCommand } from './command.ts';
import { identityOf, listenersOn } from './processes.ts';
import { scriptProblem, shellFor } from './shell.ts';

// Real processes, on a machine that may be busy; they mostly wait: side by side.
vi.setConfig({ testTimeout: 30_000 });

const folder = mkdtempSync(join(tmpdir(), 'command-'));
const started = new Set<RunningCommand>();
let files = 0;
/** The name of a file of one test. */
const newFile = (): string => join(folder, String(++files));

afterAll(async () => {
  await Promise.all([...started].map(async (command) => await command.endAll()));
  await Promise.all([...started].map(close));
  rmSync(folder, { recursive: true });
});

async function close(command: RunningCommand): Promise<void> {
  started.delete(command);
  await command.close();
}

async function start(script: string, onOutput: (text: string) => void = () => undefined): Promise<RunningCommand> {
  const command = await RunningCommand.start(await shellFor(script), script, onOutput);
  started.add(command);
  return command;
}

async function failureOf(script: string): Promise<string | null> {
  const command = await start(script);
  const { failure } = await command.ended;
  await close(command);
  return failure;
}

/** A program that starts this command, prints what it prints, and goes on like this. */
const starting = (text: string, then: string): string => `
  import { RunningCommand } from ${JSON.stringify(new URL('./command.ts', import.meta.url).href)};
  import { shellFor } from ${JSON.stringify(new URL('./shell.ts', import.meta.url).href)};
  const text = ${JSON.stringify(text)};
  const command = await RunningCommand.start(await shellFor(text), text, (words) => process.stdout.write(words));
  ${then}`;

const isAlive = async (pid: number): Promise<boolean> => (await identityOf(pid)) !== null;

async function written(path: string): Promise<string> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await new Promise((done) => setTimeout(done, 20));
  return readFileSync(path, 'utf8').trim();
}

describe.concurrent('a command fails', () => {
  it.each([
    ['exit 7', /status 7$/u],
    ['false\necho deployed', /status 1$/u],
    ['./no-such-deploy.sh\necho deployed', /status 127 \(something in it was not found\)/u],
    ['/etc/passwd\necho deployed', /status 126 \(something in it cannot be executed\)/u],
    ['false | cat', /status 1$/u],
    ['version=$(false)\necho "$version"', /status 1$/u],
    ['version=$(false; echo 2)\necho "$version"', /status 1$/u],
    ['(false; echo in)\necho out', /status 1$/u],
    ['sh -c "kill -9 \\$\\$"\necho deployed', /status 137 \(something in it was ended by SIGKILL\)/u],
    ['kill -TERM $$', /ended by SIGTERM/u],
    ['#!/bin/sh\nfalse\necho deployed', /status 1$/u],
    ['#!/usr/bin/env -S bash -x\nfalse\necho deployed', /status 1$/u],
    ['#!/no/such/interpreter\necho', /could not be started by .*ENOENT/u],
  ])('where a part of it fails: %j', async (script, sentence) => {
    expect(await failureOf(script)).toMatch(sentence);
  });

  it.each(['true', 'echo a\necho b', 'if false; then echo; fi; true', '! true || true', '#!/usr/bin/env node\n0;'])(
    'only there: %j does not',
    async (script) => {
      expect(await failureOf(script)).toBeNull();
    },
  );
});

describe.concurrent('a command', () => {
  it('tells what it prints, on either stream, also after it has emptied /dev/stderr', async () => {
    let output = '';
    const told = newFile();
    const script = `echo one; echo two >&2; until [ -e ${told} ]; do sleep 0.05; done; echo three > /dev/stderr; echo four`;
    const command = await start(script, (text) => (output += text));
    await vi.waitFor(() => expect(output).toContain('two'), 15_000);
    writeFileSync(told, '');
    await command.ended;
    await close(command);
    expect(output.split('\n').filter(Boolean)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('leaves what it started running, which is told of', async () => {
    const pidFile = newFile();
    const command = await start(`sleep 300 & echo $! > ${pidFile}`);
    expect((await command.ended).failure).toBeNull();
    const pid = Number(await written(pidFile));
    // Between fork and exec it bears the shell's name.
    await vi.waitFor(
      async () => expect(await command.others()).toEqual([expect.objectContaining({ pid, name: 'sleep' })]),
      15_000,
    );
    await close(command);
    expect(await isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it('ends with all that it started, though a part of that does not hear SIGTERM', async () => {
    const pidFile = newFile();
    const command = await start(`(trap '' TERM; while :; do sleep 0.1; done) & echo $! > ${pidFile}; sleep 300`);
    const deaf = Number(await written(pidFile));
    expect((await command.endAll()).map(({ pid }) => pid)).toContain(deaf);
    expect(await command.others()).toEqual([]);
    expect(await isAlive(deaf)).toBe(false);
  });

  it('holds no pipe of its caller open', async () => {
    const script = starting('sleep 60 & echo $!', 'await command.ended; await command.close();');
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    // The pipe has ended, and the process that could have held it has not.
    expect(await isAlive(Number(stdout))).toBe(true);
    process.kill(Number(stdout), 'SIGKILL');
  });

  it('is ended by its guard when the process that started it is killed', async () => {
    const pidFile = newFile();
    const script = starting(`echo $$ > ${pidFile}; sleep 60; true`, "console.log('guarded');");
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['inherit', 'pipe', 'inherit'],
    });
    // Between the command's start and its guard's it has none yet.
    await once(owner.stdout, 'data');
    const shell = Number(await written(pidFile));
    owner.kill('SIGKILL');
    await vi.waitFor(async () => expect(await isAlive(shell)).toBe(false), 15_000);
  });
});

describe.concurrent('a command of a series', () => {
  it('finds its own variables beside those of the caller', async () => {
    const file = newFile();
    const script = `echo "$RESTART of $RESTARTS, $HOME" > ${file}`;
    const variables = { RESTART: '3', RESTARTS: '20' };
    const command = await RunningCommand.start(await shellFor(script), script, () => undefined, variables);
    started.add(command);
    await command.ended;
    await close(command);
    expect(await written(file)).toBe(`3 of 20, ${process.env['HOME'] ?? ''}`);
  });

  it('leaves what goes on to those who end the series, and no more than that', async () => {
    const left = new LeftRunning();
    const pidFile = newFile();
    const scripts = ['true', `sleep 300 & echo $! > ${pidFile}`, 'true'];
    for (const script of scripts) {
      const command = await RunningCommand.start(await shellFor(script), script, () => undefined);
      await left.add(command);
      await command.ended;
    }
    const pid = Number(await written(pidFile));
    await vi.waitFor(async () => expect(await left.processes()).toEqual([expect.objectContaining({ pid })]), 15_000);
    expect((await left.endAll()).map((seen) => seen.pid)).toEqual([pid]);
    expect(await isAlive(pid)).toBe(false);
    await left.close();
  });
});

describe('a script', () => {
  const noCommand = 'has no command: it is empty, or only a comment';
  it.each([
    ['', noCommand],
    [' \n\t', noCommand],
    ['# systemctl restart shop', noCommand],
    ['\n# a\n  # b\n', noCommand],
    ['#!/bin/sh\n', noCommand],
    ['#!/bin/sh\necho', null],
    ['true', null],
  ])('%j: %s', (script, problem) => {
    expect(scriptProblem(script)).toBe(problem);
  });
});

describe.runIf(process.platform === 'linux')('who listens on a port', { concurrent: true }, () => {
  it('is named by process and start, so that another process is another listener', async () => {
    const server = `require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1', function () {
      console.log(this.address().port); });`;
    const listenAt = async (port: number): Promise<{ port: number; pid: number; end: () => Promise<void> }> => {
      const child = spawn(process.execPath, ['-e', server, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const told = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const end = async (): Promise<void> => {
        child.kill('SIGKILL');
        await ended;
      };
      return { port: Number(told.toString()), pid: child.pid ?? 0, end };
    };
    const first = await listenAt(0);
    const before = await listenersOn(first.port);
    expect(before).toMatch(new RegExp(`^${first.pid}/\\d+$`, 'u'));
    expect(await listenersOn(first.port)).toBe(before);
    await first.end();
    expect(await listenersOn(first.port)).toBeNull();
    const second = await listenAt(first.port);
    expect(await listenersOn(first.port)).not.toBe(before);
    await second.end();
  });
});
