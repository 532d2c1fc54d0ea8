import { Context } from '@temporalio/activity';
import type { BlobStore } from '../ports.ts';
import type { MirrorRecord } from '../report/types.ts';
import { syncMirrors } from './sync.ts';
import type { MirrorSet } from './types.ts';

export interface MirrorActivityDeps {
  /** The set of a name as now configured; undefined when there is none any more. */
  readonly find: (set: string) => MirrorSet | undefined;
  /** Where the state of all sets is kept. */
  readonly state: string;
  readonly blobs: Pick<BlobStore, 'put' | 'url'>;
  readonly record: (record: MirrorRecord) => Promise<void>;
  readonly log: (line: string) => void;
}

/** Milliseconds between signs of life. */
const beat = 3_000;

/** What the `mirror` workflow asks: one transaction over a set, recorded, with the list of its packages kept. */
export function createMirrorActivities(deps: MirrorActivityDeps) {
  return {
    async syncMirrors(input: {
      readonly set: string;
      readonly release?: string;
    }): Promise<{ readonly outcome: string }> {
      const set = deps.find(input.set);
      if (!set) return { outcome: 'unchanged' };
      const { info, cancellationSignal: signal } = Context.current();
      const timer = setInterval(() => Context.current().heartbeat(), beat);
      const id = `${info.workflowExecution?.runId}-${info.activityId}`;
      const begun = { id, set: set.name, snapshot: null, result: null, startTime: Date.now(), endTime: null };
      try {
        await deps.record({ ...begun, outcome: 'running' });
        const result = await syncMirrors(set, { state: deps.state, now: Date.now, log: deps.log, signal });
        const { digest } = await deps.blobs.put(JSON.stringify(result.packages));
        const artifacts = [{ name: 'packages.json', url: deps.blobs.url(digest, 'packages.json') }];
        const { snapshot, outcome } = result;
        await deps.record({ ...begun, snapshot, outcome, result: { ...result, artifacts }, endTime: Date.now() });
        return { outcome };
      } finally {
        clearInterval(timer);
      }
    },
  };
}
