/** The least major version of Node under which the harness runs. */
export const leastMajor: number;

/** Is this process's own Node new enough? */
export const ownIsEnough: boolean;

/** @returns undefined when the Node at this path starts, else why it does not, in words for a sentence */
export function whyNotStarting(path: string): string | undefined;
