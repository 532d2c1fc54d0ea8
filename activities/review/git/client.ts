import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change } from '../../../pipelines/model/change.ts';
import { repositoryPath, show } from '../../git/names.ts';
import type { RefUpdate } from '../../git/refs.ts';
import { readDependsOn } from '../footers.ts';
import { UnknownChange } from '../people.ts';
import { type ChangeName, parseChangeName } from './change-name.ts';
import { changeId, type Place, toChange } from './map.ts';
import { projectOf } from './numbers.ts';
import type { ChangeRecord, Entry } from './schema.ts';
import { findByChangeId, listStored, readStored, type Stored, writeAll } from './store.ts';

/** Where the host's repositories are, and how its changes are called. */
export interface HostSettings extends Place {
  /** Directory of the bare repositories. */
  readonly root: string;
  /** Whether a project is of this connection: several may share the directory. Absent: all are. */
  readonly owns?: (project: string) => boolean;
  /** Label of the votes that approve, where it is another than the usual one. */
  readonly approve?: string | undefined;
}

/** How often a change is read again because somebody else wrote it first. */
const patience = 50;

/** Finds changes by any of their names. Several are found for a `Change-Id` that is on several branches. */
export async function find(settings: HostSettings, text: string): Promise<Stored[]> {
  const name = parseChangeName(text, settings.connection);
  if (name === null) return [];
  return name.kind === 'number' ? findNumber(settings, name) : findId(settings, name);
}

/** @throws UnknownChange when the name names no change, or several. */
export async function findOne(settings: HostSettings, name: string): Promise<Stored> {
  const [stored, ...more] = await find(settings, name);
  if (stored === undefined) throw new UnknownChange(`there is no change ${show(name)}`);
  if (more.length > 0) {
    const numbers = [stored, ...more].map(({ record }) => `${record.number} (${record.project} ${record.branch})`);
    throw new UnknownChange(
      `${show(name)} names several changes: ${numbers.join(', ')}; say which by its number`,
      true,
    );
  }
  return stored;
}

async function findNumber(
  settings: HostSettings,
  { number, project }: Extract<ChangeName, { kind: 'number' }>,
): Promise<Stored[]> {
  const owner = await projectOf(settings.root, number);
  if (owner === null || (project !== null && project !== owner) || !owns(settings, owner)) return [];
  const stored = await readStored(repositoryPath(settings.root, owner), number);
  return stored === null ? [] : [stored];
}

async function findId(
  settings: HostSettings,
  { changeId: id, project }: Extract<ChangeName, { kind: 'change-id' }>,
): Promise<Stored[]> {
  const all = await ownProjects(settings);
  const wanted = project === null ? all : all.filter((each) => each === project);
  const found = await Promise.all(wanted.map((each) => findByChangeId(repositoryPath(settings.root, each), id)));
  return found.flat();
}

/** Whether a project is of the connection. */
export function owns({ owns: rule }: HostSettings, project: string): boolean {
  return rule === undefined || rule(project);
}

async function ownProjects(settings: HostSettings): Promise<string[]> {
  return (await listProjects(settings.root)).filter((project) => owns(settings, project));
}

/** Projects that have a repository, in order of name, whichever connection has them. */
export async function listProjects(root: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(ignoreAbsent);
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isDirectory() && each.name !== 'numbers')) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (path.endsWith('.git')) found.push(path.slice(0, -'.git'.length));
    else found.push(...(await listProjects(root, path)));
  }
  return found.sort();
}

/** Every change, open or not, of all projects of the connection. */
export async function listAll(settings: HostSettings): Promise<Stored[]> {
  const projects = await ownProjects(settings);
  const stored = await Promise.all(projects.map((each) => listStored(repositoryPath(settings.root, each))));
  return stored.flat();
}

/** Names in `Depends-On:` become ids; one that is not known stays as it is written, so that nobody overlooks it. */
export async function resolveChange(settings: HostSettings, record: ChangeRecord): Promise<Change> {
  const ids: string[] = [];
  for (const name of readDependsOn(record.message)) {
    const found = await find(settings, name);
    const same = found.filter((each) => each.record.branch === record.branch);
    const chosen = same.length > 0 ? same : found;
    if (chosen.length === 0) ids.push(name);
    else ids.push(...chosen.map((each) => changeId(settings.connection, each.record.number)));
  }
  return toChange(record, settings, [...new Set(ids)]);
}

/** What to write: an entry with refs that move with it; null to leave the change alone. */
export type Decision = { readonly entry: Entry; readonly refs?: readonly RefUpdate[] } | null;

/**
 * Reads a change, decides, and writes; again from the start when somebody else wrote in the meantime.
 *
 * @throws whatever `decide` throws
 */
export async function modify(
  settings: HostSettings,
  stored: Stored,
  decide: (stored: Stored) => Decision | Promise<Decision>,
): Promise<Stored | null> {
  const { project, number } = stored.record;
  const repo = repositoryPath(settings.root, project);
  for (let attempt = 0; attempt < patience; attempt++) {
    const before = await readStored(repo, number);
    if (before === null) throw new Error(`change ${number} of ${project} is gone`);
    const decision = await decide(before);
    if (decision === null) return before;
    const { entry, refs = [] } = decision;
    if (await writeAll(repo, [{ entry, before }], refs)) return readStored(repo, number);
    await pause(attempt);
  }
  throw new Error(`change ${number} of ${project} is locked: see whether a file *.lock is left in ${repo}`);
}

/** A short wait, longer and more uneven with every attempt, so that two writers do not meet again. */
export async function pause(attempt: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * (attempt + 1), 100)));
}

function ignoreAbsent(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
