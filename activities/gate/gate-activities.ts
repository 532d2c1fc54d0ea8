import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import type { BlobRef, SourceState } from '../../pipelines/model/artifact.ts';
import { changeIdOf } from '../../pipelines/model/change.ts';
import type { LineComment } from '../../pipelines/model/line-comment.ts';
import type { ConnectionRule } from '../../pipelines/model/pipeline.ts';
import { commentsOn } from '../../pipelines/report/findings.ts';
import type { StoredGraph, SubmitInput, Submitted, TellAction, TellInput, Told } from '../../workflows/contract.ts';
import { failureOf, isAway, reasonOf } from '../outcome.ts';
import type { BlobStore } from '../ports.ts';
import { UnknownChange } from '../review/people.ts';
import type { ReviewHost, SubmitRequest } from '../review/port.ts';

export interface GateDeps {
  /** The review system of a connection; undefined for a connection that nobody serves. */
  readonly host: (connection: string) => ReviewHost | undefined;
  readonly blobs: Pick<BlobStore, 'put' | 'read'>;
  /** What the builds of an item's change have found in files. */
  readonly comments: (of: Findings) => Promise<readonly LineComment[]>;
  /** Hands on what has happened to a change since anyone looked. */
  readonly look: (connection: string, change: string) => Promise<void>;
  /** Takes a change out of other pipelines, or tells them of it. */
  readonly pass: (action: Exclude<TellAction, { kind: 'report' }>) => Promise<void>;
}

/** A change's part in a build set. */
export interface Findings {
  readonly pipeline: string;
  readonly buildSet: string;
  readonly change: string;
  readonly patchset: number;
}

export function createGateActivities(deps: GateDeps) {
  return {
    /**
     * Merges in order, and stops at the first change that is not merged. What follows from the merge of a whole item is
     * found when it is told: the next merge of the queue need not wait for that.
     */
    submit: (input: SubmitInput): Promise<Submitted> => submit(deps, input),

    /** As many of the first items as their host can merge at once; else the first one. */
    async submitTogether({ merges }: { readonly merges: readonly SubmitInput[] }): Promise<readonly Submitted[]> {
      const count = await landTogether(deps, merges);
      if (count > 0) return merges.slice(0, count).map(({ changes }) => ({ merged: changes.map(({ key }) => key) }));
      return Promise.all(merges.slice(0, 1).map((first) => submit(deps, first)));
    },

    /** Says and does in order; what is about a change waits for what is before it about the same one. */
    async tell(input: TellInput): Promise<readonly Told[]> {
      const told: Told[] = [];
      const held = new Set<string>();
      for (const action of input.actions) {
        const about = action.kind === 'report' ? action.changes : [action.change];
        if (about.some((change) => held.has(change))) continue;
        if (action.kind === 'report' && action.action === 'success') await lookAt(deps, action.rules, action.changes);
        const failed = await failureOf(action.key, () => say(deps, input, action));
        told.push(failed ?? { key: action.key });
        if (failed) for (const change of about) held.add(change);
      }
      return told;
    },

    keepState: (state: unknown): Promise<BlobRef> => deps.blobs.put(JSON.stringify(state)),
    loadState: (ref: BlobRef): Promise<unknown> => recall(deps, ref),
  };
}

export type GateActivities = ReturnType<typeof createGateActivities>;

async function submit(deps: GateDeps, input: SubmitInput): Promise<Submitted> {
  const merged: string[] = [];
  const { graph } = input;
  if (!graph) return { merged, refused: 'no state of it was tested' };
  for (const change of input.changes) {
    const answer = await orFault(async () => {
      const tested = await recall<StoredGraph>(deps, graph);
      return merge(deps, { change, tested, input });
    });
    // What went wrong may have done so after the merge: only the host can tell.
    const found = answer !== undefined && 'broken' in answer ? await isMerged(deps, change) : false;
    if (answer !== undefined && !found) {
      await lookAt(deps, input.rules, merged);
      return { merged, ...answer, ...(found === undefined ? { unknown: [change.key] } : {}) };
    }
    merged.push(change.key);
  }
  return { merged };
}

/**
 * Merges the first items at once, where they are of one branch and have one change each. What goes wrong is found when
 * the first is merged by itself: that asks the host what is merged already.
 *
 * @returns how many are merged
 */
async function landTogether(deps: GateDeps, merges: readonly SubmitInput[]): Promise<number> {
  const found: Landing[] = [];
  for (const input of merges) {
    const { changes, graph } = input;
    const [change, ...others] = changes;
    if (change === undefined || others.length > 0 || graph === null) break;
    const tested = await recall<StoredGraph>(deps, graph).catch(() => undefined);
    const landing = tested && landingOf(deps, { change, tested, input });
    if (!landing || 'refused' in landing || landing.host.submitTogether === undefined) break;
    if (!isOneBranch(found[0] ?? landing, landing)) break;
    found.push(landing);
  }
  const [first, ...more] = found;
  if (first?.host.submitTogether === undefined || more.length === 0) return 0;
  const requests = found.map(({ request }) => request);
  return first.host.submitTogether(gateActor, requests).catch(() => 0);
}

function isOneBranch(one: Landing, other: Landing): boolean {
  const [a, b] = [one.request.tested, other.request.tested];
  return one.host === other.host && a.project === b.project && a.branch === b.branch;
}

