import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { HostAway } from '../../outcome.ts';
import { lossOf, movedFrom } from '../exact.ts';
import { OtherStateLanded } from '../other-state.ts';
import type { Mergeability, SubmitRequest, SubmitResult } from '../port.ts';
import { agree, judging, mayBeGiven, pledge, takeBack, unreadyFor } from './agree.ts';
import { parseChangeName } from './change-name.ts';
import { pushLandings } from './landing.ts';
import { type Gerrit, landedOf, needInfo, outdatedParents } from './lookup.ts';
import { believe } from './memory.ts';
import { withdraw } from './report.ts';
import { obstaclesOf } from './requirements.ts';
import { accessSchema, branchSchema, type GerritChange, mergeableSchema, projectStateSchema } from './schema.ts';

/** Whether Gerrit would merge a change, were it not for votes of ours. @throws UnknownChange */
export async function canMerge(gerrit: Gerrit, change: string, own: readonly string[]): Promise<Mergeability> {
  return judge(gerrit, await needInfo(gerrit, change, judging), own);
}

/** The same of what Gerrit has said of the change. */
export async function judge(gerrit: Gerrit, info: GerritChange, own: readonly string[]): Promise<Mergeability> {
  const missing = obstaclesOf(info, own);
  // No requirement says so, and nothing is to run in vain.
  if (info.status === 'NEW' && (await isReadOnly(gerrit, info.project))) {
    missing.push(`the project ${info.project} is read-only at Gerrit`);
  }
  if (missing.length === 0) missing.push(...(await outdatedParents(gerrit, info)));
  if (missing.length === 0 && (await mayPush(gerrit, info)) === false && (await conflicts(gerrit, info))) {
    missing.push(`Gerrit cannot merge change ${info._number} onto ${info.branch}: rebase it`);
  }
  if (missing.length === 0) return { ok: true };
  return { ok: false, missing, ...(info.status === 'NEW' ? { isOpen: true } : {}) };
}

/**
 * Merges a change: where our account may push, the very commit that was tested is pushed, and Gerrit marks as merged
 * what it brings; Gerrit asks no requirement of a push, so we do. Else Gerrit merges in its own way, and the result is
 * compared with what was tested.
 *
 * @throws Denied, UnknownChange; an error that says so when something else than the tested state has landed
 */
export async function submit(gerrit: Gerrit, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const { given, refused: reason } = await pledge(gerrit, request.rest ?? []);
  if (reason !== undefined) return { kind: 'refused', reason };
  const result = await submitAgreed(gerrit, request);
  if ('reason' in result) await takeBack(gerrit, given, result.reason);
  return result;
}

/** One whose votes with it, in its item, are given. */
async function submitAgreed(gerrit: Gerrit, request: SubmitRequest): Promise<SubmitResult> {
  const seen = seenReady(gerrit, request);
  const result = seen === undefined ? null : await mergeSeen(gerrit, seen, request);
  return result ?? mergeAsked(gerrit, request);
}

/** After a question to Gerrit about the change. */
async function mergeAsked(gerrit: Gerrit, request: SubmitRequest): Promise<SubmitResult> {
  const info = await needInfo(gerrit, request.change, judging);
  if (info.status === 'MERGED') return { kind: 'already-merged', state: await landedState(gerrit, info) };
  const missing = unreadyFor(info, request);
  if (missing.length > 0) return { kind: 'refused', reason: missing.join('; ') };
  // Whatever else is required is there: now our own votes count.
  if (obstaclesOf(info, []).length > 0) return mergeWith(gerrit, info, request);
  return mayBeGiven(gerrit, info) ? mergeOrWithdraw(gerrit, info, request) : merge(gerrit, info, request);
}

/**
 * A change as it was looked at last, where nothing but our votes was missing: whether that is still so is in Gerrit's
 * answer to them, which spares a question.
 */
export function seenReady(gerrit: Gerrit, request: SubmitRequest): GerritChange | undefined {
  const name = parseChangeName(request.change, gerrit);
  const seen = name?.kind === 'number' ? gerrit.memory.looked.get(name.number) : undefined;
  if (seen === undefined || unreadyFor(seen, request).length > 0) return undefined;
  return obstaclesOf(seen, []).length > 0 ? seen : undefined;
}

/** @returns null where the change is no longer as it was seen: then it is to be asked for */
async function mergeSeen(gerrit: Gerrit, seen: GerritChange, request: SubmitRequest): Promise<SubmitResult | null> {
  const { now, missing, isGiven } = await agree(gerrit, seen, request);
  if (missing.length === 0) return mergeOrWithdraw(gerrit, now, request);
  if (isGiven && now.status === 'NEW') await withdraw(gerrit, now, { request, reason: missing.join('; ') });
  return null;
}

