import { z } from 'zod';
import { debianReleases } from '../images/releases.ts';
import { imageSchema } from './image-schema.ts';
import { namedSchema, type Resolve } from './mirrors.ts';
import { durationSchema } from './units.ts';

const limits = z.strictObject({
  cpus: z.number().positive().default(2).describe('Processor cores.'),
  memoryMiB: z.int().min(64).default(2048).describe('Memory in MiB.'),
  pids: z.int().min(16).default(2048).describe('Processes and threads.'),
  diskMiB: z.int().min(64).default(4096).describe('Disk in MiB, and the size of all that a build hands over.'),
  files: z.int().min(1).default(2_000).describe('Files that a build may hand over.'),
});

/** `provision:` what is run in virtual machines before they are saved. */
function provisionSchema(resolve: Resolve) {
  return z.strictObject({
    directory: z.string().min(1).transform(resolve).describe('Directory on this machine with all that is needed.'),
    run: z
      .array(
        z
          .string()
          .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/, 'must be a path below `directory`: letters, digits and ._-'),
      )
      .min(1)
      .describe('Scripts and Ansible playbooks (`*.yaml`) in it, one after the other.'),
    timeout: durationSchema.prefault('30m').describe('How long each may take.'),
  });
}

function platformSchema(resolve: Resolve) {
  return z.strictObject({
    format: z.enum(['deb', 'rpm']).describe('What is built there.'),
    codename: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be of a-z 0-9 . _ -, and begin with a letter or digit')
      .describe("APT's codename; for RPM the `dist` tag without its dot."),
    arch: z
      .string()
      .regex(/^[a-z0-9_]+$/, 'must be of a-z 0-9 _')
      .optional()
      .describe("Architecture, as the format's own tools name it. Default: `amd64`, for RPM `x86_64`."),
    primary: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Platform of another architecture that packages for every architecture are built on: `docs/platforms.md`.',
      ),
    provider: z
      .enum(['docker', 'vm'])
      .default('docker')
      .describe('`docker`: nodes are containers. `vm`: virtual machines, on which packages are tried and never built.'),
    buildImage: z
      .string()
      .min(1)
      .optional()
      .describe('Container image with the build tools; must be given for `docker`.'),
    testImage: z
      .string()
      .min(1)
      .optional()
      .describe('Container image of the minimal system that packages are installed on; likewise.'),
    images: z
      .enum(['bootstrap', 'pull'])
      .default('pull')
      .describe('`pull`: the engine fetches them. `bootstrap`: made here from the archive.'),
    buildRequires: z
      .enum(['native', 'debian'])
      .default('native')
      .describe('How `BuildRequires` are met: `native` by dnf, `debian` mapped to Debian packages.'),
    network: z
      .enum(['open', 'none'])
      .optional()
      .describe(
        'Of containers: `none` lets jobs with `run:` whose nodes are all such reach nothing but each other. Default: `open`: `docs/trust.md`.',
      ),
    image: imageSchema(resolve)
      .optional()
      .describe('Disk that virtual machines begin with. Default: one is made of the Debian release `codename`.'),
    provision: provisionSchema(resolve)
      .optional()
      .describe('What is run in virtual machines before they are saved: `docs/machines.md`.'),
    limits: limits.prefault({}).describe('What one container may use; of a virtual machine `cpus` and `memoryMiB`.'),
  });
}

/** Emulators and images there are for this one alone, by the name that each format has for it. */
const usualArch = { deb: 'amd64', rpm: 'x86_64' } as const;

/** `platforms:` besides the built-in ones. */
export function platformsSchema(resolve: Resolve) {
  const platform = platformSchema(resolve).superRefine(check);
  return namedSchema(platform.transform(({ arch, ...rest }) => ({ ...rest, arch: arch ?? usualArch[rest.format] })));
}

type Written = z.infer<ReturnType<typeof platformSchema>>;

function check({ provider, ...given }: Written, context: z.RefinementCtx): void {
  const faults = provider === 'docker' ? containerFaults(given) : machineFaults(given);
  for (const [key, message] of faults) context.addIssue({ code: 'custom', path: [key], message });
}

type Faults = Generator<readonly [key: string, message: string]>;

const images = ['buildImage', 'testImage'] as const;

function* containerFaults(given: Omit<Written, 'provider'>): Faults {
  for (const key of images) if (given[key] === undefined) yield [key, 'must be given where nodes are containers'];
  for (const key of ['image', 'provision'] as const) {
    if (given[key] !== undefined) yield [key, 'is for virtual machines: give `provider: vm` as well'];
  }
}

function* machineFaults(given: Omit<Written, 'provider'>): Faults {
  for (const key of images) {
    if (given[key] !== undefined) yield [key, 'is for containers: a virtual machine is made of `codename`'];
  }
  const { format, codename, image, network, arch = usualArch[format], limits } = given;
  const made = debianReleases.map(({ dist }) => dist);
  if (network !== undefined) yield ['network', 'is for containers: a virtual machine reaches what is named for it'];
  if (format === 'rpm' && image === undefined && !made.includes(codename))
    yield ['codename', `must be one of ${made.join(', ')} where virtual machines are made here: give \`image\``];
  if (arch !== usualArch[format]) yield ['arch', `must be ${usualArch[format]} where nodes are virtual machines`];
  if (!Number.isInteger(limits.cpus)) yield ['limits', 'must have whole `cpus` where nodes are virtual machines'];
  if (limits.memoryMiB < 192) yield ['limits', 'must have 192 `memoryMiB` where nodes are virtual machines'];
}
