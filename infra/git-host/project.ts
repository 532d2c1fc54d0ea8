import { existsSync, readFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { writeWhole } from '../../activities/files/write.ts';
import { hostArch } from '../../activities/host-arch.ts';
import { type AddedRepository, addRepository, listPaths } from '../../activities/review/git/repository.ts';
import { builtInArchitectures } from '../../pipelines/model/architecture.ts';
import { architectureFaults, ownArchitectureFaults } from '../config/architectures.ts';
import { type Config, parseConfig } from '../config/load.ts';
import { nameSchema } from '../config/mirrors.ts';
import { knownTemplates } from './known-templates.ts';
import { gitHostSettings, pageUrl } from './settings.ts';
import { findTemplates } from './templates.ts';

export interface ProjectRequest {
  readonly name: string;
  /** A directory or a Git URL; null for an empty repository. */
  readonly url: string | null;
  /** Null: alone, or as it is configured already. */
  readonly queue: string | null;
  /** Null: what the repository's content suggests. */
  readonly templates: readonly string[] | null;
  /** Architectures that its packages are built for. Absent: the server's own, or as it is configured already. */
  readonly arch?: readonly string[] | undefined;
}

export interface AddedProject extends AddedRepository {
  readonly project: string;
  readonly queue: string | null;
  readonly templates: readonly string[];
  readonly arch: readonly string[];
  /** The configuration file that has the project now. */
  readonly file: string;
}

const launcher = resolve(import.meta.dirname, '../../sluice');

/** A template that nobody defines: every change of the project would fail by its configuration. */
class UnknownTemplate extends Error {
  constructor(names: readonly string[], known: readonly string[]) {
    const words = names.map((name) => JSON.stringify(name)).join(', ');
    super(`there is no project template ${words}; there are: ${known.join(', ')}`);
    this.name = 'UnknownTemplate';
  }
}

/** A queue that `sluice.yaml` would not take: it could not be read any more. */
class BadQueue extends Error {
  constructor(queue: string, reason: string) {
    super(`${JSON.stringify(queue)} cannot be a queue: it ${reason}`);
    this.name = 'BadQueue';
  }
}

/** Architectures that `sluice.yaml` would not take. */
class BadArch extends Error {
  constructor(reason: string) {
    super(`the project cannot be built for these architectures: ${reason}`);
    this.name = 'BadArch';
  }
}

/**
 * Puts a repository under the gate: makes it, imports it, installs the hooks, and writes it into `sluice.yaml`.
 *
 * @throws UnknownTemplate, BadQueue, BadArch, and leaves nothing behind
 */
export async function addProject(config: Config, request: ProjectRequest): Promise<AddedProject> {
  requireQueue(request.queue);
  requireArch(request.arch);
  const known = config.projects[request.name];
  const source = request.url === null || !existsSync(request.url) ? request.url : resolve(request.url);
  const host = gitHostSettings(config, known?.connection);
  const added = await addRepository({
    ...host,
    project: request.name,
    url: source,
    launcher,
    page: pageUrl(config),
    directPush: known?.directPush ?? false,
  });
  await requireTemplates(config, request, added);
  const { defaultBranch } = added;
  const paths = defaultBranch === null ? [] : await listPaths({ ...host, project: request.name }, defaultBranch);
  const found = findTemplates(paths);
  const templates = request.templates ?? (known !== undefined && known.templates.length > 0 ? known.templates : found);
  const queue = request.queue ?? known?.queue ?? null;
  const file = config.file ?? resolve('sluice.yaml');
  const arch = request.arch ?? known?.arch;
  const url = added.created ? source : (known?.url ?? source);
  const entry = { ...given({ url, queue }), templates, ...given({ arch }) };
  const [fault] = architectureFaults({ projects: { [request.name]: { arch, templates } }, platforms: {} });
  if (fault !== undefined) return undo(added, new BadArch(`that ${fault.message}`));
  await writeProject(file, request.name, entry).catch((error) => undo(added, error));
  return { ...added, project: request.name, queue, templates, arch: arch ?? [hostArch()], file };
}

function requireQueue(queue: string | null): void {
  const issue = queue === null ? undefined : nameSchema.safeParse(queue).error?.issues[0];
  if (queue !== null && issue !== undefined) throw new BadQueue(queue, issue.message);
}

function requireArch(arch: ProjectRequest['arch']): void {
  if (arch === undefined) return;
  const there: readonly string[] = builtInArchitectures;
  const unknown = arch.find((one) => !there.includes(one));
  if (unknown !== undefined)
    throw new BadArch(`there is no ${JSON.stringify(unknown)}; there are: ${there.join(', ')}`);
  const [fault] = ownArchitectureFaults({ it: { arch, templates: [] } });
  if (fault !== undefined) throw new BadArch(`they ${fault.message}: add --arch ${hostArch()}`);
}

/** Those that there are. */
function given(some: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(some).filter(([, value]) => value !== null && value !== undefined));
}

/** The repository may define templates itself, so that it has to be here first. */
async function requireTemplates(config: Config, { name, templates }: ProjectRequest, added: AddedRepository) {
  if (templates === null) return;
  const known = await knownTemplates(config, name);
  const unknown = templates.filter((template) => known?.includes(template) === false);
  if (known === undefined || unknown.length === 0) return;
  return undo(added, new UnknownTemplate(unknown, known));
}

/** Leaves nothing behind. @throws the error */
async function undo({ created, path }: AddedRepository, error: Error): Promise<never> {
  if (created) await rm(path, { recursive: true, force: true });
  throw error;
}

/** Adds or renews one project in the file; comments and everything else stay as they are. */
async function writeProject(file: string, name: string, entry: Readonly<Record<string, unknown>>): Promise<void> {
  const document = parseDocument(existsSync(file) ? readFileSync(file, 'utf8') : '');
  if (!isMap(document.get('projects'))) document.set('projects', document.createNode({}));
  const projects = document.get('projects');
  // An empty map has to be written as `{}`; with something in it, it looks like the rest of the file.
  if (isMap(projects) && projects.items.length === 0) projects.flow = false;
  for (const [key, value] of Object.entries(entry)) document.setIn(['projects', name, key], document.createNode(value));
  const text = document.toString({ lineWidth: 120, flowCollectionPadding: false });
  parseConfig({ path: file, text, directory: dirname(file), env: process.env });
  const found = await stat(file).catch(() => null);
  await writeWhole(file, text, found === null ? {} : { mode: found.mode & 0o777 });
}
