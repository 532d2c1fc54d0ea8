import { z } from 'zod';
import { builtInArchitectures } from '../../pipelines/model/architecture.ts';
import { architectureFaults } from './architectures.ts';
import { capacity } from './capacity.ts';
import { connectionsSchema } from './connections.ts';
import type { Fault } from './fault.ts';
import { typeFaults } from './instance-types.ts';
import { labelFaults, labelsSchema } from './labels.ts';
import { debugSchema, keepSchema, linesSchema, repositoryKeys } from './lines.ts';
import { mirrorsSchema, namedSchema, nameSchema, type Resolve } from './mirrors.ts';
import { platformsSchema } from './platform-schema.ts';
import { signingKeysSchema } from './signing-keys.ts';
import { staticFaults, staticSchema } from './static.ts';
import { temporalSchema } from './temporal.ts';
import { testsSchema } from './tests.ts';
import { addressSchema, durationSchema, sizeSchema } from './units.ts';
import { vmHostFaults, vmHostsSchema } from './vm-hosts.ts';

const projectName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]*(\/[A-Za-z0-9][A-Za-z0-9._+-]*)*$/,
    'must be a project name: letters, digits and ._+-, parts separated by "/"',
  )
  .refine((name) => !name.endsWith('.git'), 'must not end with ".git"');

/** A project, or a pattern of projects: `*` stands for anything within a part, `**` for any number of parts. */
const projectKey = z.string().superRefine((key, context) => {
  for (const { message } of projectName.safeParse(key.replaceAll('*', 'x')).error?.issues ?? []) {
    context.addIssue(message);
  }
});

const server = z.strictObject({
  listen: addressSchema
    .prefault('127.0.0.1:8080')
    .describe('Address of the page and the API: `HOST:PORT`, port 0 for a free one.'),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where users reach it. Default: `listen`.'),
  containerUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where containers reach it. Default: the container engine's bridge on this machine."),
});

const project = z.strictObject({
  url: z.string().min(1).optional().describe('Where it was imported from.'),
  connection: nameSchema.default('git').describe('The connection that has it.'),
  queue: nameSchema.optional().describe('Shared queue: projects of one queue are tested together. Default: alone.'),
  templates: z
    .array(z.string().min(1))
    .default([])
    .describe('Project templates, such as `deb-package` and `rpm-package`.'),
  arch: z
    .array(z.enum(builtInArchitectures))
    .min(1)
    .optional()
    .describe(
      "Architectures that its packages are built for, the server's own among them: `docs/platforms.md`. Default: that one.",
    ),
  branches: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'Branches whose configuration is read, and that are released from: `docs/trust.md`. Default: all are read.',
    ),
  directPush: z.boolean().default(false).describe('Allow pushes to branches past the gate.'),
});

function releaseSchema(resolve: Resolve) {
  return z.strictObject({
    origin: z
      .string()
      .regex(/^[\x20-\x7e]+$/, 'must be of plain ASCII, on one line')
      .default('Sluice')
      .describe('`Origin` of the released APT repository.'),
    policy: z
      .enum(['promote', 'rebuild'])
      .default('promote')
      .describe(
        '`promote`: release what the gate built when the merged tree is the built tree. `rebuild`: always build again.',
      ),
    keep: keepSchema,
    debug: debugSchema,
    deb: z
      .strictObject({
        codename: z
          .string()
          .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be of a-z 0-9 . _ -, and begin with a letter or digit')
          .default('bookworm')
          .describe('Distribution name of the APT repository.'),
        keys: repositoryKeys,
      })
      .prefault({})
      .describe('The released APT repository.'),
    rpm: z
      .strictObject({
        name: z
          .string()
          .min(1)
          .default('released')
          .describe('Repository id in the `.repo` file that the repository’s page shows.'),
        keys: repositoryKeys,
      })
      .prefault({})
      .describe('The released RPM repository.'),
    keys: signingKeysSchema(resolve).prefault({}).describe('Keys of the archive: `docs/signing.md`.'),
    lines: linesSchema
      .default({})
      .describe('Released repositories for platforms and branches of their own: `docs/releases.md`.'),
  });
}

const retention = z.strictObject({
  audit: durationSchema.prefault('365d').describe('How long `sluice audit` has what people asked for; 0: for good.'),
  builds: durationSchema.prefault('20d').describe('How long logs and artifacts of builds stay.'),
  freeDisk: sizeSchema.prefault('2GiB').describe('`sluice prune` removes the oldest until this much disk is free.'),
  indexes: durationSchema
    .prefault('2d')
    .describe(
      'How long released repositories keep old lists, and what these name, for slow clients: of the last 100 states, always of three.',
    ),
  mirrors: durationSchema
    .refine((every) => every === 0 || every >= 60, 'must be 0 or at least 60s')
    .prefault('6h')
    .describe(
      'How often a running server removes snapshots over `keep` from mirrors, at least `60s`; 0: only after a sync and by `mirror prune`.',
    ),
});

const workers = z.strictObject({
  build: z
    .int()
    .min(0)
    .max(256)
    .default(2)
    .describe(
      'Jobs with nodes of each architecture that run at once on this machine; 0: they run on other machines alone.',
    ),
  emulate: z
    .boolean()
    .default(true)
    .describe('Whether jobs for other architectures run on this machine, too, where qemu-user runs their programs.'),
  log: sizeSchema.prefault('64MiB').describe('Size at which the log of a job is cut. The job goes on.'),
});

/** What the machines of a provider can be. */
function instanceTypes(cores: z.ZodType<number>) {
  const ramGb = z.number().min(0.1875).describe('Its memory in GiB.');
  return namedSchema(z.strictObject({ cores: cores.describe('Its processor cores.'), ramGb }))
    .optional()
    .describe(
      "A machine is of the smallest that has its platform's `limits`, and has all of it. Default: it has these.",
    );
}

