import type { ExportedJob } from '../../pipelines/export/description.ts';
import { applyBuild, startBuildSet } from '../../pipelines/jobs/build-set.ts';
import { freely, type PendingBuild, pendingBuilds } from '../../pipelines/jobs/pending.ts';
import type { BuildOutcome, BuildSetState, Permissions } from '../../pipelines/jobs/state.ts';
import type { JobGraph, ProvidedArtifact } from '../../pipelines/model/job.ts';
import type { PausedStage } from '../../workflows/contract.ts';

/** What an attempt at a job has come to: it has ended, or pauses until those that depend on it have. */
export interface Attempted {
  readonly outcome: BuildOutcome;
  readonly paused?: PausedStage;
}

/** How attempts are made. */
export interface Attempts {
  /** How many at once. */
  readonly slots: number;
  /** @throws where nothing at all can be run */
  begin(build: PendingBuild, signal: AbortSignal): Promise<Attempted>;
  /** Ends one that was paused; `abandoned`: nobody wants it any more. */
  resume(build: PendingBuild, paused: PausedStage, abandoned: boolean): Promise<Attempted>;
}

interface Going {
  readonly build: PendingBuild;
  readonly stop: AbortController;
  readonly done: Promise<{ readonly key: string; readonly attempted: Attempted }>;
}

/**
 * Runs the jobs of an export by the rules of every build set.
 *
 * @param signal ends all of them
 */
export async function runJobs(
  { graph, jobs }: { readonly graph: JobGraph; readonly jobs: readonly ExportedJob[] },
  attempts: Attempts,
  signal: AbortSignal,
): Promise<BuildSetState> {
  const run = new Run(graph, { attempts, permissions: permissionsOf(jobs) });
  const stop = () => run.stop(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted && run.advance()) await run.next();
    return run.state;
  } finally {
    signal.removeEventListener('abort', stop);
    await run.end();
    signal.throwIfAborted();
  }
}

/** What each job was offered; what nobody began then nobody can say of. */
function permissionsOf(jobs: readonly ExportedJob[]): Permissions {
  const offered = jobs.map(({ key, offered: given }) => [key, (given ?? []) as readonly ProvidedArtifact[]] as const);
  return { ...freely, artifacts: Object.fromEntries(offered) };
}

class Run {
  state: BuildSetState;
  readonly #deps: { readonly attempts: Attempts; readonly permissions: Permissions };
  readonly #going = new Map<string, Going>();
  readonly #paused = new Map<string, { readonly build: PendingBuild; readonly stage: PausedStage }>();

  constructor(graph: JobGraph, deps: { readonly attempts: Attempts; readonly permissions: Permissions }) {
    this.state = startBuildSet(graph);
    this.#deps = deps;
  }

  /** Starts and stops what the state wants. @returns whether anything goes on */
  advance(): boolean {
    const { attempts, permissions } = this.#deps;
    const { wanted, resume, start } = pendingBuilds(this.state, permissions);
    for (const [key, { stop }] of this.#going) if (!wanted.includes(key)) stop.abort(new Error('cancelled'));
    for (const key of resume) {
      const held = this.#paused.get(key);
      this.#paused.delete(key);
      if (held) this.#start(held.build, () => attempts.resume(held.build, held.stage, false));
    }
    for (const build of start.slice(0, Math.max(0, attempts.slots - this.#going.size))) {
      this.state = applyBuild(this.state, { type: 'started', build: build.key, time: Date.now() });
      this.#start(build, (signal) => attempts.begin(build, signal));
    }
    return this.#going.size > 0;
  }

  /** Waits for the next that ends, or pauses. */
  async next(): Promise<void> {
    const { key, attempted } = await Promise.race([...this.#going.values()].map(({ done }) => done));
    const { build } = this.#going.get(key) as Going;
    this.#going.delete(key);
    const { outcome, paused: stage } = attempted;
    if (stage !== undefined) this.#paused.set(key, { build, stage });
    this.state = applyBuild(this.state, { type: stage === undefined ? 'ended' : 'paused', build: key, outcome });
  }

  stop(reason: unknown): void {
    for (const { stop } of this.#going.values()) stop.abort(reason);
  }

  /** Nothing is left behind, whatever came between. */
  async end(): Promise<void> {
    this.stop(new Error('cancelled'));
    await Promise.allSettled([...this.#going.values()].map(({ done }) => done));
    const left = [...this.#paused.values()];
    await Promise.allSettled(left.map(({ build, stage }) => this.#deps.attempts.resume(build, stage, true)));
  }

  #start(build: PendingBuild, work: (signal: AbortSignal) => Promise<Attempted>): void {
    const stop = new AbortController();
    const done = work(stop.signal).then((attempted) => ({ key: build.key, attempted }));
    this.#going.set(build.key, { build, stop, done });
  }
}