/** Gives our votes, merges, and takes the votes back when nothing was merged. */
async function mergeWith(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<SubmitResult> {
  const { now, missing } = await agree(gerrit, info, request);
  if (missing.length === 0) return mergeOrWithdraw(gerrit, now, request);
  const reason = missing.join('; ');
  await withdraw(gerrit, info, { request, reason });
  return { kind: 'refused', reason };
}

async function mergeOrWithdraw(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<SubmitResult> {
  const result = await merge(gerrit, info, request);
  if (result.kind === 'moved' || result.kind === 'refused')
    await withdraw(gerrit, info, { request, reason: result.reason });
  return result;
}

function merge(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<SubmitResult> {
  const { tested } = request;
  if (tested.project !== info.project || tested.branch !== info.branch) {
    return Promise.resolve({ kind: 'refused', reason: `what was tested is ${tested.branch} of ${tested.project}` });
  }
  return mergeTested(gerrit, info, request);
}

async function mergeTested(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<SubmitResult> {
  const { tested } = request;
  const { project, branch } = tested;
  const right = await mayPush(gerrit, info);
  // What we know may be old: a push is compared with what is there, Gerrit's own merge is not.
  const known = right === false ? null : await gerrit.git.branchTip(project, branch);
  const first = known === null ? undefined : await mergeOnto(gerrit, info, { request, tip: known, right });
  if (first !== undefined && first.kind !== 'moved') return first;
  const tip = await tipOf(gerrit, tested);
  if (tip === null) return { kind: 'refused', reason: `${project} has no branch ${branch}` };
  const result = first !== undefined && tip === known ? first : await mergeOnto(gerrit, info, { request, tip, right });
  return (result.kind === 'moved' ? await lossAt(gerrit, info, { request, tip }) : null) ?? result;
}

/** Why what was tested does not stand on a branch as it is. */
function lossAt(
  { git }: Gerrit,
  info: GerritChange,
  { request, tip }: Pick<Onto, 'request' | 'tip'>,
): Promise<SubmitResult | null> {
  const head = info.current_revision ?? request.tested.commit;
  return lossOf(git, { project: info.project, branch: info.branch, tip }, { ...request, head });
}

interface Onto {
  readonly request: SubmitRequest;
  /** What the branch is at. */
  readonly tip: string;
  /** Whether we may push; null where we may not ask: trying shows it. */
  readonly right: boolean | null;
}

async function mergeOnto(gerrit: Gerrit, info: GerritChange, { request, tip, right }: Onto): Promise<SubmitResult> {
  const { tested } = request;
  const { project, commit } = tested;
  const { git } = gerrit;
  const moved = movedFrom(tested);
  const isOnto = tip === request.onto;
  if (!isOnto && (tip === commit || !(await git.isAncestor(project, tip, commit)))) return moved;
  if ((await lossAt(gerrit, info, { request, tip })) !== null) return moved;
  if (isOnto) return mergeThere(gerrit, info, request);
  if (right !== false) {
    const pushed = await pushLandings(gerrit, [{ info, onto: tip, tested }]);
    if (pushed.kind === 'moved') return moved;
    if (pushed.kind === 'pushed') {
      await untilTold(gerrit, info);
      return { kind: 'merged', state: tested };
    }
    if (!isRight(pushed.reason)) return { kind: 'refused', reason: `Gerrit refuses the push: ${pushed.reason}` };
  }
  return mergeThere(gerrit, info, request);
}

/** What the branch is at, with its commit here: fetched only when it is another one than we know. */
async function tipOf({ client, git }: Gerrit, { project, branch }: SourceState): Promise<string | null> {
  const path = `/projects/${encodeURIComponent(project)}/branches/${encodeURIComponent(branch)}`;
  const found = await client.read(path);
  if (found === null) return null;
  const { revision } = branchSchema.parse(found);
  if (revision !== (await git.branchTip(project, branch))) await git.ensure(project, []);
  return revision;
}

/** Words of Gerrit about a right that is missing: then its own merge may still be allowed. */
function isRight(reason: string): boolean {
  return /not permitted|prohibited|you need/i.test(reason);
}

/** Gerrit's own merge. */
async function mergeThere(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<SubmitResult> {
  const { tested, step } = request;
  const revision = info.current_revision ?? '';
  const path = `/changes/${nameInPath(info)}/revisions/${revision}/submit`;
  const answer = await gerrit.client.call('POST', path, {});
  if (!answer.ok) return refusal(gerrit, info, answer);
  const state = await landedState(gerrit, await untilMerged(gerrit, info));
  if (![tested.tree, step?.tree].includes(state.tree) && !(await isPart(gerrit, state, tested))) {
    throw new OtherStateLanded(
      `Gerrit has merged change ${info._number} to another state than was tested: ${state.commit} has the tree ` +
        `${state.tree}, and ${(step ?? tested).tree} was tested. Let Sluice's account push to refs/heads/*: it then lands what it tested`,
    );
  }
  return { kind: 'merged', state };
}

/** A state of several changes has landed in part. */
function isPart({ git }: Gerrit, state: SourceState, tested: SourceState): Promise<boolean> {
  return git.isAncestor(state.project, state.commit, tested.commit);
}

async function refusal(
  gerrit: Gerrit,
  info: GerritChange,
  { status, text }: { readonly status: number; readonly text: string },
): Promise<SubmitResult> {
  if (![403, 404, 409, 412].includes(status)) throw new Error(`Gerrit answers ${status} to a submit: ${text}`);
  // Somebody else may have merged it just now.
  const now = await needInfo(gerrit, String(info._number), judging);
  if (now.status === 'MERGED') return { kind: 'already-merged', state: await landedState(gerrit, now) };
  return { kind: 'refused', reason: `Gerrit does not merge change ${info._number}: ${text}` };
}

/** Milliseconds for which Gerrit's own word of a merge is waited for before it is asked. */
const patience = 500;

/** Waits until Gerrit says of a change, which a push of ours has brought to its branch, that it is merged. */
export async function untilTold(gerrit: Gerrit, info: GerritChange): Promise<void> {
  if (!(await gerrit.memory.merges.wait(info._number, patience))) await untilMerged(gerrit, info);
}

/** A change once Gerrit says that it is merged: after a push it finds out by itself. */
async function untilMerged(gerrit: Gerrit, { _number: number }: GerritChange): Promise<GerritChange> {
  for (let pause = 50; ; pause *= 2) {
    const info = await needInfo(gerrit, String(number), ['CURRENT_REVISION']);
    if (info.status === 'MERGED') return info;
    if (pause > 5_000) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`change ${number} was brought to its branch, and Gerrit does not say that it is merged`);
}

async function landedState(gerrit: Gerrit, info: GerritChange): Promise<SourceState> {
  const { project, branch } = info;
  const landed = await landedOf(gerrit, info);
  await gerrit.git.ensure(project, []);
  const { commit, tree } = await gerrit.git.resolve(project, landed?.newrev ?? info.current_revision ?? '');
  return { project, branch, commit, tree };
}

/** Whether nothing can be merged into a project, whatever anybody's rights are. */
export async function isReadOnly(gerrit: Gerrit, project: string): Promise<boolean> {
  const { state } = await believe(gerrit, ['projects', project], async () =>
    projectStateSchema.parse((await gerrit.client.read(`/projects/${encodeURIComponent(project)}`)) ?? {}),
  );
  return state !== undefined && state !== 'ACTIVE';
}

type Place = Pick<GerritChange, 'project' | 'branch'>;

/** Whether our account may push to a branch; null where it may not ask. */
export function mayPush(gerrit: Gerrit, place: Place): Promise<boolean | null> {
  return isAllowed(gerrit, place, 'push');
}

/** Whether our account may have Gerrit merge; null where it may not ask. */
export function maySubmit(gerrit: Gerrit, place: Place): Promise<boolean | null> {
  return isAllowed(gerrit, place, 'submit');
}

/** Whether what our account pushes may be of another committer: what was tested is; null where it may not ask. */
export function mayForge(gerrit: Gerrit, place: Place): Promise<boolean | null> {
  return isAllowed(gerrit, place, 'forgeCommitter');
}

function isAllowed(gerrit: Gerrit, { project, branch }: Place, right: string): Promise<boolean | null> {
  return believe(gerrit, ['rights', project, branch, right], async () => {
    const about = new URLSearchParams({ account: gerrit.own, ref: `refs/heads/${branch}`, perm: right });
    const path = `/projects/${encodeURIComponent(project)}/check.access?${about}`;
    const answer = await gerrit.client.call('GET', path);
    return answer.ok ? accessSchema.parse(answer.value).status === 200 : null;
  });
}

/** Whether Gerrit's own merge finds a conflict. What stands on an open change is merged after it, onto something else. */
async function conflicts({ client }: Gerrit, info: GerritChange): Promise<boolean> {
  const value = await client
    .read(`/changes/${nameInPath(info)}/revisions/current/mergeable`)
    .catch((error: unknown) => {
      if (error instanceof HostAway) throw error;
      // It answers 409 for what is closed: the requirements have said so.
      return null;
    });
  const parsed = mergeableSchema.safeParse(value);
  return parsed.success && !parsed.data.mergeable;
}

function nameInPath({ project, _number: number }: GerritChange): string {
  return `${encodeURIComponent(project)}~${number}`;
}
