import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { vetoes } from '../../../pipelines/policy/veto.ts';
import { createLocalGit } from '../../git/local.ts';
import { type MergeMode, mergeOnto } from '../../git/merge.ts';
import { readMerged } from '../../git/merged.ts';
import { repositoryPath } from '../../git/names.ts';
import { type Commit, readCommits } from '../../git/objects.ts';
import { isAncestor, readBranch, readBranches, readTags } from '../../git/refs.ts';
import { openRemote } from '../../git/remote.ts';
import { noteTaken, tipUpdate } from '../../git/taken.ts';
import { goneFrom, lossOf, movedFrom } from '../exact.ts';
import type { ReviewHost, SubmitRequest, SubmitResult } from '../port.ts';
import {
  type Decision,
  find,
  findOne,
  type HostSettings,
  listAll,
  listProjects,
  modify,
  owns,
  resolveChange,
} from './client.ts';
import { toTriggerEvents } from './map.ts';
import { merge } from './record.ts';
import { report } from './report.ts';
import { readSettings } from './repository.ts';
import { type By, personOf } from './schema.ts';
import { readEvents, type Stored } from './store.ts';

/** The plain-Git host: bare repositories, changes as commits pushed to `refs/for/BRANCH`. */
export function createGitHost(settings: HostSettings): ReviewHost {
  return {
    connection: settings.connection,
    async readChange(name) {
      const [stored] = await find(settings, name);
      return stored === undefined ? null : resolveChange(settings, stored.record);
    },
    async listOpenChanges() {
      return Promise.all((await listOpen(settings)).map(({ record }) => resolveChange(settings, record)));
    },
    async changesDependingOn(change) {
      const open = await this.listOpenChanges();
      return open.filter(({ dependsOn, parents }) => dependsOn.includes(change) || parents.includes(change));
    },
    async readEvents(change, after) {
      const stored = await findOne(settings, change);
      const events = await readEvents(repositoryPath(settings.root, stored.record.project), stored, after);
      const triggers = events.flatMap((event) => toTriggerEvents(stored.record, event, settings));
      return { events: triggers, last: stored.record.events };
    },
    async canMerge(change) {
      const { record } = await findOne(settings, change);
      const { status, number, wip } = record;
      const missing = [
        ...(status === 'open' ? vetoesOf(settings, record) : [`change ${number} is ${status}`]),
        ...(wip ? [`change ${number} is work in progress`] : []),
      ];
      return missing.length === 0 ? { ok: true } : { ok: false, missing, ...(status === 'open' && { isOpen: true }) };
    },
    report: (actor, said) => report(settings, actor, said),
    submit: (actor, request) => submitChange(settings, actor, request),
    listProjects: () => listProjects(settings.root),
    async branches(project) {
      if (!owns(settings, project)) return [];
      const repo = repositoryPath(settings.root, project);
      const isProtected = !(await readSettings(repo)).directPush;
      return [...(await readBranches(repo))].map(([name, commit]) => ({ name, commit, protected: isProtected }));
    },
    async tags(project) {
      if (!owns(settings, project)) return [];
      return [...(await readTags(repositoryPath(settings.root, project)))].map(([name, commit]) => ({ name, commit }));
    },
    async readStanding({ project, branch }) {
      const isThere = (await this.branchTip(project, branch)) !== null;
      return isThere ? { project, kept: true } : null;
    },
    async branchTip(project, branch) {
      return owns(settings, project) ? readBranch(repositoryPath(settings.root, project), branch) : null;
    },
    async readMerged(of) {
      if (!owns(settings, of.project)) return null;
      const repo = repositoryPath(settings.root, of.project);
      return readMerged({ refs: repo, objects: repo }, of);
    },
    gitRemote: (project) => openRemote(repositoryPath(settings.root, project)),
  };
}

async function listOpen(settings: HostSettings): Promise<Stored[]> {
  return (await listAll(settings)).filter(({ record }) => record.status === 'open');
}

