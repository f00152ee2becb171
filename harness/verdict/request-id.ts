/** Numbers of slots in request ids. */

const zero = 0x30;

/** What `Number` makes of the text after so many characters; ids in their plain form are read without a copy. */
export function numberAfter(id: string, start: number): number {
  const number = plainNumberAfter(id, start);
  return number < 0 ? Number(id.slice(start)) : number;
}

/** The number that is written after so many characters in decimal, without leading zeros, in at most 9 digits; −1 if none. */
export function plainNumberAfter(id: string, start: number): number {
  const digits = id.length - start;
  if (digits < 1 || digits > 9 || (digits > 1 && id.charCodeAt(start) === zero)) return -1;
  let number = 0;
  for (let index = start; index < id.length; index++) {
    const digit = id.charCodeAt(index) - zero;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
