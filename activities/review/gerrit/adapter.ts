import type { Peek } from '../../git/remote.ts';
import { byName } from '../by-name.ts';
import type { Connection, ConnectionContext } from '../connection.ts';
import type { HttpPatience } from '../http.ts';
import type { Branch, Happened, ReviewHost, Tag } from '../port.ts';
import type { GerritSettings } from '../settings.ts';
import { judging } from './agree.ts';
import { checkGerrit } from './check.ts';
import { createClient, userOf } from './client.ts';
import { toEvents } from './events.ts';
import { complete, findOpen, type Gerrit, landedOf, needInfo, readChange, usual } from './lookup.ts';
import { believe, emptyMemory, remember } from './memory.ts';
import { openGerritRemote } from './remote.ts';
import { report, withdrawGiven } from './report.ts';
import { isSafeProject } from './safe.ts';
import { branchesSchema, branchSchema, type GerritTag, projectsSchema, tagsSchema } from './schema.ts';
import { createStream, type StreamTimes } from './stream.ts';
import { canMerge, judge, submit } from './submit.ts';
import { submitTogether } from './submit-together.ts';

type GerritContext = Omit<ConnectionContext, 'settings'> & {
  readonly settings: GerritSettings;
  /** Milliseconds; the tests' are shorter. */
  readonly times?: StreamTimes;
  readonly patience?: HttpPatience;
};

/** A Gerrit: REST for changes, votes and merges, SSH for events and Git. */
export function openGerrit(context: GerritContext): Connection {
  const { name, settings, owns, git, page } = context;
  const client = createClient(context);
  const gerrit = {
    connection: name,
    url: settings.url,
    own: userOf(settings),
    client,
    git,
    owns,
    memory: emptyMemory(),
    page,
  };
  const host = createHost(gerrit, settings);
  const check = () => checkGerrit(gerrit, settings, host.listProjects);
  return { host, people: null, webhook: null, stream: createStream(gerrit, settings, context.times), check };
}

/** All that a look at a change asks, in one answer: Gerrit takes a request's time for each, however little it is asked. */
const whole = [...new Set([...usual, ...judging, 'ALL_REVISIONS', 'MESSAGES'])];

function createHost(gerrit: Gerrit, settings: GerritSettings): ReviewHost {
  const { git } = gerrit;
  const below = (project: string) => `/projects/${encodeURIComponent(project)}`;
  const listProjects = () => readProjects(gerrit);
  const branchTip = async (project: string, branch: string) => {
    if (!isSafeProject(project, branch)) return null;
    const found = await gerrit.client.read(`${below(project)}/branches/${encodeURIComponent(branch)}`);
    return found === null ? null : branchSchema.parse(found).revision;
  };
  const openPeek = (project: string): Peek => ({ isFixed: isPatchset, tip: (branch) => branchTip(project, branch) });
  const ours = async () => (await believe(gerrit, ['projects'], listProjects)).filter(gerrit.owns);
  return {
    connection: gerrit.connection,
    readChange: (change) => readChange(gerrit, change),
    listOpenChanges: async () => findOpen(gerrit, await ours()),
    async changesDependingOn(change) {
      const info = await needInfo(gerrit, change, ['ALL_REVISIONS']);
      const near = await findOpen(gerrit, [info.project], ` branch:"${info.branch}"`);
      const named = await findOpen(gerrit, await ours(), ` (message:"${info._number}" OR message:"${info.change_id}")`);
      const all = new Map([...near, ...named].map((each) => [each.id, each]));
      const id = `${gerrit.connection}:${info._number}`;
      return [...all.values()].filter(({ parents, dependsOn }) => parents.includes(id) || dependsOn.includes(id));
    },
    readEvents: (change, after) => readEvents(gerrit, change, after),
    canMerge: (change, own) => canMerge(gerrit, change, own),
    report: (actor, said) => report(gerrit, actor, said),
    submit: (actor, request) => submit(gerrit, actor, request),
    submitTogether: (actor, requests) => submitTogether(gerrit, actor, requests),
    withdraw: (actor, withdrawal) => withdrawGiven(gerrit, actor, withdrawal),
    listProjects,
    async branches(project) {
      const found = branchesSchema.parse((await gerrit.client.read(`${below(project)}/branches/`)) ?? []);
      return found.flatMap(({ ref, revision }) => toBranch(project, { ref, revision })).toSorted(byName);
    },
    async tags(project) {
      const found = tagsSchema.parse((await gerrit.client.read(`${below(project)}/tags/`)) ?? []);
      return found.flatMap(toTag).toSorted(byName);
    },
    // Who may push past a review is for the project's rights to say.
    readStanding: async ({ project, branch }) => (isSafeProject(project, branch) ? { project, kept: true } : null),
    branchTip,
    readMerged: async (of) => (gerrit.owns(of.project) ? git.readMerged(of) : null),
    gitRemote: (project) => ({ ...openGerritRemote(settings, project), peek: openPeek(project) }),
  };
}

/** Another patch set is another ref. */
function isPatchset(ref: string): boolean {
  return /^refs\/changes\/\d\d\/\d+\/\d+$/.test(ref);
}

async function readEvents(gerrit: Gerrit, name: string, after: number): Promise<Happened> {
  const info = await needInfo(gerrit, name, whole);
  remember(gerrit.memory.looked, info._number, info);
  const happened = toEvents(info, gerrit, { landed: await landedOf(gerrit, info), after });
  const readSeen = async () => (await complete(gerrit, [info]))[0] ?? null;
  return { ...happened, seen: { readChange: readSeen, canMerge: (own) => judge(gerrit, info, own) } };
}

async function readProjects({ client }: Gerrit): Promise<readonly string[]> {
  const found = projectsSchema.parse((await client.read('/projects/?type=CODE')) ?? {});
  return Object.keys(found)
    .filter((name) => isSafeProject(name, 'x'))
    .sort();
}

/** Who may push past a review is for the project's rights to say: as for Zuul, all branches count as protected. */
function toBranch(project: string, { ref, revision }: { readonly ref: string; readonly revision: string }): Branch[] {
  const name = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  return name === undefined || !isSafeProject(project, name) ? [] : [{ name, commit: revision, protected: true }];
}

function toTag({ ref, revision, object }: GerritTag): Tag[] {
  const name = /^refs\/tags\/(.+)$/.exec(ref)?.[1];
  return name === undefined || !isSafeProject('x', name) ? [] : [{ name, commit: object ?? revision }];
}