async function submitChange(settings: HostSettings, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const found = await findOne(settings, request.change);
  let obstacle: SubmitResult | null = null;
  let first = false;
  const stored = await modify(settings, found, async (now): Promise<Decision> => {
    obstacle = hindrance(settings, now, request);
    first = obstacle === null && now.record.status === 'open';
    if (!first) return null;
    const decided = await decideMerge(settings, now, { ...request, by: personOf(actor) });
    if ('kind' in decided) obstacle = decided;
    return 'kind' in decided ? null : decided;
  });
  if (obstacle !== null) return obstacle;
  const { project, branch, merged } = (stored ?? found).record;
  if (merged === null) throw new Error(`change ${request.change} was merged, and its record does not say so`);
  return {
    kind: first ? 'merged' : 'already-merged',
    state: { project, branch, commit: merged.commit, tree: merged.tree },
  };
}

function hindrance(settings: HostSettings, { record }: Stored, request: SubmitRequest): SubmitResult | null {
  if (record.status === 'merged') return null;
  if (record.status === 'abandoned') return { kind: 'refused', reason: `change ${record.number} is abandoned` };
  const current = record.patchsets.length;
  if (current !== request.patchset) {
    return { kind: 'refused', reason: `change ${record.number} is at patch set ${current}, not ${request.patchset}` };
  }
  const [veto] = vetoesOf(settings, record);
  return veto === undefined ? null : { kind: 'refused', reason: veto };
}

function vetoesOf({ approve }: HostSettings, { votes }: Stored['record']): readonly string[] {
  const cast = votes.map(({ label, value, by }) => ({ label, value, by: by.name }));
  return vetoes(cast, approve);
}

async function decideMerge(
  { root }: HostSettings,
  { record }: Stored,
  { tested, step = tested, base, mode, by }: SubmitRequest & { readonly by: By },
): Promise<Exclude<Decision, null> | SubmitResult> {
  const repo = repositoryPath(root, record.project);
  const old = await readBranch(repo, record.branch);
  if (old === null && base != null) return goneFrom(record);
  const commit = record.patchsets.at(-1)?.commit ?? '';
  const git = createLocalGit(root);
  // Nothing is fetched here that would notice it.
  await noteTaken(repo);
  const loss =
    old === null ? null : await lossOf(git, { ...record, tip: old }, { base, mode: mode ?? 'rebase', head: commit });
  if (loss !== null) return loss;
  const result = await mergeTested(repo, old, { commit, mode, tested, step });
  if (result === null) return movedFrom(record);
  const ref = `refs/heads/${record.branch}`;
  const moves = [{ ref, from: old, to: result.commit }, await tipUpdate(repo, record.branch, result.commit)];
  return { entry: merge(record, { old, ...result }, by, Date.now()), refs: old === result.commit ? [] : moves };
}

interface TestedProposal {
  readonly commit: string;
  readonly mode: MergeMode | undefined;
  readonly tested: SourceState;
  /** What comes of this change alone. */
  readonly step: SourceState;
}

/** Ways that lead to different commits; a project's configuration chose one of them for what was tested. */
const ways: readonly MergeMode[] = ['rebase', 'merge', 'squash-merge'];

/**
 * Merges a change the way it was merged for the test. Merging is repeatable, so the very commit that was tested comes
 * out again, or one below it, unless the branch has moved: then the answer is null.
 */
async function mergeTested(
  repo: string,
  onto: string | null,
  { commit, mode, tested, step }: TestedProposal,
): Promise<Pick<SourceState, 'commit' | 'tree'> | null> {
  const made = await readTested(repo, onto, { commit, tested });
  if (made !== null) return { commit: made.id, tree: made.tree };
  for (const way of mode === undefined ? ways : [mode]) {
    const result = await mergeOnto(repo, onto, { commit, mode: way });
    if (result.kind !== 'merged' || result.tree !== step.tree) continue;
    if (await isPartOf(repo, result.commit, tested.commit)) return { commit: result.commit, tree: result.tree };
  }
  return null;
}

/** The tested commit, when it shows itself to be this change on the branch's tip: no merging is needed then. */
async function readTested(
  repo: string,
  onto: string | null,
  { commit, tested }: { readonly commit: string; readonly tested: SourceState },
): Promise<Commit | null> {
  const [change, made] = await readCommits(repo, [commit, tested.commit]);
  if (change === undefined || made === undefined || onto === null || made.parents[0] !== onto) return null;
  return made.author === change.author && made.message === change.message ? made : null;
}

async function isPartOf(repo: string, commit: string, tested: string): Promise<boolean> {
  return commit === tested || isAncestor(repo, commit, tested);
}
