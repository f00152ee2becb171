/** The exit codes of every command; the table in docs/troubleshooting.md says the same. */
export const exitCodes = {
  pass: 0,
  expectationMissed: 1,
  usage: 2,
  inconclusive: 3,
  cannotRun: 4,
  interrupted: 130,
  terminated: 143,
} as const;