/** What each provider of machines lends at most; a job takes what its platforms' `limits` say. */
function nodesSchema(resolve: Resolve) {
  return z.strictObject({
    docker: capacity
      .extend({ instanceTypes: instanceTypes(z.number().positive()) })
      .prefault({})
      .describe('Containers, on all hosts together.'),
    vm: capacity
      .extend({
        maxServers: z
          .int()
          .min(0)
          .default(4)
          .describe("Virtual machines that jobs have at once on the server's host; 0: none there."),
        instanceTypes: instanceTypes(z.int().min(1)),
        mirrors: z
          .array(z.url({ protocol: /^https?$/ }))
          .default([])
          .describe("URLs that they reach besides this server's repositories and the archives of the host's APT."),
        hosts: vmHostsSchema(resolve)
          .default({})
          .describe('Other machines that virtual machines run on, by name: `docs/machines.md`.'),
      })
      .prefault({})
      .describe("Virtual machines: of the server's host, and of `hosts`."),
    static: staticSchema(resolve)
      .default({})
      .describe('Machines that are there, by name, each lent to one job at a time.'),
    relativePriority: z
      .boolean()
      .default(false)
      .describe(
        'Serve the first change of each queue or project before the second of any, as by `relative_priority` of Zuul.',
      ),
    labels: labelsSchema.default({}).describe('Nodes by their label, which is the name of a platform.'),
  });
}

/** Saved memories of virtual machines. */
const snapshots = z.strictObject({
  prepareAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 02:30')
    .default('02:30')
    .describe('When the machines of all platforms with `provider: vm` are prepared anew, every day, in UTC.'),
  keep: durationSchema.prefault('20d').describe('How long a snapshot stays that is not the newest of its platform.'),
  maxSize: sizeSchema.prefault('20GiB').describe('Size of all together: above it, the oldest go.'),
});

/**
 * `sluice.yaml`. The words given to `describe` are the reference in `docs/configuration.md`.
 *
 * @param resolve what relative paths are relative to
 */
export function configSchema(resolve: Resolve) {
  const keys = z.strictObject({
    data: z
      .string()
      .min(1)
      .prefault('./data')
      .transform(resolve)
      .describe('Directory of everything that Sluice keeps.'),
    tenant: nameSchema.default('main').describe('Name of the tenant.'),
    server: server.prefault({}).describe('The page and the API.'),
    temporal: temporalSchema(resolve).prefault({}).describe('The engine under the workflows.'),
    connections: connectionsSchema(resolve)
      .default({ git: { driver: 'git' } })
      .describe('Review systems by name: `docs/review-systems.md`.'),
    projects: z
      .record(projectKey, project)
      .default({})
      .describe('Repositories under the gate; `pkg/*` stands for every one of its connection that fits.'),
    'config-projects': z
      .array(projectName)
      .default([])
      .describe('Those of the projects whose configuration is trusted; it is used when merged.'),
    platforms: platformsSchema(resolve)
      .default({})
      .describe('Platforms besides the built-in ones (`docs/platforms.md`): node labels, as nodesets name them.'),
    release: releaseSchema(resolve).prefault({}).describe('The released repositories.'),
    mirrors: mirrorsSchema(resolve).default({}).describe('Sets of mirrors.'),
    nodes: nodesSchema(resolve)
      .prefault({})
      .describe('What jobs are lent at most; jobs that find too little left wait in order.'),
    snapshots: snapshots.prefault({}).describe('Virtual machines are restored from snapshots; see `docs/machines.md`.'),
    tests: testsSchema(resolve)
      .optional()
      .describe('Packages are tested by request: `docs/test-service.md`. Default: there is no test service.'),
    retention: retention.prefault({}).describe('What is kept, and how long.'),
    workers: workers.prefault({}).describe('How much runs at once.'),
  });
  return keys.superRefine(({ connections, projects, platforms, nodes, workers }, context) => {
    const below: readonly (readonly [section: string, faults: readonly Fault[]])[] = [
      ['nodes', typeFaults(nodes, platforms)],
      ['nodes.labels', labelFaults(nodes, platforms, workers)],
      ['nodes.vm.hosts', vmHostFaults(nodes.vm.hosts, workers)],
      ['nodes.static', staticFaults(nodes.static, platforms)],
    ];
    const faults = [
      ...below.flatMap(([section, own]) => own.map((one) => ({ ...one, path: [...section.split('.'), ...one.path] }))),
      ...architectureFaults({ projects, platforms }),
      ...(platforms['debian-12']?.provider === 'vm' ? [virtualDefault] : []),
      ...connectionFaults(projects, connections),
    ];
    for (const { path, message } of faults) context.addIssue({ code: 'custom', path: [...path], message });
  });
}

const virtualDefault: Fault = {
  path: ['platforms', 'debian-12', 'provider'],
  message: 'must be docker for debian-12: programs of jobs without nodes run there',
};

function connectionFaults(
  projects: Readonly<Record<string, { readonly connection: string }>>,
  connections: Readonly<Record<string, unknown>>,
): readonly Fault[] {
  const message = (name: string) =>
    `there is no connection ${name}: there are ${Object.keys(connections).join(', ') || 'none'}`;
  return Object.entries(projects).flatMap(([name, { connection }]) =>
    Object.hasOwn(connections, connection)
      ? []
      : [{ path: ['projects', name, 'connection'], message: message(connection) }],
  );
}

export type Settings = z.infer<ReturnType<typeof configSchema>>;
