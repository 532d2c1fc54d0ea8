import { dirname, join } from 'node:path';
import type { MergeMode } from '../../git/merge.ts';
import { isSafeBranch } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import { byName } from '../by-name.ts';
import { findByNumber } from '../by-number.ts';
import type { Connection, ConnectionContext } from '../connection.ts';
import { openJournal } from '../journal.ts';
import type { BranchName, ReviewHost } from '../port.ts';
import type { ForgeSettings } from '../settings.ts';
import { openTokenRemote } from '../token-remote.ts';
import { checkConnection } from './check.ts';
import { openClient } from './client.ts';
import { readHistory } from './history.ts';
import { createWebhook } from './ingest.ts';
import { toChange } from './map.ts';
import { submit, withdraw } from './merge.ts';
import { changeId, isProject } from './names.ts';
import { type Desk, demandFacts, nameNow, openLister, readFacts, readReviews, readTimeline } from './read.ts';
import { report } from './report.ts';
import { mayPush, obstacles, pathOf, readStatuses, readTarget, untilFitting } from './requirements.ts';
import {
  branchesSchema,
  branchSchema,
  foundSchema,
  type HostBranch,
  repositorySchema,
  tagsSchema,
  userSchema,
} from './schema.ts';
import { styleObstacle } from './styles.ts';

/** Opens a connection to a Gitea or Forgejo. */
export function openGitea(context: ConnectionContext & { readonly settings: ForgeSettings }): Connection {
  const { name: connection, settings, readSecret } = context;
  const desk = openDesk(context);
  const { url, token, webhookSecret, approve } = settings;
  const site = { url, user: 'sluice', token: () => readSecret(token) };
  const remote = (project: string) => openTokenRemote(site, project);
  return {
    host: createHost(desk, remote),
    people: null,
    webhook: createWebhook({ connection, secret: webhookSecret, readSecret }),
    stream: null,
    check: () => checkConnection({ desk, remote, webhookSecret, readSecret, approve }),
  };
}

type GiteaContext = ConnectionContext & { readonly settings: ForgeSettings };

function openDesk({ name: connection, settings, readSecret, page, owns, git, repositories }: GiteaContext): Desk {
  const { url, token } = settings;
  const client = openClient({ connection, url, token, readSecret });
  let self: Promise<string> | undefined;
  return {
    site: { connection, url },
    page,
    client,
    git,
    journal: openJournal(join(dirname(repositories), 'review', connection)),
    owns: (project) => isProject(project) && owns(project),
    self() {
      self ??= client.get('/user', userSchema).then(({ login }) => login);
      self.catch(() => {
        self = undefined;
      });
      return self;
    },
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
      const found = await client.list('/repos/search', { schema: foundSchema.transform(({ data }) => data) });
      return found
        .map(({ full_name }) => full_name)
        .filter(isProject)
        .sort();
    },
    async branches(project) {
      if (!owns(project)) return [];
      const all = await client.list(`/repos/${project}/branches`, { schema: branchesSchema });
      return all
        .flatMap(({ name, commit, protected: isProtected }) =>
          commit && isSafeBranch(name) ? [{ name, commit: commit.id, protected: isProtected }] : [],
        )
        .sort(byName);
    },
    async tags(project) {
      if (!owns(project)) return [];
      const all = await client.list(`/repos/${project}/tags`, { schema: tagsSchema });
      return all
        .flatMap(({ name, commit }) => (commit && isSafeBranch(name) ? [{ name, commit: commit.sha }] : []))
        .sort(byName);
    },
    async readStanding(of) {
      const found = await readBranch(desk, of);
      const known = found === null ? null : await client.find(`/repos/${of.project}`, repositorySchema);
      if (found === null || known === null) return null;
      return { project: known.full_name, kept: found.protected || known.default_branch === of.branch };
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
  return client.find(`/repos/${project}/branches/${pathOf(branch)}`, branchSchema);
}

async function readEvents(desk: Desk, change: string) {
  const facts = await demandFacts(desk, change);
  const { name, pull, head } = facts;
  const [self, timeline, statuses] = await Promise.all([
    desk.self(),
    readTimeline(desk, name),
    readStatuses(desk, facts),
  ]);
  // After the timeline, which tells of reviews without their verdicts: else one that came in between has none for ever.
  const reviews = await readReviews(desk, name);
  return readHistory(desk.journal, { site: desk.site, name, pull, self, head }, { timeline, reviews, statuses });
}

/** Milliseconds: who looks at many changes does not wait long for the host's look at one. */
const patience = 5_000;

interface Wish {
  readonly own: readonly string[];
  readonly mode: MergeMode | undefined;
}

async function canMerge(desk: Desk, change: string, { own, mode }: Wish) {
  const facts = await demandFacts(desk, change);
  const target = await readTarget(desk, facts);
  const missing = await obstacles(desk, { facts, target, own: (context) => own.includes(context) });
  if (missing.length > 0) return { ok: false, missing } as const;
  // Where Sluice pushes what it has merged itself, its own merge is what counts.
  const exact = mayPush(target);
  const style = exact ? undefined : styleObstacle(target, facts.pull, mode);
  if (style !== undefined) return { ok: false, missing: [style] } as const;
  if (exact || (await untilFitting(desk, facts, patience))) return { ok: true } as const;
  const id = changeId(desk.site.connection, facts.name);
  return { ok: false, missing: [`the host finds a conflict of ${id} with ${facts.pull.base.ref}`] } as const;
}
