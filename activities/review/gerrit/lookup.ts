import type { Change } from '../../../pipelines/model/change.ts';
import type { Git } from '../../git/port.ts';
import { readDependsOn } from '../footers.ts';
import { UnknownChange } from '../people.ts';
import { type ChangeName, isOf, parseChangeName } from './change-name.ts';
import type { GerritClient } from './client.ts';
import type { Reader } from './events.ts';
import { type Around, changeId, currentOf, messageOf, toChange } from './map.ts';
import { believe, type Memory, remember } from './memory.ts';
import { isSafeProject } from './safe.ts';
import { branchSchema, changeSchema, changesSchema, commitSchema, type GerritChange, serverSchema } from './schema.ts';

/** A Gerrit that is spoken to. */
export interface Gerrit extends Reader {
  readonly client: GerritClient;
  readonly git: Git;
  /** Whether a project is of this connection. */
  readonly owns: (project: string) => boolean;
  readonly memory: Memory;
  /** Address of Sluice's pages; empty where it has none. */
  readonly page: string;
}

/** What is asked of each change. */
export const usual = ['CURRENT_REVISION', 'CURRENT_COMMIT', 'CURRENT_FILES', 'DETAILED_LABELS', 'DETAILED_ACCOUNTS'];

/** Changes of one answer: Gerrit gives no more than its own limit, and says that there are more. */
const page = 250;
/** Names in one query. */
const lot = 20;

/** Reads a change by any of its names, with what `options` ask of Gerrit; null where there is none of ours. */
async function readInfo(gerrit: Gerrit, name: string, options: readonly string[] = usual) {
  const parsed = parseChangeName(name, gerrit);
  if (parsed === null) return null;
  const found =
    parsed.kind === 'number' ? await byNumber(gerrit, parsed, options) : await byId(gerrit, parsed, options);
  const ours = found.filter((info) => isOurs(gerrit, info) && isOf(parsed, info.project));
  const open = ours.filter(({ status }) => status === 'NEW');
  // A Change-Id may be on several branches: then only the one that can still be merged is meant.
  const [one, ...more] = open.length > 0 ? open : ours;
  return one === undefined || more.length > 0 ? null : one;
}

/** @throws UnknownChange */
export async function needInfo(gerrit: Gerrit, name: string, options: readonly string[]): Promise<GerritChange> {
  const info = await readInfo(gerrit, name, options);
  if (info === null) throw new UnknownChange(`there is no change ${JSON.stringify(name.slice(0, 80))}`);
  return info;
}

export async function readChange(gerrit: Gerrit, name: string): Promise<Change | null> {
  const info = await readInfo(gerrit, name);
  return info === null ? null : ((await complete(gerrit, [info]))[0] ?? null);
}

