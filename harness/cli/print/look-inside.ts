/** What a user types to look into a lab that `--keep` left standing. */
import { playbookFolder } from '../../lab/control.ts';
import type { Lab } from '../../lab/lab.ts';
import { proxyFile } from '../../experiment/units.ts';

type KeptLab = Pick<Lab, 'runId' | 'edge' | 'control' | 'sites' | 'serverAddress' | 'targetPort'>;

/** Commands to look into each container, and the one that takes the lab down; a line each. */
export function insideLines(lab: KeptLab): string[] {
  const { runId, edge, control, sites, serverAddress, targetPort } = lab;
  const inside = (role: string, command: string): string =>
    `  docker exec ${command === 'bash' ? '-it ' : ''}restart-proof-${runId}-${role} ${command}`;
  const [{ colours, hostHeader }, ...others] = sites;
  const units = colours.map(({ service }) => service);
  return [
    `The lab of ${runId} is left standing. To look inside:`,
    others.length === 0
      ? 'server: systemd and the site'
      : `server: systemd and the first site; the others are ${others.map(({ name }) => name).join(', ')}`,
    inside('server', 'bash'),
    inside('server', `systemctl status --no-pager ${units.map((unit) => `'${unit}'`).join(' ')}`),
    ...units.map((unit) => inside('server', `journalctl --no-pager -n 50 -u '${unit}'`)),
    ...units.map((unit) => inside('server', `systemctl cat '${unit}'`)),
    ...colours.map(({ internalAddress }) => inside('server', ask(`http://${internalAddress}/readyz`))),
    ...(edge === null
      ? []
      : [
          'edge: the proxy',
          inside('edge', 'bash'),
          inside('edge', `cat /etc/traefik/traefik.yml ${proxyFile}`),
          `  docker logs --tail 50 restart-proof-${runId}-edge`,
        ]),
    ...(control === null
      ? []
      : [
          'control: the playbook; played again with the version that is there, it changes nothing',
          inside('control', 'bash'),
          inside('control', `sh -c 'cd ${playbookFolder} && ansible-playbook site.yml -e version=v1 --check --diff'`),
        ]),
    'client: as the load sees the site',
    inside('client', 'bash'),
    inside('client', ask(`http://${serverAddress}:${targetPort}/livez`, hostHeader)),
    'To take it down: npm run clean',
  ];
}

/** The image has Node and no curl; fetch would not let a Host header through. */
function ask(url: string, hostHeader?: string): string {
  const options = hostHeader === undefined ? '' : `,{headers:{host:"${hostHeader}"}}`;
  return `node -e 'require("http").get("${url}"${options},(r)=>{console.log(r.statusCode);r.pipe(process.stdout)})'`;
}
