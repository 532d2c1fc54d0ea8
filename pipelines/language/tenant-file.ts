import { z } from 'zod';
import type { Problem } from '../model/position.ts';
import { faultsOf } from './faults.ts';
import { asking } from './near-key.ts';
import { Pattern } from './pattern.ts';
import { nonEmpty, oneOrMany } from './schema/common.ts';
import { type Origin, positionAt } from './source.ts';
import { defaultTenant, type ObjectClass, objectClasses, type ProjectSource, type TenantSettings } from './tenant.ts';
import { unusedKeys, unusedObjects } from './tenant-unused.ts';
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

const DEFAULT_PATHS = new Set(['zuul.yaml', 'zuul.d/', '.zuul.yaml', '.zuul.d/']);
const extraPath = z.string().refine((path) => !DEFAULT_PATHS.has(path), {
  message: 'is read anyway and cannot be an extra path',
});

const common = {
  include: classes,
  exclude: classes,
  shadow: strings,
  'include-provider-config': z.boolean(),
  'exclude-unprotected-branches': z.boolean(),
  'exclude-locked-branches': z.boolean(),
  'extra-config-paths': oneOrMany(extraPath),
  'load-branch': z.string(),
  'include-branches': strings,
  'exclude-branches': strings,
  'always-dynamic-branches': strings,
  'allow-circular-dependencies': z.boolean(),
  'implied-branch-matchers': z.boolean(),
};
const trustedOptions = z.strictObject({ ...common, 'allow-base-jobs': z.boolean() }).partial();
const untrustedOptions = z
  .strictObject({ ...common, 'configure-projects': strings, 'allow-reporter-jobs': z.boolean() })
  .partial();
type ProjectOptions = z.output<typeof trustedOptions> & z.output<typeof untrustedOptions>;

interface Group {
  readonly include?: string[] | undefined;
  readonly exclude?: string[] | undefined;
  readonly projects: readonly Entry[];
}
type Entry = string | Group | Readonly<Record<string, ProjectOptions>>;

/** A name, a name with options, or a group of such: chosen by its form, so that a fault is told for what was meant. */
function entryWith(options: z.ZodType<ProjectOptions>): z.ZodType<Entry> {
  const named = z.record(z.string(), options);
  const group = z.strictObject({
    include: classes.optional(),
    exclude: classes.optional(),
    'include-provider-config': z.boolean().optional(),
    projects: z.lazy(() => oneOrMany(entry)),
  });
  const entry: z.ZodType<Entry> = z.unknown().transform((value, context): Entry => {
    const result = formOf(value, group, named).safeParse(value, asking);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.issues.push(issue as never);
    return z.NEVER;
  });
  return entry;
}

function formOf(value: unknown, group: z.ZodType<Entry>, named: z.ZodType<Entry>): z.ZodType<Entry> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return z.union([z.string(), named]);
  return Array.isArray((value as { projects?: unknown }).projects) ? group : named;
}

const source = z.strictObject({
  'config-projects': oneOrMany(entryWith(trustedOptions)).optional(),
  'untrusted-projects': oneOrMany(entryWith(untrustedOptions)).optional(),
});

const tenantBody = z.strictObject({
  name: nonEmpty,
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

const globalSemaphore = z.strictObject({ name: nonEmpty, max: z.int().optional() });

/** Reads an administrator's tenant file. Never throws: what is wrong is a problem, and its tenant is left out. */
export function parseTenantFile(text: string, path: string): TenantFile {
  const raw = readYaml(text);
  const problems: Problem[] = [];
  const origin: Origin = { project: '', branch: '', path, trusted: true, lineStarts: raw.lineStarts };
  const report: Report = (offset, message, severity = 'error') => {
    problems.push({ ...positionAt(origin, offset), severity, message });
  };
  for (const { offset, message } of raw.faults) report(offset, message);
  const limits: Record<string, number> = {};
  const bodies: { body: TenantBody; stanza: RawStanza }[] = [];
  for (const stanza of raw.stanzas) {
    if (stanza.kind === 'tenant') {
      const body = check(tenantBody, stanza, report);
      if (body === undefined) continue;
      if (bodies.every((other) => other.body.name !== body.name)) bodies.push({ body, stanza });
      else report(stanza.marks.name ?? stanza.offset, `tenant "${body.name}" is already defined`);
    } else if (stanza.kind === 'global-semaphore') {
      const semaphore = check(globalSemaphore, stanza, report);
      if (semaphore !== undefined) limits[semaphore.name] = semaphore.max ?? 1;
    } else reportUnused(stanza, report);
  }
  return { tenants: bodies.flatMap(({ body, stanza }) => tenantOf(body, limits, stanza, report)), problems };
}

function reportUnused({ kind, offset }: RawStanza, report: Report): void {
  const unused = Object.hasOwn(unusedObjects, kind) ? unusedObjects[kind] : undefined;
  if (unused === undefined) report(offset, `unknown object "${kind}" in a tenant file`);
  else report(offset, `${kind} has no effect: ${unused}`, 'warning');
}

function check<T>(schema: z.ZodType<T>, stanza: RawStanza, report: Report): T | undefined {
  const result = schema.safeParse(stanza.body, asking);
  if (result.success) return result.data;
  for (const { offset, message } of faultsOf(stanza, result.error.issues)) report(offset, `${stanza.kind}: ${message}`);
  return undefined;
}

type Report = (offset: number, message: string, severity?: Problem['severity']) => void;

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
    for (const { path, message } of faultsOfTenant(body, limits, projects)) {
      report(stanza.locate(path), `tenant "${body.name}": ${message}`);
    }
    for (const { path, key, message } of unusedKeys(body, body.source)) {
      report(stanza.locate(path, key), `tenant "${body.name}": ${message}`, 'warning');
    }
    return [{ settings: tenantSettings(body, limits), projects }];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    report(stanza.offset, `tenant "${body.name}": ${error.message}`);
    return [];
  }
}

/** What does not go together, and where. */
function* faultsOfTenant(
  body: TenantBody,
  limits: Readonly<Record<string, number>>,
  projects: readonly TenantProject[],
): Generator<{ path: string[]; message: string }> {
  const unknown = body.semaphores?.find((name) => !Object.hasOwn(limits, name));
  if (unknown !== undefined) yield { path: ['semaphores'], message: `global semaphore "${unknown}" is not defined` };
  const seen = new Map<string, string>();
  for (const { name, connection, trusted, configureProjects } of projects) {
    const path = ['source', connection, trusted ? 'config-projects' : 'untrusted-projects'];
    const where = seen.get(name) === connection ? 'listed twice' : 'on two connections, which cannot be told apart';
    if (seen.has(name)) yield { path, message: `project "${name}" is ${where}` };
    seen.set(name, connection);
    const config = projects.find(
      (other) => other.trusted && configureProjects?.some((p) => p.matchesWhole(other.name)),
    );
    if (config !== undefined) yield { path, message: `"${name}" may not configure config-project "${config.name}"` };
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

function isGroup(written: Exclude<Entry, string>): written is Group {
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
