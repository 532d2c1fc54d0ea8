import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemReason } from '../activities/files/system-reason.ts';
import type { DeclaredProject } from '../activities/layout/declare.ts';
import type { Connections } from '../activities/layout/shipped.ts';
import { defaultTenant, type ProjectSource, type TenantSettings } from '../pipelines/language/language.ts';
import { parseTenantFile, type TenantFile, type TenantProject } from '../pipelines/language/tenant-file.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { readConfiguration } from './configuration.ts';
import { misused } from './fault.ts';

/** Options that say which tenant the paths belong to. */
export interface TenantChoice {
  readonly tenantFile?: string;
  readonly tenant?: string;
  readonly config?: string;
}

/** Who is in the tenant that the paths belong to. */
export interface TenantInput {
  readonly settings: TenantSettings;
  readonly projects: readonly TenantProject[];
  readonly problems: readonly Problem[];
  /** What its projects are by `sluice.yaml`; absent for a tenant file. */
  readonly declared?: Declared;
}

/** What `sluice.yaml` says besides which projects there are. */
export interface Declared {
  readonly projects: readonly DeclaredProject[];
  /** Connection name to driver. */
  readonly connections: Readonly<Record<string, string>>;
  readonly reviews: Connections;
  /** Names of the labels that have a platform. */
  readonly labels: readonly string[];
}

/**
 * Finds the tenant: that of `--tenant-file`, else that of a `sluice.yaml`: `--config`, or in one of the directories. What
 * lies where the command is called has nothing to do with the paths.
 *
 * @returns undefined when there is neither: then each path is a trusted project by itself
 * @throws CommandError with status 2 for a tenant of no file
 */
export async function findTenant(paths: readonly string[], options: TenantChoice): Promise<TenantInput | undefined> {
  if (options.tenantFile !== undefined) return readTenant(options.tenantFile, options.tenant);
  if (options.tenant !== undefined)
    throw misused(`--tenant ${options.tenant} is a tenant of which file? Name it with --tenant-file`);
  const places = paths.map((path) => join(path, 'sluice.yaml'));
  const file = options.config ?? places.find((place) => existsSync(place));
  return file === undefined ? undefined : readSluice(file);
}

/** Names of the labels that have a platform by a `sluice.yaml`; without one, of those that ship with Sluice. */
export async function labelsOf(file: string | undefined): Promise<readonly string[]> {
  const { allPlatforms } = await import('../infra/config/platforms.ts');
  const { builtInPlatforms } = await import('../infra/images/platforms.ts');
  const platforms = file === undefined ? builtInPlatforms : allPlatforms(readConfiguration({ file }));
  return platforms.map(({ name }) => name);
}

async function readSluice(file: string): Promise<TenantInput> {
  const config = readConfiguration({ file });
  const entries = Object.entries(config.projects);
  const projects = entries.map(([name, { connection }]) => {
    return { name, connection, trusted: config['config-projects'].includes(name), extraConfigPaths: [] };
  });
  const { placeOf } = await import('../infra/config/project-places.ts');
  const { reviewedLabels } = await import('../infra/compose/given-machines.ts');
  const { labelSizes } = await import('../infra/config/label-sizes.ts');
  const declared = entries.map(([name, entry]) => {
    const { queue, templates } = entry;
    const at = placeOf(entry);
    return { name, templates, ...(queue === undefined ? {} : { queue }), ...(at === undefined ? {} : { at }) };
  });
  const drivers = Object.entries(config.connections).map(([name, { driver }]) => [name, driver]);
  return {
    settings: {
      ...{ ...defaultTenant, name: config.tenant },
      ...{ reviewedLabels: reviewedLabels(config.nodes), labelSizes: labelSizes(config) },
    },
    projects,
    problems: [],
    declared: {
      projects: declared,
      connections: Object.fromEntries(drivers),
      reviews: config.connections,
      labels: await labelsOf(file),
    },
  };
}

