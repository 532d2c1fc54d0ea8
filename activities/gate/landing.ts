import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import type { BlobRef } from '../../pipelines/model/artifact.ts';
import type { ConnectionRule } from '../../pipelines/model/pipeline.ts';
import type { StoredGraph, SubmitInput, Submitted, TellInput } from '../../workflows/contract.ts';
import type { BlobStore } from '../ports.ts';
import type { ReviewHost, SubmitRequest } from '../review/port.ts';

/** What merging needs. */
export interface MergeDeps {
  /** The review system of a connection; undefined for a connection that nobody serves. */
  readonly host: (connection: string) => ReviewHost | undefined;
  readonly blobs: Pick<BlobStore, 'read'>;
  /** Labels, checks and statuses of a connection that Sluice gives itself: that these are missing keeps no change back. */
  readonly own: (connection: string) => Promise<readonly string[]>;
  /** Hands on what has happened to a change since anyone looked. */
  readonly look: (connection: string, change: string) => Promise<void>;
}

/** A change of an item that is to be merged. */
export interface Wanted {
  readonly change: ChangeFacts;
  readonly tested: StoredGraph;
  readonly input: SubmitInput;
}

/** What a host is asked to merge. */
export interface Landing {
  readonly host: ReviewHost;
  readonly request: SubmitRequest;
}

/** @returns why it is not merged: what was tested is not that change, or nobody merges it */
export function landingOf(
  deps: Pick<MergeDeps, 'host'>,
  wanted: Wanted,
): Landing | Required<Pick<Submitted, 'refused'>> {
  const landing = alone(deps, wanted);
  const { changes } = wanted.input;
  if ('refused' in landing || changes.length < 2) return landing;
  const after = changes.slice(changes.indexOf(wanted.change) + 1);
  const rest: SubmitRequest[] = [];
  for (const change of after) {
    const next = alone(deps, { ...wanted, change });
    if ('refused' in next) return next;
    if (next.host === landing.host) rest.push(next.request);
  }
  return { ...landing, request: { ...landing.request, rest } };
}

function alone(deps: Pick<MergeDeps, 'host'>, { change, tested, input }: Wanted): ReturnType<typeof landingOf> {
  const { id, project, branch, patchset, connection } = change;
  const { rules, pipeline } = input;
  const rule = rules.find((one) => one.connection === connection && mergesBy(one));
  if (rule === undefined) {
    return { refused: `the pipeline's success reporters do not submit changes of ${connection}` };
  }
  const host = deps.host(connection);
  if (!host) return { refused: `nothing serves the connection ${connection}` };
  const state = tested.sources.find((one) => one.project === project && one.branch === branch);
  const merged = tested.changes.find((one) => one.id === id && one.patchset === patchset);
  if (!state || !merged) return { refused: `what was tested is not patch set ${patchset} of ${id}` };
  const made = tested.steps?.find((one) => one.change === id);
  const step = made && { step: { project, branch, commit: made.commit, tree: made.tree }, base: made.onto };
  const mode = merged.mergeMode && { mode: merged.mergeMode };
  const said = { verdict: rule.body, pipeline, ...reportOf(input) };
  return { host, request: { change: id, patchset, tested: state, ...step, ...mode, ...said } };
}

/** The report of the success, by the key that it will have. */
function reportOf({ report: said, pipeline }: SubmitInput): Pick<SubmitRequest, 'report'> {
  if (!said) return {};
  const { life, key, action, message } = said;
  return { report: { key: keyOf({ life, pipeline }, key), message, about: { pipeline, action } } };
}

/** An action as the world knows it for ever. */
export function keyOf({ life, pipeline }: Pick<TellInput, 'life' | 'pipeline'>, action: string): string {
  return [life, pipeline, action].join('/');
}

/** Gerrit submits, others merge. */
export function mergesBy({ body }: ConnectionRule): boolean {
  return body.submit === true || body.merge === true;
}

/** What was stored as JSON. */
export async function recall<T>(blobs: Pick<BlobStore, 'read'>, ref: BlobRef): Promise<T> {
  return JSON.parse((await blobs.read(ref.digest)).toString('utf8'));
}
