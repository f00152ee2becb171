/** The files of a run's lab that make its way of restarting, and where each goes. */
import { type Way, wayText } from './ways.ts';

/** A file to copy. */
export interface RecommendedFile {
  /** Where it goes on a server. */
  readonly path: string;
  readonly what: string;
}

/** In the order in which they are read. */
const kinds: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^\/etc\/systemd\/system\/[^/]+\.service$/u, 'unit of the service'],
  [/^\/etc\/systemd\/system\/[^/]+\.socket$/u, 'socket unit: systemd owns the port'],
  [
    /^\/etc\/systemd\/system\/[^/]+\.service\.d\/[^/]+\.conf$/u,
    'drop-in of the unit: what the lab set besides (StartLimit… only because it deploys every few seconds)',
  ],
  [/^\/etc\/systemd\/system\/[^/]+\.socket\.d\/[^/]+\.conf$/u, 'drop-in of the socket unit: the length of its queue'],
  [/^\/etc\/restart-proof\/[^/]+\.release\.env$/u, 'variables that a release sets: your deploy writes them'],
  [/^\/etc\/restart-proof\/[^/]+(?<!\.release\.env)$/u, 'variables of the unit'],
  [/^\/etc\/traefik\/dynamic\/[^/]+$/u, 'Traefik’s dynamic file: routes, backends, check and retry'],
];

/** Those of the files of a lab that are to be copied. */
export function recommendedFiles(paths: readonly string[]): RecommendedFile[] {
  const sorted = paths.toSorted();
  return kinds.flatMap(([pattern, what]) => sorted.flatMap((path) => (pattern.test(path) ? { path, what } : [])));
}

/** README.md beside them. */
export function filesReadme(service: string, way: Way, files: readonly RecommendedFile[]): string {
  const lines = files.map(({ path, what }) => `- \`${path.slice(1)}\` goes to \`${path}\`: ${what}.`);
  const socket = files.map(({ path }) => /([^/]+\.socket)$/u.exec(path)?.[1]).find((name) => name !== undefined);
  const enable = socket === undefined ? '' : ` Once, \`systemctl enable --now ${socket}\`.`;
  return (
    `# ${service}: ${wayText(way)}\n\nThe files as they were measured, without the service’s own programs and without secrets. For ` +
    `placeholders of service.yaml they have the lab’s values, such as 300 for {warmupMs}.\n\n${lines.join('\n')}\n\nThen \`systemctl daemon-reload\`.${enable} Each deploy: ${way.deploy}.\n`
  );
}
