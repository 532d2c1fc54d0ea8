import { z } from 'zod';
import { capacity } from './capacity.ts';
import type { Fault } from './fault.ts';
import { namedSchema, type Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';
import { hostKeySchema, hostNameSchema, portSchema, userSchema } from './static.ts';

/** `nodes.vm.hosts:` other machines that virtual machines run on, by name. */
export function vmHostsSchema(resolve: Resolve) {
  const host = capacity.extend({
    host: hostNameSchema,
    port: portSchema,
    user: userSchema.describe('An account there; for KVM it must be able to open `/dev/kvm`.'),
    key: secretSchema(resolve).describe(`Private key for it, without a passphrase: ${secretForms}.`),
    hostKey: hostKeySchema.describe(
      "The host's public key, as in its `/etc/ssh/ssh_host_ed25519_key.pub`: no other is taken.",
    ),
    directory: z
      .string()
      .regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/, 'must be an absolute path of letters, digits and ._-')
      .default('/var/lib/sluice-machines')
      .describe('Directory there for disks and memories; each installation has one of its own below it.'),
    maxServers: z.int().min(1).default(4).describe('Virtual machines that jobs have there at once.'),
    drain: z.boolean().default(false).describe('No job is lent a machine there any more; what runs goes on.'),
  });
  return namedSchema(host);
}

export type VmHost = z.infer<ReturnType<typeof vmHostsSchema>>[string];

/**
 * What is wrong with hosts only beside each other, or beside `workers`: of a machine with two names nobody would count what
 * is lent there.
 */
export function vmHostFaults(
  hosts: Readonly<Record<string, Pick<VmHost, 'host' | 'port' | 'hostKey'>>>,
  { build }: { readonly build: number },
): readonly Fault[] {
  const addressOf = ({ host, port }: Pick<VmHost, 'host' | 'port'>) => `${host.toLowerCase()} ${port}`;
  const keyOf = ({ hostKey }: Pick<VmHost, 'hostKey'>) => hostKey.split(' ', 2).join(' ');
  if (build === 0 && Object.keys(hosts).length > 0) {
    return [{ path: [], message: 'are reached by the worker of this machine, and none runs here: give workers.build' }];
  }
  return Object.entries(hosts).flatMap(([name, host], index): Fault[] => {
    const before = Object.entries(hosts).slice(0, index);
    const twin = (of: (one: typeof host) => string) => before.find(([, one]) => of(one) === of(host))?.[0];
    const [sameAddress, sameKey] = [twin(addressOf), twin(keyOf)];
    if (sameAddress !== undefined)
      return [{ path: [name, 'host'], message: `is the machine of ${sameAddress} already` }];
    if (sameKey === undefined) return [];
    const message = `is that of ${sameKey} as well: if they are two machines, give each a host key of its own`;
    return [{ path: [name, 'hostKey'], message }];
  });
}
