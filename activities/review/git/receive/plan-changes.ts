import { bounded } from '../../../../pipelines/model/words.ts';
import { changedFiles } from '../../../git/tree.ts';
import { readDependsOn, subjectOf } from '../../footers.ts';
import { Refused } from '../../people.ts';
import { find } from '../client.ts';
import { changeUrl } from '../map.ts';
import { addPatchset, create, type Upload } from '../record.ts';
import { patchsetRef } from '../refs.ts';
import { personOf } from '../schema.ts';
import { findByChangeId, type Stored, type Write } from '../store.ts';
import { type Advice, identify, type PushedCommit, pushedCommits, title } from './commits.ts';
import { type Command, knownCommits, type Plan, type PushContext } from './context.ts';
import { parseTarget, type Target } from './target.ts';

/** Paths that a change keeps; more are kept by Git alone. */
const mostFiles = 5_000;
const longSubject = 100;

/**
 * Plans a push to `refs/for/BRANCH`: each new commit is a patch set of the change that its `Change-Id` names.
 *
 * @throws Refused with the fix.
 */
export async function planChanges(context: PushContext, command: Command, advice: string): Promise<Plan> {
  const target = parseTarget(command.ref, context.options);
  const head = context.heads.get(target.branch);
  if (head === undefined) throw new Refused(noBranch(target.branch, [...context.heads.keys()]));
  const commits = await pushedCommits(context.repo, command.new, { branch: target.branch, head });
  const wanted: Advice = { remote: advice, branch: target.branch };
  const pushed = identify(commits, wanted);
  const known = knownCommits(context.changes);
  const numbers = new Map([...known].map(([commit, { number }]) => [commit, number]));
  const steps: Step[] = [];
  for (const each of pushed) {
    const step = await planCommit(context, { target, pushed: each, numbers });
    if (step === null) continue;
    numbers.set(each.commit.id, step.write.entry.change.number);
    steps.push(step);
  }
  if (!steps.some(({ news }) => news)) {
    throw new Refused(`no new changes: ${title(commits.at(-1) as (typeof commits)[number])} is known already`);
  }
  return toPlan(context, steps);
}

interface Step {
  readonly write: Write;
  /** False for a commit that says just what its last patch set said. */
  readonly news: boolean;
  readonly old: string | null;
}

interface CommitPlan {
  readonly target: Target;
  readonly pushed: PushedCommit;
  /** Change numbers by commit, those of this push included. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Null for a commit that is pushed once more, below or beside others. */
async function planCommit(context: PushContext, plan: CommitPlan): Promise<Step | null> {
  const { commit, changeId } = plan.pushed;
  const { branch } = plan.target;
  const same = await findByChangeId(context.repo, changeId);
  const before = same.find(({ record }) => record.branch === branch) ?? null;
  if (before?.record.patchsets.some((patchset) => patchset.commit === commit.id)) return null;
  if (before !== null) checkOpen(before);
  const upload = await describe(context, plan);
  if (before !== null) {
    const entry = addPatchset(before.record, upload, context.time);
    return {
      write: { entry, before },
      news: differs(before, plan),
      old: before.record.patchsets.at(-1)?.commit ?? null,
    };
  }
  const number = await context.number(changeId, branch);
  const entry = create({ number, project: context.project, branch, changeId }, upload, context.time);
  return { write: { entry, before: null }, news: true, old: null };
}

function checkOpen({ record }: Stored): void {
  const { number, status } = record;
  if (status === 'abandoned')
    throw new Refused(`change ${number} is abandoned: sluice restore ${number}, then push again`);
  if (status === 'merged') {
    throw new Refused(
      `change ${number} is merged: remove the Change-Id line with git commit --amend to make a new change`,
    );
  }
}

function differs({ record }: Stored, { pushed, numbers }: CommitPlan): boolean {
  const last = record.patchsets.at(-1);
  const parents = parentNumbers(pushed, numbers);
  if (last === undefined || record.message !== pushed.commit.message) return true;
  if (last.tree !== pushed.commit.tree || last.base !== (pushed.commit.parents[0] ?? null)) return true;
  return parents.join() !== last.parents.join();
}

async function describe(context: PushContext, { target, pushed, numbers }: CommitPlan): Promise<Upload> {
  const { commit } = pushed;
  const files = await changedFiles(context.repo, commit.parents[0] ?? null, commit.id);
  return {
    commit: commit.id,
    tree: commit.tree,
    base: commit.parents[0] ?? null,
    parents: parentNumbers(pushed, numbers),
    message: commit.message,
    files: files.length > mostFiles ? null : files,
    by: personOf(context.pusher),
    topic: target.topic,
    wip: target.wip,
  };
}

function parentNumbers({ commit }: PushedCommit, numbers: ReadonlyMap<string, number>): number[] {
  return commit.parents.flatMap((parent) => numbers.get(parent) ?? []);
}

async function toPlan(context: PushContext, steps: readonly Step[]): Promise<Plan> {
  const messages: string[] = [];
  for (const step of steps) messages.push(...(await describeStep(context, step)));
  const changes = steps.map(({ write }) => write.entry.change);
  return {
    writes: steps.map(({ write }) => write),
    refs: [],
    made: steps.map(({ old, write: { entry } }) => ({
      ref: patchsetRef(entry.change.number, entry.change.patchsets.length),
      old,
      commit: entry.change.patchsets.at(-1)?.commit ?? '',
    })),
    numbers: changes.map(({ number }) => number),
    messages,
  };
}

async function describeStep({ settings }: PushContext, { write }: Step): Promise<string[]> {
  const { change } = write.entry;
  const subject = subjectOf(change.message).replace(/\p{Cc}/gu, '');
  const count = change.patchsets.length;
  const lines = [`Change ${change.number}, patch set ${count}${count === 1 ? ' (new)' : ''}: ${bounded(subject)}`];
  if (settings.page !== '') lines.push(`  ${changeUrl(settings, change.number)}`);
  if (subject.length > longSubject) lines.push(`  warning: the subject is longer than ${longSubject} characters`);
  for (const name of readDependsOn(change.message)) {
    const found = await find(settings, name);
    if (found.length === 0)
      lines.push(`  warning: depends on ${name}, which is not known: it waits until that is pushed`);
  }
  return lines;
}

function noBranch(branch: string, branches: readonly string[]): string {
  const some = branches.slice(0, 5).join(', ');
  return `there is no branch ${branch}${some === '' ? ': the repository is empty' : `; there are: ${some}`}`;
}
