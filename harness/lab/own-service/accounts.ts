/** The accounts that a user's own unit runs under: the lab's server has those of Debian and of its packages alone. */
import type { LabFile } from '../engine/files.ts';

/** What systemd-sysusers makes at boot of the User= and groups of a unit; an account that is there already stays. */
export function accountsOf(unit: string): LabFile[] {
  const valuesOf = (name: string): string[] => [
    ...new Set(
      [...unit.matchAll(new RegExp(String.raw`^\s*${name}\s*=(.*)$`, 'gmu'))]
        .flatMap(([, value = '']) => value.trim().split(/\s+/u))
        .filter((each) => /^[A-Za-z_][\w-]{0,30}$/u.test(each)),
    ),
  ];
  // Its user is made by systemd itself.
  if (valuesOf('DynamicUser').some((each) => /^(?:yes|true|on)$/iu.test(each))) return [];
  const lines = [
    ...[...valuesOf('Group'), ...valuesOf('SupplementaryGroups')].map((name) => `g ${name} -\n`),
    ...valuesOf('User').map((name) => `u ${name} -\n`),
  ];
  return lines.length === 0 ? [] : [{ path: '/etc/sysusers.d/own-service.conf', content: lines.join('') }];
}
