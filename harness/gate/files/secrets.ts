/**
 * Secrets in the options of `measure`: what is sent has them, and what is written down names the environment variable that
 * holds them instead, as the user does who writes `${TOKEN}`.
 */
import { HarnessError } from '../../base/errors.ts';

/** A value in two forms. */
export interface Told {
  /** What is sent. */
  readonly sent: string;
  /** What may be written into a file, or printed. */
  readonly shown: string;
}

/** `${NAME}`, and `$${` for a `${` that is meant as it stands. */
const variable = /\$\$\{|\$\{([A-Za-z_]\w*)\}/gu;

/** Names of headers, parameters and variables whose values nobody else may read. */
const secretName =
  /authoriz|authentic|(?:^|[-_.])auth(?:$|[-_.])|cookie|token|secret|passw|passphrase|(?:^|[-_.])pass(?:$|[-_.])|pwd|jwt|(?:api|access|private)key|(?:^|(?<!idempotency)[-_.])key$|credential|session|signature|^sig$/iu;

/**
 * Puts environment variables in place of `${NAME}`.
 * @throws {HarnessError} when one is not set
 */
export function expand(option: string, text: string, environment: NodeJS.ProcessEnv): string {
  return text.replaceAll(variable, (whole: string, name: string | undefined) => {
    if (name === undefined) return '${';
    const value = environment[name];
    if (value !== undefined) return value;
    throw new HarnessError('option-value', `${option} names ${whole}, and the environment has no ${name}.`, {
      hint: `Set ${name}, or write $\${${name}} if the text is meant as it stands.`,
    });
  });
}

/** A header's value. @param others names of further headers that hold secrets */
export function toldHeader(
  name: string,
  text: string,
  environment: NodeJS.ProcessEnv,
  others: readonly string[] = [],
): Told {
  return { sent: expand(`--header ${name}`, text, environment), shown: shownHeader(name, text, others) };
}

/** A header's value as it may be written down. @param others names of further headers that hold secrets */
export function shownHeader(name: string, text: string, others: readonly string[]): string {
  const isSecret = secretName.test(name) || others.some((other) => other.toLowerCase() === name.toLowerCase());
  return isSecret && !holdsVariable(text) ? `\${${variableFor(name)}}` : text;
}

/** Path and query without the values of parameters whose names tell that they are secret. */
export function shownPath(text: string): string {
  return text.replaceAll(/([?&;])([^=&;#]*)=([^&;#]*)/gu, (whole, mark: string, name: string, value: string) =>
    value === '' || holdsVariable(value) || !secretName.test(name) ? whole : `${mark}${name}=\${${variableFor(name)}}`,
  );
}

/** The body in the command that repeats a run: one that was typed may hold anything, so a variable stands for it. */
export function shownBody(text: string): string {
  return text === '' || text.startsWith('@') || holdsVariable(text) ? text : '${BODY}';
}

/**
 * A shell script without what looks like a secret in it, or is one that was given elsewhere: the shell puts variables into
 * their places itself.
 */
export function shownScript(script: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.length >= 4).sort((a, b) => b.length - a.length);
  const hidden = known.reduce((text, secret) => text.replaceAll(secret, '${SECRET}'), script);
  return (
    hidden
      // Authorization: Bearer abc
      .replaceAll(/\b([\w-]+):[\t ]*([^\s"'$][^"'\n]*)/gu, (whole, name: string) =>
        secretName.test(name) ? `${name}: \${${variableFor(name)}}` : whole,
      )
      // TOKEN=abc, --password=abc, ?token=abc
      .replaceAll(/([\w-]+)=("[^"\n]*"|'[^'\n]*'|[^\s"'&;|)]+)/gu, (whole, name: string, value: string) =>
        secretName.test(name) && !/^["']?\$/u.test(value) ? `${name}=\${${variableFor(name)}}` : whole,
      )
      // --password abc
      .replaceAll(
        /(--?[\w-]+)[\t ]+("[^"\n]*"|'[^'\n]*'|[^\s"'&;|)-][^\s&;|)]*)/gu,
        (whole, flag: string, value: string) =>
          secretName.test(flag) && !/^["']?\$/u.test(value) ? `${flag} \${${variableFor(flag)}}` : whole,
      )
      // curl -u me:abc
      .replaceAll(/(\s(?:-u|--user)[\t =]*["']?[^\s:"']+):[^\s"'$]+/gu, '$1:${PASSWORD}')
      // https://me:abc@host
      .replaceAll(/(\w:\/\/[^\s:@/"']*):[^\s@/"'$]+@/gu, '$1:${PASSWORD}@')
  );
}

function holdsVariable(text: string): boolean {
  return [...text.matchAll(variable)].some(([, name]) => name !== undefined);
}

/** `Authorization` → `AUTHORIZATION`. */
function variableFor(name: string): string {
  return name.replace(/^-+/u, '').replaceAll(/\W/gu, '_').toUpperCase();
}
