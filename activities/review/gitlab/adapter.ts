import { dirname, join } from 'node:path';
import type { MergeMode } from '../../git/merge.ts';
import { isSafeBranch } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import { byName } from '../by-name.ts';
import { findByNumber } from '../by-number.ts';
import type { Connection, ConnectionContext } from '../connection.ts';
import type { HttpPatience } from '../http.ts';
import { openJournal } from '../journal.ts';
import type { BranchName, ReviewHost } from '../port.ts';
import type { ForgeSettings } from '../settings.ts';
import { openTokenRemote } from '../token-remote.ts';
import { checkConnection } from './check.ts';
import { openClient } from './client.ts';
import { readHistory } from './history.ts';
import { createWebhook } from './ingest.ts';
import { toChange } from './map.ts';
import { holdsHeads, modeObstacle, submit, withdraw } from './merge.ts';
import { changeId, isProject, projectPath, requestPath } from './names.ts';
import {
  type Desk,
  demandFacts,
  nameNow,
  openLister,
  readFacts,
  readLabelEvents,
  readNotes,
  readProjects,
} from './read.ts';
import { report } from './report.ts';
import { mayPush, misfitOf, obstacles, readStatuses, readTarget, whenLookedAt } from './requirements.ts';
import {
  branchesSchema,
  branchSchema,
  type HostBranch,
  projectSchema,
  stateEventsSchema,
  tagsSchema,
  userSchema,
} from './schema.ts';

export interface GitlabContext extends ConnectionContext {
  readonly settings: ForgeSettings;
  /** How long the host is asked again. Default: as all hosts are. */
  readonly patience?: HttpPatience;
  /** Milliseconds that are waited for what the host does by and by. Default: 30 s. */
  readonly delay?: number;
}

/** Opens a connection to a GitLab. */
export function openGitlab(context: GitlabContext): Connection {
  const { name: connection, settings, readSecret } = context;
  const desk = openDesk(context);
  const { url, token, webhookSecret, approve } = settings;
  // Any name goes with a token there.
  const site = { url, user: 'oauth2', token: () => readSecret(token) };
  const remote = (project: string) => openTokenRemote(site, project);
  return {
    host: createHost(desk, remote),
    people: null,
    webhook: createWebhook({ connection, secret: webhookSecret, readSecret }),
    stream: null,
    check: () => checkConnection({ desk, remote, webhookSecret, readSecret, approve }),
  };
}

function openDesk(context: GitlabContext): Desk {
  const { name: connection, settings, readSecret, page, owns, git, repositories, patience, delay } = context;
  const { url, token } = settings;
  const client = openClient({ connection, url, token, readSecret, patience });
  let self: Promise<string> | undefined;
  return {
    site: { connection, url },
    page,
    client,
    git,
    journal: openJournal(join(dirname(repositories), 'review', connection)),
    owns: (project) => isProject(project) && owns(project),
    self() {
      self ??= client.get('/user', userSchema).then(({ username }) => username);
      self.catch(() => {
        self = undefined;
      });
      return self;
    },
    patience: delay ?? 30_000,
  };
}

