import { z } from 'zod';
import type { Problem } from '../model/position.ts';
import { faultsOf } from './faults.ts';
import { Pattern } from './pattern.ts';
import { oneOrMany } from './schema/common.ts';
import { type Origin, positionAt } from './source.ts';
import { defaultTenant, type ObjectClass, objectClasses, type ProjectSource, type TenantSettings } from './tenant.ts';
import { type RawStanza, readYaml } from './yaml.ts';

/** A project as a tenant file lists it; which branches it has is for others to say. */
export interface TenantProject extends Omit<ProjectSource, 'branches' | 'defaultBranch'> {
  readonly extraConfigPaths: readonly string[];
  readonly includeBranches?: readonly Pattern[];
  readonly excludeBranches?: readonly Pattern[];
}

export interface TenantFile {
  readonly tenants: readonly { readonly settings: TenantSettings; readonly projects: readonly TenantProject[] }[];
  readonly problems: readonly Problem[];
}

const strings = oneOrMany(z.string());
const providerClasses = ['image', 'flavor', 'label', 'section', 'provider'] as const;
const classes = oneOrMany(z.enum([...objectClasses, ...providerClasses]));

const projectOptions = z
  .strictObject({
    include: classes,
    exclude: classes,
    shadow: strings,
    'include-provider-config': z.boolean(),
    'exclude-unprotected-branches': z.boolean(),
    'exclude-locked-branches': z.boolean(),
    'extra-config-paths': strings,
    'load-branch': z.string(),
    'include-branches': strings,
    'exclude-branches': strings,
    'always-dynamic-branches': strings,
    'allow-circular-dependencies': z.boolean(),
    'implied-branch-matchers': z.boolean(),
    'configure-projects': strings,
    'allow-reporter-jobs': z.boolean(),
    'allow-base-jobs': z.boolean(),
  })
  .partial();
type ProjectOptions = z.output<typeof projectOptions>;

const group = z.strictObject({
  include: classes.optional(),
  exclude: classes.optional(),
  'include-provider-config': z.boolean().optional(),
  projects: z.lazy(() => oneOrMany(z.union([z.string(), z.record(z.string(), projectOptions)]))),
});
const entry = z.union([z.string(), group, z.record(z.string(), projectOptions)]);
type Entry = z.output<typeof entry>;

const source = z.strictObject({
  'config-projects': oneOrMany(entry).optional(),
  'untrusted-projects': oneOrMany(entry).optional(),
});

const tenantBody = z.strictObject({
  name: z.string(),
  source: z.record(z.string(), source).optional(),
  'max-changes-per-pipeline': z.int().optional(),
  'max-dependencies': z.int().optional(),
  'max-nodes-per-job': z.int().optional(),
  'max-job-timeout': z.int().optional(),
  'max-oidc-ttl': z.int().optional(),
  'default-oidc-ttl': z.int().optional(),
  'allowed-oidc-issuers': strings.optional(),
  'exclude-unprotected-branches': z.boolean().optional(),
  'exclude-locked-branches': z.boolean().optional(),
  'allowed-triggers': strings.optional(),
  'allowed-reporters': strings.optional(),
  'allowed-labels': strings.optional(),
  'disallowed-labels': strings.optional(),
  'allow-circular-dependencies': z.boolean().optional(),
  'default-parent': z.string().optional(),
  'default-ansible-version': z.union([z.string(), z.number()]).optional(),
  'access-rules': strings.optional(),
  'admin-rules': strings.optional(),
  'anonymous-read-access': z.boolean().optional(),
  'role-mappings': z.record(z.string(), strings).optional(),
  semaphores: strings.optional(),
  'authentication-realm': z.string().optional(),
  'report-build-page': z.boolean().optional(),
  'use-nodepool': z.boolean().optional(),
  'web-root': z.string().optional(),
});
type TenantBody = z.output<typeof tenantBody>;

/** The keys of a tenant, any of which may be missing. */
export const tenantKeys = tenantBody.partial();

const globalSemaphore = z.strictObject({ name: z.string(), max: z.int().optional() });
const OTHER_OBJECTS = new Set(['authorization-rule', 'admin-rule', 'authorization-role', 'api-root']);

/** Reads an administrator's tenant file. Never throws: what is wrong is a problem, and its tenant is left out. */
export function parseTenantFile(text: string, path: string): TenantFile {
  const raw = readYaml(text);
  const problems: Problem[] = [];
  const origin: Origin = { project: '', branch: '', path, trusted: true, lineStarts: raw.lineStarts };
  const report = (offset: number, message: string) => {
    problems.push({ ...positionAt(origin, offset), severity: 'error', message });
  };
  for (const { offset, message } of raw.faults) report(offset, message);
  const limits: Record<string, number> = {};
  const bodies: { body: TenantBody; stanza: RawStanza }[] = [];
  for (const stanza of raw.stanzas) {
    if (stanza.kind === 'tenant') {
      const body = check(tenantBody, stanza, report);
      if (body !== undefined) bodies.push({ body, stanza });
    } else if (stanza.kind === 'global-semaphore') {
      const semaphore = check(globalSemaphore, stanza, report);
      if (semaphore !== undefined) limits[semaphore.name] = semaphore.max ?? 1;
    } else if (!OTHER_OBJECTS.has(stanza.kind)) {
      report(stanza.offset, `unknown object "${stanza.kind}" in a tenant file`);
    }
  }
  return { tenants: bodies.flatMap(({ body, stanza }) => tenantOf(body, limits, stanza, report)), problems };
}

