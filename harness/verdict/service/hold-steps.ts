/** The steps of a deploy in which a held connection may end, in their order, each as a reader has it. */
export const stepWords = {
  'before-command': 'before the command',
  accepting: 'while it still accepted',
  refusing: 'while it refused',
  'answering-again': 'after it answered again',
  'after-command': 'after the command’s end',
} as const;

/** Name of a step. */
export type HoldStep = keyof typeof stepWords;

/** All of them. */
export const holdSteps = Object.keys(stepWords) as HoldStep[];
