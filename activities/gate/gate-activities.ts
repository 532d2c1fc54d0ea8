import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import type { BlobRef, SourceState } from '../../pipelines/model/artifact.ts';
import type { ConnectionRule } from '../../pipelines/model/pipeline.ts';
import type { StoredGraph, SubmitInput, TellAction, TellInput } from '../../workflows/contract.ts';
import type { BlobStore } from '../ports.ts';
import type { ReviewHost } from '../review/port.ts';

export interface GateDeps {
  /** The review system of a connection; undefined for a connection that nobody serves. */
  readonly host: (connection: string) => ReviewHost | undefined;
  readonly blobs: Pick<BlobStore, 'put' | 'read'>;
  /** Hands on what has happened to a change since anyone looked. */
  readonly look: (connection: string, change: string) => Promise<void>;
  /** Takes a change out of other pipelines, or tells them of it. */
  readonly pass: (action: Exclude<TellAction, { kind: 'report' }>) => Promise<void>;
}

interface Submitted {
  /** Keys of the patch sets that are merged. */
  readonly merged: readonly string[];
  readonly refused?: string;
}

export function createGateActivities(deps: GateDeps) {
  return {
    async submit(input: SubmitInput): Promise<Submitted> {
      const tested = input.graph ? (await recall<StoredGraph>(deps, input.graph)).sources : [];
      const merged: string[] = [];
      for (const change of input.changes) {
        const refused = await merge(deps, { change, tested, rules: input.rules });
        if (refused !== undefined) return { merged, refused };
        merged.push(change.key);
        await deps.look(change.connection, change.id);
      }
      return { merged };
    },

    async tell(input: TellInput): Promise<void> {
      for (const action of input.actions) {
        if (action.kind !== 'report') await deps.pass(action);
        else await report(deps, action, [input.life, input.pipeline, action.key].join('/'));
      }
    },

    keepState: (state: unknown): Promise<BlobRef> => deps.blobs.put(JSON.stringify(state)),
    loadState: (ref: BlobRef): Promise<unknown> => recall(deps, ref),
  };
}

export type GateActivities = ReturnType<typeof createGateActivities>;

async function recall<T>(deps: GateDeps, ref: BlobRef): Promise<T> {
  return JSON.parse((await deps.blobs.read(ref.digest)).toString('utf8'));
}

interface Merge {
  readonly change: ChangeFacts;
  readonly tested: readonly SourceState[];
  readonly rules: readonly ConnectionRule[];
}

/** @returns why the change was not merged; undefined when it is */
async function merge(deps: GateDeps, { change, tested, rules }: Merge): Promise<string | undefined> {
  const { id, project, branch, patchset, connection } = change;
  if (!rules.some((rule) => rule.connection === connection && rule.body.submit === true)) {
    return `the pipeline's success reporters do not submit changes of ${connection}`;
  }
  const host = deps.host(connection);
  if (!host) return `nothing serves the connection ${connection}`;
  const state = tested.find((one) => one.project === project && one.branch === branch) ?? null;
  const answer = await host.submit({ change: id, patchset, tested: state });
  return 'reason' in answer ? answer.reason : undefined;
}

async function report(deps: GateDeps, action: TellAction & { kind: 'report' }, key: string): Promise<void> {
  for (const patchsetKey of action.changes) {
    const comma = patchsetKey.lastIndexOf(',');
    const change = patchsetKey.slice(0, comma);
    const patchset = Number(patchsetKey.slice(comma + 1));
    for (const { connection, body } of action.rules) {
      const host = deps.host(connection);
      if (!host || !Number.isInteger(patchset) || !(await host.readChange(change))) continue;
      await host.report({ key, change, patchset, message: action.message, body });
    }
  }
}
