/** What an engine's refusals and its absence mean, in the words of the catalogue. */
import { HarnessError, messageOf, type ErrorCode } from '../../base/errors.ts';
import type { EngineAddress } from './engine-address.mjs';

/** Codes of a connection that was refused or lost. */
const lostCodes = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'];

/** What the engine answers; null where it refuses with one of these statuses: 404 what is gone, 409 what is under way. */
export async function unlessRefused<T>(asked: Promise<T>, ...statuses: readonly number[]): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== undefined && statuses.includes(statusCode)) return null;
    throw error;
  }
}

/** Why the first call to an engine failed. */
export function connectionError(error: unknown, address: EngineAddress): HarnessError {
  const { code } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  if (address.kind === 'unix' && (code === 'EACCES' || code === 'EPERM')) {
    return new HarnessError(
      'engine-denied',
      `This user may not use the Docker engine at ${address.socketPath}.`,
      cause,
    );
  }
  const why = reasonOf(error);
  if (address.named === null) return new HarnessError('engine-absent', `No Docker engine answers: ${why}.`, cause);
  return new HarnessError('engine-unreachable', `The engine of ${address.named} does not answer: ${why}.`, {
    ...cause,
    hint:
      address.kind === 'ssh'
        ? `Make \`ssh ${address.destination} docker version\` work without a question being asked, and try again.`
        : undefined,
  });
}

function reasonOf(error: unknown): string {
  const { name, code } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return 'it kept silent';
  const words = messageOf(error).trim().replace(/\.$/u, '');
  // Several addresses that all refused have one code and no words.
  return words === '' ? (code ?? 'no words') : words;
}

/**
 * Explains an error during a run that the engine, the disk or a missing package has caused.
 * @returns undefined for anything else
 */
export function explained(error: unknown): HarnessError | undefined {
  if (!(error instanceof Error) || error instanceof HarnessError) return undefined;
  const { code, syscall, path, statusCode } = error as NodeJS.ErrnoException & { statusCode?: number };
  const cause = { cause: error };
  const missing =
    code === 'ERR_MODULE_NOT_FOUND' ? /^Cannot find package '([^']+)'/u.exec(error.message)?.[1] : undefined;
  if (missing !== undefined) {
    return new HarnessError('setup-missing', `The package ${missing} is not in node_modules, or not whole.`, cause);
  }
  if (statusCode !== undefined) return refusal(engineWords(error.message), statusCode, cause);
  if (code === 'ENOSPC') return new HarnessError('disk-full', `The disk is full: ${path ?? 'writing'} failed.`, cause);
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new HarnessError('too-few-files', `No further file or connection can be opened (${code}).`, cause);
  }
  const isWriting = ['open', 'mkdir', 'mkdtemp', 'symlink', 'rename', 'write', 'unlink'].includes(syscall ?? '');
  if (isWriting && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code ?? '')) {
    return new HarnessError('out-not-writable', `${path ?? 'A file'} cannot be written (${code ?? ''}).`, cause);
  }
  if (
    lostCodes.includes(code ?? '') ||
    (syscall === 'connect' && code === 'ENOENT') ||
    error.message === 'socket hang up'
  ) {
    return new HarnessError('engine-lost', `The Docker engine stopped answering (${code ?? error.message}).`, cause);
  }
  return undefined;
}

/** What an engine's refusal means, by its words. */
const refusals: readonly (readonly [words: RegExp, code: ErrorCode, sentence: string])[] = [
  [/no space left on device/iu, 'engine-disk-full', "The engine's disk is full"],
  [
    /non-overlapping|address pools? .*(exhausted|fully subnetted)|all predefined address pools|no available IPv4 addresses/iu,
    'network-full',
    'The engine has no address range for one more network',
  ],
  [
    /cgroup.*(read-only|permission denied|not permitted)|(read-only|permission denied|not permitted).*cgroup/iu,
    'cgroup-read-only',
    "The engine's cgroup tree is not writable",
  ],
  // What the engine is set to that the lab cannot override.
  ...(
    [
      [/userns|user namespace|uid_map|gid_map/iu, "The engine's userns-remap"],
      [/rlimit|ulimit/iu, "A limit that the engine's own process has (ulimit)"],
      [/logger|logging|log.?opt|max-buffer-size/iu, "The engine's log-driver or log-opts"],
      [/(unknown|invalid) runtime|runtime name/iu, "The engine's list of runtimes"],
      [/seccomp/iu, "The engine's seccomp-profile"],
      [/apparmor/iu, "The engine's AppArmor"],
      [/selinux|relabel/iu, "The engine's SELinux"],
      [/cgroup-?parent|cgroup parent|\.slice/iu, "The engine's cgroup driver"],
      [/authorization|denied by plugin/iu, 'An authorization plugin of the engine'],
    ] as const
  ).map(([words, setting]) => [words, 'engine-setting', `${setting} is in the lab's way`] as const),
  [/no such image/iu, 'image-missing', "The lab's image is gone"],
];

function refusal(words: string, statusCode: number, cause: { cause: unknown }): HarnessError {
  const [, code, sentence] = refusals.find(([pattern]) => pattern.test(words)) ?? [];
  if (code !== undefined) return new HarnessError(code, `${sentence}: ${words}.`, cause);
  const isGone = statusCode === 404 && /no such (container|exec)/iu.test(words);
  if (isGone || (statusCode === 409 && /is not running|is paused/iu.test(words))) {
    return new HarnessError('engine-lost', `A container of the lab is gone: ${words}.`, cause);
  }
  return new HarnessError('engine-refused', `The engine refused: ${words} (${statusCode}).`, cause);
}

/** Without what dockerode puts around it: `(HTTP code 500) server error - … `. */
function engineWords(message: string): string {
  return message
    .replace(/^\(HTTP code \d+\) [^-]*- /u, '')
    .trim()
    .replace(/\.$/u, '')
    .replaceAll(/\s*\n\s*/gu, ' ');
}
