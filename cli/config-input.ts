import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Option } from 'commander';
import {
  buildLayout,
  defaultTenant,
  type Layout,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
  type TenantSettings,
} from '../pipelines/language/language.ts';
import { parseTenantFile, type TenantFile, type TenantProject } from '../pipelines/language/tenant-file.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { misused } from './fault.ts';

/** Options of the commands that read configuration from paths. */
export interface ConfigOptions {
  readonly tenantFile?: string;
  readonly tenant?: string;
}

export interface LoadedConfig {
  readonly layout: Layout;
  readonly files: readonly ParsedFile[];
  /** Of the files, the layout and the tenant file. */
  readonly problems: readonly Problem[];
}

/** `--tenant-file` and `--tenant`. */
export function tenantOptions(): Option[] {
  return [
    new Option('--tenant-file <file>', 'tenant file: which projects there are and which are trusted'),
    new Option('--tenant <name>', 'tenant of that file (default: the only one)'),
  ];
}

/** One PATH argument. */
interface Given {
  /** As on the command line, without `NAME=`. */
  readonly path: string;
  /** Without a tenant file, the project's name. */
  readonly name: string;
  readonly explicit: boolean;
  readonly isDirectory: boolean;
}

/**
 * Loads the configuration at the given paths.
 *
 * @param besides a project and branch that the configuration is asked about: known even when nothing defines it
 */
export async function loadConfig(
  paths: readonly string[],
  options: ConfigOptions,
  besides?: { readonly project: string; readonly branch: string },
): Promise<LoadedConfig> {
  const given = await Promise.all(paths.map(readArgument));
  const tenant = options.tenantFile === undefined ? undefined : await readTenant(options.tenantFile, options.tenant);
  const problems: Problem[] = [...(tenant?.problems ?? [])];
  const projects = new Map<string, ProjectSource>();
  for (const project of tenant?.projects ?? []) projects.set(project.name, onMaster(project));
  const files: ParsedFile[] = [];
  const seen = new Set<string>();
  for (const argument of given) {
    const project = tenant === undefined ? alone(argument) : matching(tenant.projects, argument);
    if (project === undefined) {
      problems.push(warning(argument, 'is no project of the tenant and was not loaded'));
      continue;
    }
    projects.set(project.name, onMaster(project));
    const found = await readProject(argument, project);
    if (found.length === 0) problems.push(warning(argument, 'holds no configuration: no zuul.yaml and no zuul.d'));
    // A directory and one of its files, or a path given twice, say everything once.
    files.push(...found.filter(({ origin }) => !seen.has(`${project.name}\n${resolve(origin.path)}`)));
    for (const { origin } of found) seen.add(`${project.name}\n${resolve(origin.path)}`);
  }
  if (tenant === undefined) addNamed(projects, files);
  if (besides !== undefined) addBranch(projects, besides);
  const settings = { ...(tenant?.settings ?? defaultTenant), partial: true };
  const layout = buildLayout({ tenant: settings, projects: [...projects.values()], files });
  return { layout, files, problems: [...problems, ...layout.problems] };
}

async function readArgument(argument: string): Promise<Given> {
  const split = existsSync(argument) ? -1 : argument.indexOf('=');
  if (split === 0) throw misused(`${argument}: a name stands before "=", as in org/app=${argument.slice(1)}`);
  const path = argument.slice(split + 1);
  const info = await stat(path).catch((error: Error) => {
    throw misused(`${path}: cannot be read: ${error.message}`);
  });
  const isDirectory = info.isDirectory();
  const directory = isDirectory ? resolve(path) : dirname(resolve(path));
  const repository = isConfigDirectory(directory) ? dirname(directory) : directory;
  const own = repository.split('/').slice(-2).join('/');
  return { path, name: split < 0 ? own : argument.slice(0, split), explicit: split >= 0, isDirectory };
}

/** Whether a directory is part of a repository's configuration, and no repository itself. */
function isConfigDirectory(directory: string): boolean {
  return /^\.?zuul\.d$/.test(basename(resolve(directory)));
}

interface Tenant {
  readonly settings: TenantSettings;
  readonly projects: readonly TenantProject[];
  readonly problems: readonly Problem[];
}

