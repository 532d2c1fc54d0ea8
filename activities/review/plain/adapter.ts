import { dirname, join } from 'node:path';
import { isSafeProject, show } from '../../git/names.ts';
import { byName } from '../by-name.ts';
import type { Connection, ConnectionContext } from '../connection.ts';
import { openJournal } from '../journal.ts';
import { UnknownChange } from '../people.ts';
import type { ReviewHost, Tag } from '../port.ts';
import { checkConnection } from './check.ts';
import { NoProject, openClient } from './client.ts';
import { createWebhook } from './ingest.ts';
import { listRepositories } from './list.ts';
import { type Desk, lookAt, lookAtProject, openMemory, type Proposal } from './look.ts';
import { toChange } from './map.ts';
import { parseProposalName, proposalsPrefix } from './names.ts';
import { createPoller } from './poll.ts';
import { directoryOf, openPlainRemote, type UrlSettings } from './remote.ts';
import { report } from './report.ts';
import { obstacles, submit } from './submit.ts';

type PlainContext = ConnectionContext & { readonly settings: UrlSettings };

/** Milliseconds between two looks, where `poll` says nothing. */
const usualPoll = 60_000;

/** Whose notes are Sluice's. */
const self = 'sluice';

/** Opens a connection to a host of bare repositories that Sluice does not serve. */
export function openPlain(context: PlainContext): Connection {
  const { settings, readSecret, name, repositories } = context;
  const desk = openDesk(context);
  const poll = settings.poll ?? usualPoll;
  const directory = join(dirname(repositories), 'review', name, '@refs');
  const poller = createPoller({ desk, directory, poll });
  return {
    host: createHost(desk, context),
    people: null,
    webhook: createWebhook({ secret: settings.webhookSecret, readSecret, hint: poller.hint }),
    stream: poller,
    check: () => checkConnection({ desk, settings, readSecret, poll }),
  };
}

function openDesk({ name: connection, settings, readSecret, owns, git, repositories, projects }: PlainContext): Desk {
  const own = join(dirname(repositories), 'review', connection);
  const remote = (project: string) => openPlainRemote(settings, readSecret, project);
  const isOwn = (project: string) => isSafeProject(project) && owns(project);
  return {
    ...{ connection, self, git, owns: isOwn, approve: settings.approve?.label },
    client: openClient({ connection, directory: join(own, '@git'), remote }),
    journal: openJournal(own),
    projects: () => (projects?.() ?? []).filter(isOwn),
    found: openMemory(),
    fetched: new Map(),
  };
}

function createHost(desk: Desk, { settings, readSecret }: PlainContext): ReviewHost {
  const { connection, owns, git } = desk;
  const find = async (text: string): Promise<Proposal | null> => {
    const name = parseProposalName(text, connection);
    return name === null || !owns(name.project) ? null : lookAt(desk, name);
  };
  const demand = async (text: string): Promise<Proposal> => {
    const found = await find(text);
    if (found === null) throw new UnknownChange(`there is no change ${show(text)}`);
    return found;
  };
  const listOpenChanges = () => listOpen(desk);
  return {
    connection,
    async readChange(name) {
      const found = await find(name);
      return found === null ? null : toChange(desk, found);
    },
    listOpenChanges,
    async changesDependingOn(change) {
      const open = await listOpenChanges();
      return open.filter(({ dependsOn, parents }) => dependsOn.includes(change) || parents.includes(change));
    },
    async readEvents(change, after) {
      const events = (await demand(change)).noticed.map(({ event }) => event);
      return { events: events.slice(after), last: events.length };
    },
    async canMerge(change) {
      const missing = obstacles(desk, await demand(change));
      return missing.length === 0 ? { ok: true } : { ok: false, missing };
    },
    report: (actor, said) => report(desk, actor, said),
    submit: (actor, request) => submit(desk, actor, request),
    async listProjects() {
      const directory = directoryOf(settings.url);
      return directory === null ? desk.projects().toSorted() : listRepositories(directory);
    },
    async branches(project) {
      if (!owns(project)) return [];
      const refs = await desk.client.list(project).catch(orNone);
      return [...(refs?.branches ?? [])].map(([name, commit]) => ({ name, commit, protected: false })).sort(byName);
    },
    tags: async (project) => (owns(project) ? tagsOf(desk, project) : []),
    async readStanding({ project, branch }) {
      const refs = owns(project) ? await desk.client.list(project).catch(orNone) : null;
      return refs?.branches.has(branch) ? { project, kept: refs.head === branch } : null;
    },
    async branchTip(project, branch) {
      const refs = owns(project) ? await desk.client.list(project).catch(orNone) : null;
      return refs?.branches.get(branch) ?? null;
    },
    readMerged: async (of) => (owns(of.project) && !of.branch.startsWith(proposalsPrefix) ? git.readMerged(of) : null),
    gitRemote: (project) => openPlainRemote(settings, readSecret, project),
  };
}

/** A project that cannot be read keeps the others from nothing, unless none can. */
async function listOpen(desk: Desk) {
  const found = await Promise.allSettled(desk.projects().map((project) => listOpenOf(desk, project)));
  const [failed] = found.filter((one) => one.status === 'rejected');
  if (failed !== undefined && found.every((one) => one.status === 'rejected')) throw failed.reason;
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

async function listOpenOf(desk: Desk, project: string) {
  const refs = await lookAtProject(desk, project);
  const open = [];
  for (const topic of refs.proposals.keys()) {
    const found = await lookAt(desk, { project, topic }, refs);
    if (found?.state.status === 'open') open.push(await toChange(desk, found));
  }
  return open;
}

/** Tags of anything but commits are left out. */
async function tagsOf({ client, git }: Desk, project: string): Promise<readonly Tag[]> {
  const { tags } = (await client.list(project).catch(orNone)) ?? { tags: new Map<string, string>() };
  if (tags.size > 0) await git.ensure(project, []);
  const found = await Promise.all(
    [...tags].map(async ([name, commit]) =>
      git.readCommit(project, commit).then(
        () => [{ name, commit }],
        () => [],
      ),
    ),
  );
  return found.flat().sort(byName);
}

function orNone(error: unknown): null {
  if (error instanceof NoProject) return null;
  throw error;
}
