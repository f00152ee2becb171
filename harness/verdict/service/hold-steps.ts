/** The steps of a deploy in which a held connection may end, in their order, and how a report words them. */
export const holdSteps = ['before-command', 'accepting', 'refusing', 'answering-again', 'after-command'] as const;

/** Name of a step. */
export type HoldStep = (typeof holdSteps)[number];

/** A step as a reader has it. */
export const stepWords: Readonly<Record<HoldStep, string>> = {
  'before-command': 'before the command',
  accepting: 'while it still accepted',
  refusing: 'while it refused',
  'answering-again': 'after it answered again',
  'after-command': 'after the command’s end',
};
