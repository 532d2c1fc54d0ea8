import { z } from 'zod';
import { capacity } from './capacity.ts';
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
