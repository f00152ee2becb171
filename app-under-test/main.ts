/** The site. `node main.ts --help` says what it can be told. */

// Before anything else is loaded, hence no import above: this is the stamp of the event `start`.
const startedUs = Number(process.hrtime.bigint() / 1000n);

const { runSite } = await import('./site.ts');
await runSite(startedUs);

export {};
