import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { declare } from '../activities/layout/declare.ts';
import { readShipped, shippedProject } from '../activities/layout/shipped.ts';
import {
  buildLayout,
  defaultTenant,
  type Layout,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
  withoutUnused,
} from '../pipelines/language/language.ts';
import type { TenantProject } from '../pipelines/language/tenant-file.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { configOption } from './command.ts';
import {
  findTenant,
  type Given,
  isConfigDirectory,
  labelsOf,
  onMaster,
  projectAt,
  readArgument,
  readText,
  type TenantChoice,
  type TenantInput,
} from './config-tenant.ts';
import { misused } from './fault.ts';

/** Options of the commands that read configuration from paths. */
export interface ConfigOptions extends TenantChoice {
  /** False with `--no-defaults`. */
  readonly defaults?: boolean;
  readonly server?: string;
}

export interface LoadedConfig {
  readonly layout: Layout;
  /** As given: without what ships with Sluice. */
  readonly files: readonly ParsedFile[];
  /** Of the files, the layout and the tenant. */
  readonly problems: readonly Problem[];
  /** The names of the platforms, where a `sluice.yaml` tells them. */
  readonly labels?: readonly string[];
  /** Directory of each project that was given as one. */
  readonly directories: ReadonlyMap<string, string>;
  /** Names of the projects that are given, in the tenant, or configured. */
  readonly known: ReadonlySet<string>;
  /** Projects as a tenant file lists them. */
  readonly listed: readonly TenantProject[];
}

/** `--server`: the configuration that a running server has, in place of paths. Never from the environment. */
export function runningOption(): Option {
  return new Option('--server <url>', 'ask the running server about the configuration in force, in place of paths');
}

/** @throws CommandError 2 unless there are paths, or a server in their place. */
export function requirePaths(paths: readonly string[], { server, tenantFile, tenant, defaults }: ConfigOptions): void {
  if (server === undefined && paths.length === 0) throw misused("error: missing required argument 'paths'");
  if (server !== undefined && paths.length > 0) throw misused('--server takes the place of paths: give one of the two');
  if (server !== undefined && (tenantFile !== undefined || tenant !== undefined || defaults === false))
    throw misused(
      '--server asks about the configuration in force: --tenant-file, --tenant and --no-defaults go with paths',
    );
}

/** `--tenant-file`, `--tenant`, `--config` and `--no-defaults`. */
export function tenantOptions(): Option[] {
  return [
    new Option('--tenant-file <file>', 'tenant file: which projects there are and which are trusted'),
    new Option('--tenant <name>', 'tenant of that file (default: the only one)'),
    configOption(),
    new Option('--no-defaults', 'without the pipelines and jobs that ship with Sluice'),
  ];
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
  const tenant = await findTenant(
    given.filter(({ isDirectory }) => isDirectory).map(({ path }) => path),
    options,
  );
  const read = await readGiven(given, tenant);
  const shipped = await shippedBeside(read.files, tenant, options);
  const { projects } = read;
  if (tenant === undefined) addNamed(projects, read.files);
  const named = [...projects.keys()];
  if (besides !== undefined) addBranch(projects, besides);
  const partial = tenant === undefined || tenant.projects.some(({ name }) => !read.given.has(name));
  const layout = buildLayout({
    tenant: { ...(tenant?.settings ?? defaultTenant), partial },
    projects: [...(shipped.length > 0 ? [onMaster(shippedSource)] : []), ...projects.values()],
    files: [...shipped, ...read.files],
  });
  const beside = options.tenantFile === undefined ? undefined : options.config;
  const labels = tenant?.declared?.labels ?? (beside === undefined ? undefined : await labelsOf(beside));
  return {
    layout,
    files: read.files,
    problems: [...(tenant?.problems ?? []), ...read.problems, ...layout.problems],
    directories: read.directories,
    known: new Set([...named, ...layout.configured.keys()]),
    listed: tenant?.projects ?? [],
    ...(labels === undefined ? {} : { labels }),
  };
}

const shippedSource = { name: shippedProject, connection: 'local', trusted: true } as const;

interface Read {
  readonly projects: Map<string, ProjectSource>;
  readonly files: readonly ParsedFile[];
  readonly problems: readonly Problem[];
  /** Names of the projects that were given. */
  readonly given: ReadonlySet<string>;
  readonly directories: ReadonlyMap<string, string>;
}

async function readGiven(given: readonly Given[], tenant: TenantInput | undefined): Promise<Read> {
  const projects = new Map((tenant?.projects ?? []).map((project) => [project.name, onMaster(project)]));
  const problems: Problem[] = [];
  const files: ParsedFile[] = [];
  const seen = new Set<string>();
  const names = new Set<string>();
  const directories = new Map<string, string>();
  for (const argument of given) {
    const project = projectAt(tenant, argument);
    if (project === undefined) {
      problems.push(warning(argument, 'is no project of the tenant and was not loaded'));
      continue;
    }
    names.add(project.name);
    projects.set(project.name, onMaster(project));
    if (argument.isDirectory && !isConfigDirectory(argument.path)) directories.set(project.name, argument.path);
    const found = await readProject(argument, project, tenant);
    if (found.length === 0) problems.push(warning(argument, 'holds no configuration: no zuul.yaml and no zuul.d'));
    // A directory and one of its files, or a path given twice, say everything once.
    files.push(...found.filter(({ origin }) => !seen.has(`${project.name}\n${resolve(origin.path)}`)));
    for (const { origin } of found) seen.add(`${project.name}\n${resolve(origin.path)}`);
  }
  return { projects, files, problems, given: names, directories };
}

function warning({ path }: Given, message: string): Problem {
  return { path, line: 1, column: 1, severity: 'warning', message };
}

/**
 * What ships with Sluice, and what `sluice.yaml` says of its projects: as a server has it. A configuration that brings
 * pipelines of its own, or defines what the shipped one does, stands without it, like one with a tenant file.
 */
async function shippedBeside(
  files: readonly ParsedFile[],
  tenant: TenantInput | undefined,
  options: ConfigOptions,
): Promise<readonly ParsedFile[]> {
  if (options.tenantFile !== undefined || options.defaults === false) return [];
  if (files.some(({ stanzas }) => stanzas.pipelines.length > 0)) return [];
  const { projects = [], connections, reviews } = tenant?.declared ?? {};
  const known = connections === undefined ? {} : { connections };
  const shipped = (await readShipped(reviews)).map((source) => parseConfigFile({ ...source, ...known }));
  const declared = parseConfigFile(declare(projects));
  const own = new Set(files.flatMap(namesOf));
  const used = new Set(withoutUnused([...shipped, declared, ...files]));
  if (shipped.some((file) => used.has(file) && namesOf(file).some((name) => own.has(name)))) return [];
  return [...shipped, declared];
}

function namesOf({ stanzas: { jobs, nodesets, templates } }: ParsedFile): readonly string[] {
  const kinds = Object.entries({ jobs, nodesets, templates });
  return kinds.flatMap(([kind, list]) => list.map(({ name }) => `${kind}\n${name}`));
}

async function readProject(
  given: Given,
  { name, trusted, extraConfigPaths }: TenantProject,
  tenant: TenantInput | undefined,
): Promise<ParsedFile[]> {
  const paths = given.isDirectory ? await configFiles(given.path, extraConfigPaths) : [given.path];
  const known = tenant?.declared === undefined ? {} : { connections: tenant.declared.connections };
  return Promise.all(
    paths.map(async (path) => {
      return parseConfigFile({ project: name, branch: 'master', path, text: await readText(path), trusted, ...known });
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

/** Without a tenant, whatever a project stanza names is a project. */
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