async function recall<T>(deps: GateDeps, ref: BlobRef): Promise<T> {
  return JSON.parse((await deps.blobs.read(ref.digest)).toString('utf8'));
}

async function say(deps: GateDeps, input: TellInput, action: TellAction): Promise<void> {
  if (action.kind !== 'report') await deps.pass(action);
  else await report(deps, action, keyOf(input, action.key));
}

async function orFault<T>(work: () => Promise<T>): Promise<T | Pick<Submitted, 'away' | 'broken'>> {
  try {
    return await work();
  } catch (error) {
    return isAway(error) ? { away: reasonOf(error) } : { broken: reasonOf(error) };
  }
}

interface Merge {
  readonly change: ChangeFacts;
  readonly tested: StoredGraph;
  readonly input: SubmitInput;
}

/** What a host is asked to merge. */
interface Landing {
  readonly host: ReviewHost;
  readonly request: SubmitRequest & { readonly tested: SourceState };
}

function landingOf(deps: GateDeps, { change, tested, input }: Merge): Landing | Required<Pick<Submitted, 'refused'>> {
  const { id, project, branch, patchset, connection } = change;
  const { rules, pipeline } = input;
  const rule = rules.find((one) => one.connection === connection && merges(one));
  if (rule === undefined) {
    return { refused: `the pipeline's success reporters do not submit changes of ${connection}` };
  }
  const host = deps.host(connection);
  if (!host) return { refused: `nothing serves the connection ${connection}` };
  const state = tested.sources.find((one) => one.project === project && one.branch === branch);
  const isTested = tested.changes.some((one) => one.id === id && one.patchset === patchset);
  if (!state || !isTested) return { refused: `what was tested is not patch set ${patchset} of ${id}` };
  return { host, request: { change: id, patchset, tested: state, verdict: rule.body, pipeline, ...reportOf(input) } };
}

/** The report of the success, by the key that it will have. */
function reportOf({ report: said, pipeline }: SubmitInput): Pick<SubmitRequest, 'report'> {
  if (!said) return {};
  const { life, key, action, message } = said;
  return { report: { key: keyOf({ life, pipeline }, key), message, about: { pipeline, action } } };
}

function keyOf({ life, pipeline }: Pick<TellInput, 'life' | 'pipeline'>, action: string): string {
  return [life, pipeline, action].join('/');
}

/** @returns why the change was not merged; undefined when it is */
async function merge(deps: GateDeps, wanted: Merge): Promise<Pick<Submitted, 'refused' | 'moved'> | undefined> {
  const landing = landingOf(deps, wanted);
  if ('refused' in landing) return landing;
  const answer = await landing.host.submit(gateActor, landing.request);
  if (!('reason' in answer)) return undefined;
  return answer.kind === 'moved' ? { moved: answer.reason } : { refused: answer.reason };
}

/** Whether the host has the patch set as merged; undefined where it does not say. */
async function isMerged({ host }: GateDeps, { connection, id, patchset }: ChangeFacts): Promise<boolean | undefined> {
  try {
    const found = await host(connection)?.readChange(id);
    return found?.status === 'merged' && found.patchset === patchset;
  } catch {
    return undefined;
  }
}

/** Looks at what was merged; the merge is done: what cannot be looked at now, the periodic sync finds. */
async function lookAt(deps: GateDeps, rules: readonly ConnectionRule[], keys: readonly string[]): Promise<void> {
  for (const change of keys.map(changeIdOf)) {
    const rule = rules.find((one) => merges(one) && change.startsWith(`${one.connection}:`));
    if (rule !== undefined) await deps.look(rule.connection, change).catch(() => undefined);
  }
}

/** Gerrit submits, others merge. */
function merges({ body }: ConnectionRule): boolean {
  return body.submit === true || body.merge === true;
}

async function report(deps: GateDeps, action: TellAction & { kind: 'report' }, key: string): Promise<void> {
  for (const patchsetKey of action.changes) {
    const change = changeIdOf(patchsetKey);
    const patchset = Number(patchsetKey.slice(change.length + 1));
    for (const { connection, body } of action.rules) {
      const host = deps.host(connection);
      if (!host || !Number.isInteger(patchset)) continue;
      const about = { pipeline: action.pipeline, action: action.action };
      const comments = await commentsFor(deps, action, { host, change, patchset });
      const said = { key, change, patchset, message: action.message, about, body };
      await unlessUnknown(host.report(gateActor, comments.length === 0 ? said : { ...said, comments }));
    }
  }
}

/** Branches and tags are no changes, and what is gone hears nothing. */
async function unlessUnknown(report: Promise<void>): Promise<void> {
  try {
    await report;
  } catch (error) {
    if (!(error instanceof UnknownChange)) throw error;
  }
}

/** What the item's jobs found in the files of a change, once the item has come to its end. */
async function commentsFor(
  deps: GateDeps,
  { pipeline, buildSet, result }: TellAction & { kind: 'report' },
  { host, change, patchset }: { readonly host: ReviewHost; readonly change: string; readonly patchset: number },
): Promise<readonly LineComment[]> {
  if (buildSet === null || result === null) return [];
  const comments = await deps.comments({ pipeline, buildSet, change, patchset });
  if (comments.length === 0) return [];
  const found = await host.readChange(change);
  return found?.patchset === patchset ? commentsOn(found.files ?? [], comments) : [];
}