async function readTenant(path: string, name: string | undefined): Promise<TenantInput> {
  const file = parseTenantFile(await readText(path), path);
  const tenant = choose(file, path, name);
  return { settings: tenant?.settings ?? defaultTenant, projects: tenant?.projects ?? [], problems: file.problems };
}

function choose(file: TenantFile, path: string, name: string | undefined): TenantFile['tenants'][number] | undefined {
  const names = file.tenants.map(({ settings }) => settings.name);
  const chosen = name === undefined ? file.tenants[0] : file.tenants.find(({ settings }) => settings.name === name);
  if (file.problems.some(({ severity }) => severity === 'error')) return chosen;
  if (name === undefined && names.length > 1)
    throw misused(`${path} has several tenants; choose with --tenant: ${names.join(', ')}`);
  if (chosen === undefined) throw misused(`${path} has no tenant${name === undefined ? '' : ` "${name}"`}`);
  return chosen;
}

/** One PATH argument. */
export interface Given {
  /** As on the command line, without `NAME=`. */
  readonly path: string;
  /** Without a tenant, the project's name. */
  readonly name: string;
  readonly explicit: boolean;
  readonly isDirectory: boolean;
}

/** @throws CommandError with status 2 for a path that cannot be read. */
export async function readArgument(argument: string): Promise<Given> {
  const split = existsSync(argument) ? -1 : argument.indexOf('=');
  if (split === 0) throw misused(`${argument}: a name stands before "=", as in org/app=${argument.slice(1)}`);
  const path = argument.slice(split + 1);
  const info = await stat(path).catch((error: Error) => {
    throw misused(`${path}: cannot be read: ${systemReason(error)}`);
  });
  const isDirectory = info.isDirectory();
  const directory = isDirectory ? resolve(path) : dirname(resolve(path));
  const repository = isConfigDirectory(directory) ? dirname(directory) : directory;
  const own = repository.split('/').slice(-2).join('/');
  return { path, name: split < 0 ? own : argument.slice(0, split), explicit: split >= 0, isDirectory };
}

/** Whether a directory is part of a repository's configuration, and no repository itself. */
export function isConfigDirectory(directory: string): boolean {
  return /^\.?zuul\.d$/.test(basename(resolve(directory)));
}

/**
 * The project of the tenant that a path is: the one whose name is the longest end of the path. A path that
 * `sluice.yaml` does not know is a repository that is not under the gate yet.
 */
export function projectAt(tenant: TenantInput | undefined, given: Given): TenantProject | undefined {
  const alone = { name: given.name, connection: 'local', trusted: true, extraConfigPaths: [] };
  if (tenant === undefined) return alone;
  return matching(tenant.projects, given) ?? (tenant.declared === undefined ? undefined : alone);
}

function matching(projects: readonly TenantProject[], given: Given): TenantProject | undefined {
  if (given.explicit) return projects.find(({ name }) => name === given.name);
  const path = given.isDirectory ? resolve(given.path) : dirname(resolve(given.path));
  const fitting = projects.filter(({ name }) => `${path}/`.includes(`/${name}/`));
  const ending = fitting.filter(({ name }) => path.endsWith(`/${name}`));
  return (ending.length > 0 ? ending : fitting).toSorted((a, b) => b.name.length - a.name.length)[0];
}

/** Whether the tenant takes a branch of a project, by the branches that it lets in and keeps out. */
export function takesBranch({ includeBranches, excludeBranches = [] }: TenantProject, branch: string): boolean {
  const isIn = includeBranches?.some((pattern) => pattern.matchesWhole(branch)) ?? true;
  return isIn && !excludeBranches.some((pattern) => pattern.matchesWhole(branch));
}

export function onMaster(project: Omit<ProjectSource, 'branches' | 'defaultBranch'>): ProjectSource {
  return { ...project, branches: ['master'], defaultBranch: 'master', loadBranch: 'master' };
}

/** @throws CommandError with status 2. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw misused(`${path}: cannot be read: ${systemReason(error as Error)}`);
  }
}