function check<T>(schema: z.ZodType<T>, stanza: RawStanza, report: Report): T | undefined {
  const result = schema.safeParse(stanza.body, { reportInput: true });
  if (result.success) return result.data;
  for (const { offset, message } of faultsOf(stanza, result.error.issues)) report(offset, `${stanza.kind}: ${message}`);
  return undefined;
}

type Report = (offset: number, message: string) => void;

interface Listed {
  readonly name: string;
  readonly options: ProjectOptions;
  /** Kinds of objects that the group around it lets in. */
  readonly include: readonly ObjectClass[] | undefined;
}

function tenantOf(
  body: TenantBody,
  limits: Readonly<Record<string, number>>,
  stanza: RawStanza,
  report: Report,
): TenantFile['tenants'] {
  try {
    const projects = Object.entries(body.source ?? {}).flatMap(([connection, lists]) => [
      ...(lists['config-projects'] ?? []).flatMap(listed).map((project) => projectOf(project, connection, true)),
      ...(lists['untrusted-projects'] ?? []).flatMap(listed).map((project) => projectOf(project, connection, false)),
    ]);
    return [{ settings: tenantSettings(body, limits), projects }];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    report(stanza.offset, `tenant "${body.name}": ${error.message}`);
    return [];
  }
}

/**
 * What the keys of a tenant come to, over the presets.
 *
 * @param limits global semaphores that are defined, by name
 * @throws SyntaxError for a label's expression that is none
 */
export function tenantSettings(
  body: z.output<typeof tenantKeys>,
  limits: Readonly<Record<string, number>> = {},
): TenantSettings {
  const ansible = body['default-ansible-version'];
  const optional = {
    maxChangesPerPipeline: body['max-changes-per-pipeline'],
    maxDependencies: body['max-dependencies'],
    allowedTriggers: body['allowed-triggers'],
    allowedReporters: body['allowed-reporters'],
    allowedLabels: patternsOf(body['allowed-labels']),
    disallowedLabels: patternsOf(body['disallowed-labels']),
    ansibleVersion: ansible === undefined ? undefined : String(ansible),
  };
  return {
    name: body.name ?? defaultTenant.name,
    defaultParent: body['default-parent'] ?? defaultTenant.defaultParent,
    maxNodesPerJob: body['max-nodes-per-job'] ?? defaultTenant.maxNodesPerJob,
    maxJobTimeout: body['max-job-timeout'] ?? defaultTenant.maxJobTimeout,
    globalSemaphores: Object.fromEntries((body.semaphores ?? []).map((name) => [name, limits[name] ?? 1])),
    ...defined(optional),
  };
}

/** The projects of one entry: a name, a name with options, or a group of such. */
function listed(written: Entry): Listed[] {
  if (typeof written === 'string') return [{ name: written, options: {}, include: undefined }];
  if (!isGroup(written)) {
    return Object.entries(written).map(([name, options]) => ({ name, options, include: undefined }));
  }
  const include = withoutExcluded(written.include, written.exclude, undefined);
  return written.projects.flatMap((member) => listed(member).map((project) => ({ ...project, include })));
}

function isGroup(written: Exclude<Entry, string>): written is z.output<typeof group> {
  return Array.isArray(written.projects);
}

function withoutExcluded(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
  preset: readonly ObjectClass[] | undefined,
): readonly ObjectClass[] | undefined {
  if (include === undefined && exclude === undefined) return preset;
  const wanted = include ?? preset ?? objectClasses;
  return objectClasses.filter((kind) => wanted.includes(kind) && !exclude?.includes(kind));
}

function projectOf({ name, options, include }: Listed, connection: string, trusted: boolean): TenantProject {
  const optional = {
    include: withoutExcluded(options.include, options.exclude, include),
    shadow: options.shadow,
    loadBranch: options['load-branch'],
    impliedBranchMatchers: options['implied-branch-matchers'],
    alwaysDynamicBranches: patternsOf(options['always-dynamic-branches']),
    configureProjects: patternsOf(options['configure-projects']),
    allowBaseJobs: options['allow-base-jobs'],
    allowReporterJobs: options['allow-reporter-jobs'],
    includeBranches: patternsOf(options['include-branches']),
    excludeBranches: patternsOf(options['exclude-branches']),
  };
  return { name, connection, trusted, extraConfigPaths: options['extra-config-paths'] ?? [], ...defined(optional) };
}

/** @throws SyntaxError */
function patternsOf(sources: readonly string[] | undefined): readonly Pattern[] | undefined {
  return sources?.map((source) => Pattern.of(source));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that have no value. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
