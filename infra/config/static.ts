import { z } from 'zod';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Fault } from './fault.ts';
import { namedSchema, nameSchema, type Resolve } from './mirrors.ts';
import { secretForms, secretSchema } from './secrets.ts';
import { durationSchema } from './units.ts';

const keyTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];
const hostKeyForm = new RegExp(`^(${keyTypes.join('|')}) [A-Za-z0-9+/]{40,}={0,2}( .*)?$`);

/** The public key of a host. */
export const hostKeySchema = z
  .string()
  .regex(
    hostKeyForm,
    `must be a line as in /etc/ssh/ssh_host_ed25519_key.pub: one of ${keyTypes.join(', ')}, and a key`,
  );

export const hostNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9:][A-Za-z0-9.:_-]*$/, 'must be the name or the address of a host')
  .describe('Name or address.');

export const portSchema = z.int().min(1).max(65_535).default(22).describe('Port of its sshd.');

export const userSchema = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]*\$?$/i, 'must be the name of an account')
  .default('root');

/** A command, or a script of `sh`. */
const hook = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'must be a program with its arguments, as a list, or a script as text',
});

/** `nodes.static:` machines that are there, by name. */
export function staticSchema(resolve: Resolve) {
  const machine = z.strictObject({
    labels: z.array(nameSchema).min(1).describe('Labels of nodes that it serves, each of static machines alone.'),
    platform: z.string().min(1).describe('The platform that it runs: `debian-12`, or one of `platforms`.'),
    host: hostNameSchema,
    port: portSchema,
    user: userSchema.describe('`root`, or an account that may `sudo` everything without a password.'),
    key: secretSchema(resolve).describe(`Private key for it, without a passphrase: ${secretForms}.`),
    hostKey: hostKeySchema.describe(
      "The host's public key, as in its `/etc/ssh/ssh_host_ed25519_key.pub`: no other is taken.",
    ),
    clean: hook.describe(
      'Makes it as it was, as root, after each lease and before the first: a program with its arguments, or a script.',
    ),
    cleanTimeout: durationSchema.prefault('10m').describe('How long that may take.'),
    unreviewed: z
      .boolean()
      .default(false)
      .describe('Lend it to jobs that may run before anybody has reviewed a change; see `docs/machines.md`.'),
  });
  return namedSchema(machine);
}

export type StaticMachine = z.infer<ReturnType<typeof staticSchema>>[string];

type Platforms = Readonly<Record<string, { readonly provider: string }>>;

/** What is wrong with a machine only beside others, or beside the platforms. */
export function staticFaults(machines: Readonly<Record<string, StaticMachine>>, platforms: Platforms): Fault[] {
  const contained = [...builtInPlatforms.map(({ name }) => name), ...Object.keys(platforms)].filter(
    (name) => (platforms[name]?.provider ?? 'docker') === 'docker',
  );
  const taken = new Set([...contained, ...Object.keys(platforms)]);
  const first = new Map<string, StaticMachine>();
  return Object.entries(machines).flatMap(([name, machine]) => {
    const { platform, labels } = machine;
    const faults: Fault[] = contained.includes(platform)
      ? []
      : [{ path: [name, 'platform'], message: `there is no platform ${platform}: there are ${contained.join(', ')}` }];
    for (const [index, label] of labels.entries()) {
      const path = [name, 'labels', String(index)];
      const other = first.get(label);
      first.set(label, other ?? machine);
      if (taken.has(label)) faults.push({ path, message: `${label} is the name of a platform: give it another label` });
      if (other !== undefined && (other.platform !== platform || other.unreviewed !== machine.unreviewed)) {
        const message = `machines of the label ${label} must have one platform, and the same \`unreviewed\``;
        faults.push({ path, message });
      }
    }
    return faults;
  });
}