function createHost(desk: Desk, remote: (project: string) => GitRemote): ReviewHost {
  const { site, client, owns } = desk;
  const listOpenChanges = openLister(desk);
  return {
    connection: site.connection,
    async readChange(name) {
      const numbered = await findByNumber(name, { connection: site.connection, listOpenChanges });
      if (numbered !== undefined) return numbered;
      const facts = await readFacts(desk, name);
      return facts === null ? null : toChange(site, facts);
    },
    listOpenChanges,
    async changesDependingOn(change) {
      return (await listOpenChanges()).filter(({ dependsOn }) => dependsOn.includes(change));
    },
    async readEvents(change, after) {
      const events = await readEvents(desk, change);
      return { events: events.slice(after), last: events.length };
    },
    canMerge: (change, own, mode) => canMerge(desk, change, { own, mode }),
    report: (actor, said) => report(desk, actor, said),
    submit: (actor, request) => submit(desk, actor, request),
    withdraw: (actor, withdrawal) => withdraw(desk, actor, withdrawal),
    async listProjects() {
      const found = await readProjects(desk);
      return found
        .map(({ path_with_namespace: name }) => name)
        .filter(isProject)
        .sort();
    },
    async branches(project) {
      if (!owns(project)) return [];
      const all = await client.list(`${projectPath(project)}/repository/branches`, { schema: branchesSchema });
      return all
        .flatMap(({ name, commit, protected: isProtected }) =>
          commit && isSafeBranch(name) ? [{ name, commit: commit.id, protected: isProtected }] : [],
        )
        .sort(byName);
    },
    async tags(project) {
      if (!owns(project)) return [];
      const all = await client.list(`${projectPath(project)}/repository/tags`, { schema: tagsSchema });
      return all
        .flatMap(({ name, commit }) => (commit && isSafeBranch(name) ? [{ name, commit: commit.id }] : []))
        .sort(byName);
    },
    async readStanding(of) {
      const found = await readBranch(desk, of);
      const known = found === null ? null : await client.find(projectPath(of.project), projectSchema);
      if (found === null || known === null) return null;
      return { project: known.path_with_namespace, kept: found.protected || known.default_branch === of.branch };
    },
    branchTip: async (project, branch) => (await readBranch(desk, { project, branch }))?.commit?.id ?? null,
    async readMerged(of) {
      return owns(of.project) ? desk.git.readMerged(of) : null;
    },
    nameNow: (project) => nameNow(desk, project),
    gitRemote: remote,
  };
}

async function readBranch({ client, owns }: Desk, { project, branch }: BranchName): Promise<HostBranch | null> {
  if (!owns(project) || !isSafeBranch(branch)) return null;
  return client.find(`${projectPath(project)}/repository/branches/${encodeURIComponent(branch)}`, branchSchema);
}

async function readEvents(desk: Desk, change: string) {
  const facts = await demandFacts(desk, change);
  const path = requestPath(facts.name);
  const [self, statuses, notes, labels, states] = await Promise.all([
    desk.self(),
    facts.request.head_pipeline ? readStatuses(desk, facts) : [],
    readNotes(desk, facts.name),
    readLabelEvents(desk, facts.name),
    desk.client.list(`${path}/resource_state_events`, { schema: stateEventsSchema }),
  ]);
  return readHistory(desk.journal, { site: desk.site, facts, self }, { notes, labels, states, statuses });
}

/** Milliseconds: who looks at many changes does not wait long for the host's look at one. */
const longestLook = 5_000;

interface Wish {
  readonly own: readonly string[];
  readonly mode: MergeMode | undefined;
}

async function canMerge(desk: Desk, change: string, { own, mode }: Wish) {
  const facts = await demandFacts(desk, change);
  const target = await readTarget(desk, facts);
  const asked = { target, own: (name: string) => own.includes(name) };
  const until = Date.now() + Math.min(longestLook, desk.patience);
  const now = (await whenLookedAt(desk, facts, { until, pipeline: false })) ?? facts.request;
  const missing = await obstacles(desk, { ...asked, facts: { ...facts, request: now } });
  if (missing.length > 0) return { ok: false, missing } as const;
  const exact = mayPush(target);
  const obstacle = exact && holdsHeads(mode) ? undefined : modeObstacle(target.project, mode);
  if (obstacle !== undefined) return { ok: false, missing: [obstacle] } as const;
  // Where Sluice pushes what it has merged itself, its own merge is what counts.
  const misfit = exact ? null : misfitOf(now);
  if (misfit === null) return { ok: true } as const;
  const id = changeId(desk.site.connection, facts.name);
  return { ok: false, missing: [`${misfit} of ${id} with ${now.target_branch}`] } as const;
}
