/** What a user's own unit, socket unit and variables would surely not do in the lab. Pure. */

/** A mistake in a file that is used as it is; line and column are from 1 on. */
export interface TextMistake {
  readonly line: number;
  readonly column?: number;
  readonly what: string;
  readonly hint?: string | undefined;
}

interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** The settings of a unit, one for each assignment (systemd.syntax(7)). */
function settingsOf(text: string): Setting[] {
  const settings: Setting[] = [];
  let section = '';
  let [begun, begunLine] = ['', 0];
  for (const [index, raw] of text.split(/\r?\n/u).entries()) {
    if (/^\s*[#;]/u.test(raw)) continue;
    const whole = `${begun}${raw}`;
    const line = begun === '' ? index + 1 : begunLine;
    [begun, begunLine] = whole.endsWith('\\') ? [`${whole.slice(0, -1)} `, line] : ['', 0];
    if (begun !== '') continue;
    section = /^\s*\[(.+)\]\s*$/u.exec(whole)?.[1] ?? section;
    const [, name, value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/su.exec(whole) ?? [];
    if (name !== undefined) settings.push({ section, name, value, line });
  }
  return settings;
}

/** Values of a list, which an empty one takes back. */
function listOf(settings: readonly Setting[], section: string, name: string): Setting[] {
  const all = settings.filter((each) => each.section === section && each.name === name);
  return all.slice(all.findLastIndex(({ value }) => value === '') + 1);
}

function lastOf(settings: readonly Setting[], section: string, name: string): Setting | undefined {
  return settings.findLast((each) => each.section === section && each.name === name);
}

const isTrue = (text: string | undefined): boolean => /^(1|yes|true|on)$/iu.test(text ?? '');

/** The command line that a unit starts, its program, and the line that says so. */
export function programOf(text: string): { command: string; program: string; line: number } | null {
  const [start] = listOf(settingsOf(text), 'Service', 'ExecStart');
  if (start === undefined) return null;
  const command = start.value.replace(/^[@\-:+!|]+/u, '');
  return { command, program: command.split(/\s/u)[0] ?? '', line: start.line };
}

/** The files of variables that a unit must find, each with its line: those without `-`. */
export function neededEnvOf(text: string): { path: string; line: number }[] {
  return listOf(settingsOf(text), 'Service', 'EnvironmentFile')
    .map(({ value, line }) => ({ path: value, line }))
    .filter(({ path }) => /^\/[^%$*?[]*$/u.test(path));
}

/** What is wrong with a service unit. */
export function unitMistake(text: string): TextMistake | null {
  const settings = settingsOf(text);
  const [start] = listOf(settings, 'Service', 'ExecStart');
  if (start === undefined) {
    const elsewhere = settings.find(({ name }) => name === 'ExecStart');
    if (elsewhere !== undefined && elsewhere.section !== 'Service') {
      return { line: elsewhere.line, what: `ExecStart= stands in [${elsewhere.section}]: it belongs to [Service]` };
    }
    return { line: 1, what: 'there is no ExecStart= in [Service]: it starts nothing' };
  }
  const program = programOf(text)?.program ?? '';
  if (program.includes('/') && !/^["']?[/%$]/u.test(program)) {
    return { line: start.line, what: `ExecStart= takes an absolute path or a plain name, not ${program}` };
  }
  const type = lastOf(settings, 'Service', 'Type');
  if (type?.value === 'oneshot')
    return { line: type.line, what: 'Type=oneshot ends by itself: there is nothing to restart' };
  return null;
}

/**
 * What is wrong with a socket unit.
 * @param socket its own name, such as shop.socket
 * @param unit that of the service that is to get its socket
 * @param address where the load goes, such as 127.0.0.1:18080
 */
export function socketMistake(
  text: string,
  { socket, unit, address }: { socket: string; unit: string; address: string },
): TextMistake | null {
  const settings = settingsOf(text);
  const accept = lastOf(settings, 'Socket', 'Accept');
  if (isTrue(accept?.value)) {
    const what = 'Accept=yes starts a process for each connection: there is no service to restart';
    return { line: accept?.line ?? 1, what };
  }
  const service = lastOf(settings, 'Socket', 'Service');
  const starts = service?.value ?? socket.replace(/\.socket$/u, '.service');
  if (starts !== unit) {
    const hint = `Write Service=${unit} into its [Socket].`;
    return { line: service?.line ?? 1, what: `it opens its port for ${starts}, and the unit is ${unit}`, hint };
  }
  const port = address.split(':')[1] ?? '';
  const listens = listOf(settings, 'Socket', 'ListenStream');
  // Where a connection to 127.0.0.1 arrives.
  const reached = [port, `127.0.0.1:${port}`, `0.0.0.0:${port}`, `[::]:${port}`];
  if (listens.some(({ value }) => reached.includes(value))) return null;
  const [first] = listens;
  const has = first === undefined ? '' : `: it has ${listens.map(({ value }) => value).join(', ')}`;
  return {
    line: first?.line ?? 1,
    what: `no ListenStream= takes port ${port}, which is public${has}`,
    hint: `Write public: with the port of ListenStream=, or ListenStream=${address}.`,
  };
}

/** What is wrong with a file of variables, as EnvironmentFile= reads it. */
export function envMistake(text: string): TextMistake | null {
  const index = text.split(/\r?\n/u).findIndex((line) => /^\s*export\s/u.test(line));
  return index < 0 ? null : { line: index + 1, what: 'systemd takes NAME=value, without export' };
}