/** The open changes of the projects, or those among them that a query of Gerrit's own language finds. */
export async function findOpen(gerrit: Gerrit, projects: readonly string[], query = ''): Promise<readonly Change[]> {
  const infos: GerritChange[] = [];
  for (let at = 0; at < projects.length; at += lot) {
    const named = projects.slice(at, at + lot).map((project) => `project:"${project}"`);
    infos.push(...(await findInfos(gerrit, `status:open (${named.join(' OR ')})${query}`)));
  }
  const ours = infos.filter((info) => isOurs(gerrit, info));
  return (await complete(gerrit, ours)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** What a query finds, with all that is usually asked: for what has not changed since it was read Gerrit is spared that. */
async function findInfos(gerrit: Gerrit, query: string): Promise<GerritChange[]> {
  const { changes } = gerrit.memory;
  const found = await search(gerrit, query, []);
  const isKnown = ({ _number: number, meta_rev_id: meta }: GerritChange) =>
    meta !== undefined && changes.get(number)?.meta_rev_id === meta;
  const infos = new Map(found.filter(isKnown).map(({ _number }) => [_number, changes.get(_number)]));
  const unknown = found.filter((info) => !isKnown(info));
  for (let at = 0; at < unknown.length; at += lot) {
    const names = unknown.slice(at, at + lot).map(({ _number }) => `change:${_number}`);
    for (const info of await search(gerrit, `status:open (${names.join(' OR ')})`, usual)) {
      infos.set(info._number, info);
      remember(changes, info._number, info);
    }
  }
  return found.flatMap(({ _number }) => infos.get(_number) ?? []);
}

/** All that a query finds. */
export async function search(
  gerrit: Pick<Gerrit, 'client'>,
  query: string,
  options: readonly string[],
): Promise<GerritChange[]> {
  const found: GerritChange[] = [];
  for (;;) {
    const wanted = options.map((each) => `&o=${each}`).join('');
    const path = `/changes/?q=${encodeURIComponent(query)}&n=${page}&S=${found.length}${wanted}`;
    const part = changesSchema.parse((await gerrit.client.read(path)) ?? []);
    found.push(...part);
    if (!part.at(-1)?._more_changes) return found;
  }
}

function isOurs({ owns }: Gerrit, { project, branch }: GerritChange): boolean {
  return isSafeProject(project, branch) && owns(project);
}

/** With its project a change is found without Gerrit's index: one that was killed has lost the last minutes of that. */
async function byNumber(gerrit: Gerrit, { number }: { readonly number: number }, options: readonly string[]) {
  const { client, memory } = gerrit;
  const wanted = options.map((each) => `o=${each}`).join('&');
  const project = memory.projects.get(number);
  const name = project === undefined ? undefined : `${encodeURIComponent(project)}~${number}`;
  const known = name === undefined ? null : await client.read(`/changes/${name}?${wanted}`);
  // A project may have got another name.
  const value = known ?? (await client.read(`/changes/${number}?${wanted}`));
  if (value === null) return [];
  const info = changeSchema.parse(value);
  remember(memory.projects, number, info.project);
  return [info];
}

function byId(
  gerrit: Gerrit,
  { changeId: id }: Extract<ChangeName, { kind: 'change-id' }>,
  options: readonly string[],
) {
  return search(gerrit, `change:${id}`, options);
}

/** The changes of what Gerrit has said, with what they stand on; those whose names are not safe are left out. */
export async function complete(gerrit: Gerrit, infos: readonly GerritChange[]): Promise<Change[]> {
  const standing = await numbersOf(gerrit, infos.flatMap(parentCommits));
  const changes: Change[] = [];
  for (const info of infos) {
    const parents = parentCommits(info).flatMap((commit) => standing.get(commit) ?? []);
    const around = {
      parents: [...new Set(parents)].map((number) => changeId(gerrit.connection, number)),
      dependsOn: await dependenciesOf(gerrit, info),
      landed: await landedOf(gerrit, info),
    };
    const change = toChange(info, gerrit, around);
    if (change !== null) changes.push(change);
  }
  return changes;
}

function parentCommits(info: GerritChange): string[] {
  return info.status === 'MERGED' ? [] : (currentOf(info)?.commit?.parents ?? []).map(({ commit }) => commit);
}

/** The unmerged changes that commits are patch sets of, by commit. */
async function numbersOf(gerrit: Gerrit, commits: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
  const { memory } = gerrit;
  const found = new Map<string, number | null>();
  const asked = [...new Set(commits)].filter((commit) => !memory.commits.has(commit));
  for (let at = 0; at < asked.length; at += lot) {
    const part = asked.slice(at, at + lot);
    const query = part.map((commit) => `commit:${commit}`).join(' OR ');
    const infos = await search(gerrit, query, ['ALL_REVISIONS']);
    for (const commit of part) {
      const owner = infos.find(({ revisions = {} }) => Object.hasOwn(revisions, commit));
      const open = owner !== undefined && owner.status !== 'MERGED';
      found.set(commit, open ? owner._number : null);
      // What is on a branch, or merged, stays so.
      if (!open) remember(memory.commits, commit, null);
    }
  }
  return new Map(commits.map((commit) => [commit, memory.commits.get(commit) ?? found.get(commit) ?? null]));
}

/** Names in `Depends-On:` become ids; what is no name of a change here stays as written, so that nobody overlooks it. */
async function dependenciesOf(gerrit: Gerrit, info: GerritChange): Promise<readonly string[]> {
  const revision = currentOf(info);
  const ids: string[] = [];
  for (const written of revision === undefined ? [] : readDependsOn(messageOf(revision))) {
    const name = parseChangeName(written, gerrit);
    if (name?.kind === 'number') ids.push(changeId(gerrit.connection, name.number));
    else if (name === null) ids.push(written);
    else ids.push(...(await idsOf(gerrit, name, { written, branch: info.branch })));
  }
  return [...new Set([...ids, ...(await togetherWith(gerrit, info))])];
}

/** Where Gerrit merges a topic as a whole, its changes need each other. */
async function togetherWith(gerrit: Gerrit, info: GerritChange): Promise<readonly string[]> {
  if (!info.topic || info.topic.includes('"') || info.status !== 'NEW') return [];
  if (!(await mergesTopics(gerrit))) return [];
  const all = await search(gerrit, `status:open topic:"${info.topic}"`, []);
  const others = all.filter(({ _number, topic }) => _number !== info._number && topic === info.topic);
  return others.map(({ _number }) => changeId(gerrit.connection, _number));
}

function mergesTopics(gerrit: Gerrit): Promise<boolean> {
  return believe(gerrit, ['settings'], async () => {
    const { change } = serverSchema.parse((await gerrit.client.read('/config/server/info')) ?? {});
    return change?.submit_whole_topic ?? false;
  });
}

/** What a change stands on that is no longer what it was: each a sentence without its end. */
export async function outdatedParents(gerrit: Gerrit, info: GerritChange): Promise<string[]> {
  const commits = parentCommits(info).filter((commit) => !gerrit.memory.commits.has(commit));
  if (commits.length === 0) return [];
  const query = commits.map((commit) => `commit:${commit}`).join(' OR ');
  const owners = await search(gerrit, query, ['ALL_REVISIONS']);
  return owners.flatMap(({ status, _number, current_revision: current, revisions = {} }) => {
    const old = commits.find((commit) => commit !== current && Object.hasOwn(revisions, commit));
    if (status !== 'NEW' || old === undefined) return [];
    return [`change ${info._number} stands on an older patch set of change ${_number}: rebase it`];
  });
}

async function idsOf(
  gerrit: Gerrit,
  name: Extract<ChangeName, { kind: 'change-id' }>,
  { written, branch }: { readonly written: string; readonly branch: string },
): Promise<readonly string[]> {
  const all = (await search(gerrit, `change:${name.changeId}`, [])).filter((info) => isOf(name, info.project));
  const same = all.filter((info) => info.branch === branch);
  const chosen = same.length > 0 ? same : all;
  return chosen.length === 0 ? [written] : chosen.map(({ _number }) => changeId(gerrit.connection, _number));
}

/** Merges of others that may have come after a change until it is not looked for any more. */
const deep = 100;

/** Where a merged change has brought its branch: to its own commit, or to one that merges it. Null where it is not seen. */
export async function landedOf(gerrit: Gerrit, info: GerritChange): Promise<Around['landed']> {
  const { _number: number, project, branch, status, current_revision: own } = info;
  if (status !== 'MERGED' || own === undefined || !isSafeProject(project, branch)) return null;
  await gerrit.memory.landing.get(number);
  const known = gerrit.memory.landed.get(number);
  if (known !== undefined) return known;
  const below = `/projects/${encodeURIComponent(project)}`;
  const head = await gerrit.client.read(`${below}/branches/${encodeURIComponent(branch)}`);
  let at = head === null ? undefined : branchSchema.parse(head).revision;
  for (let steps = 0; at !== undefined && steps < deep; steps += 1) {
    const read = await gerrit.client.read(`${below}/commits/${at}`);
    if (read === null) return null;
    const { parents } = commitSchema.parse(read);
    const [first, ...merged] = parents.map(({ commit }) => commit);
    if (at === own || merged.includes(own)) {
      const landed = { oldrev: first ?? '0'.repeat(at.length), newrev: at };
      remember(gerrit.memory.landed, number, landed);
      return landed;
    }
    at = first;
  }
  return null;
}