async function readTenant(path: string, name: string | undefined): Promise<Tenant> {
  const file = parseTenantFile(await readText(path), path);
  const tenant = choose(file, path, name);
  return { settings: tenant?.settings ?? defaultTenant, projects: tenant?.projects ?? [], problems: file.problems };
}

function choose(file: TenantFile, path: string, name: string | undefined): TenantFile['tenants'][number] | undefined {
  const names = file.tenants.map(({ settings }) => settings.name);
  const chosen = name === undefined ? file.tenants[0] : file.tenants.find(({ settings }) => settings.name === name);
  if (file.problems.length > 0) return chosen;
  if (name === undefined && names.length > 1)
    throw misused(`${path} has several tenants; choose with --tenant: ${names.join(', ')}`);
  if (chosen === undefined) throw misused(`${path} has no tenant${name === undefined ? '' : ` "${name}"`}`);
  return chosen;
}

function onMaster(project: Omit<ProjectSource, 'branches' | 'defaultBranch'>): ProjectSource {
  return { ...project, branches: ['master'], defaultBranch: 'master', loadBranch: 'master' };
}

function alone({ name }: Given): TenantProject {
  return { name, connection: 'local', trusted: true, extraConfigPaths: [] };
}

/** The project whose name is the longest end of the path. */
function matching(projects: readonly TenantProject[], given: Given): TenantProject | undefined {
  if (given.explicit) return projects.find(({ name }) => name === given.name);
  const path = given.isDirectory ? resolve(given.path) : dirname(resolve(given.path));
  const fitting = projects.filter(({ name }) => `${path}/`.includes(`/${name}/`));
  const ending = fitting.filter(({ name }) => path.endsWith(`/${name}`));
  return (ending.length > 0 ? ending : fitting).toSorted((a, b) => b.name.length - a.name.length)[0];
}

function warning({ path }: Given, message: string): Problem {
  return { path, line: 1, column: 1, severity: 'warning', message };
}

async function readProject(given: Given, project: TenantProject): Promise<ParsedFile[]> {
  const paths = given.isDirectory ? await configFiles(given.path, project.extraConfigPaths) : [given.path];
  return Promise.all(
    paths.map(async (path) => {
      const { name, trusted } = project;
      return parseConfigFile({ project: name, branch: 'master', path, text: await readText(path), trusted });
    }),
  );
}

/** The configuration of a repository: the first of the four places that is there, and the extra paths; or `zuul.d`. */
async function configFiles(root: string, extra: readonly string[]): Promise<string[]> {
  if (isConfigDirectory(root)) return yamlFiles(root);
  const places = ['zuul.yaml', 'zuul.d', '.zuul.yaml', '.zuul.d'].map((name) => join(root, name));
  const first = places.find((place) => existsSync(place));
  const more = extra.map((path) => join(root, path)).filter((path) => existsSync(path));
  const found = await Promise.all([...(first === undefined ? [] : [first]), ...more].map(yamlFiles));
  return found.flat();
}

/** A file itself; of a directory all `*.yaml` below it by path, except below a directory that holds `.zuul.ignore`. */
async function yamlFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.some(({ name }) => name === '.zuul.ignore')) return [];
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const found = await Promise.all(
    sorted.map((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return yamlFiles(inner);
      return Promise.resolve(entry.name.endsWith('.yaml') ? [inner] : []);
    }),
  );
  return found.flat();
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw misused(`${path}: cannot be read: ${(error as Error).message}`);
  }
}

/** Without a tenant file, whatever a project stanza names is a project. */
function addNamed(projects: Map<string, ProjectSource>, files: readonly ParsedFile[]): void {
  for (const { name, nameMatches } of files.flatMap(({ stanzas }) => stanzas.projects)) {
    if (nameMatches !== undefined || projects.has(name)) continue;
    projects.set(name, onMaster({ name, connection: 'local', trusted: false }));
  }
}

function addBranch(
  projects: Map<string, ProjectSource>,
  { project, branch }: { readonly project: string; readonly branch: string },
): void {
  const known = projects.get(project) ?? onMaster({ name: project, connection: 'local', trusted: false });
  projects.set(project, { ...known, branches: [...new Set([...known.branches, branch])] });
}
