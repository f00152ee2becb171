/** Whether text may be coloured. */

/**
 * NO_COLOR, if not empty, wins over FORCE_COLOR; that over a TERM that cannot; without any of them a terminal gets
 * colour, and a pipe or file does not.
 */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { NO_COLOR: never = '', FORCE_COLOR: always = '', TERM: terminal } = env;
  if (never !== '') return false;
  if (always !== '') return always !== '0' && always !== 'false';
  return isTerminal && terminal !== 'dumb';
}
