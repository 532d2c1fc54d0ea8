import { currentBuilds } from '../jobs/build-set.ts';
import type { BuildSetState } from '../jobs/state.ts';
import type { ExportedJob } from './description.ts';

/** One job's result there and here. */
export interface ComparedJob {
  readonly job: string;
  readonly voting: boolean;
  /** Null where it was never begun. */
  readonly exported: string | null;
  readonly here: string | null;
  /** Null: it is not run elsewhere, so there is nothing to compare. */
  readonly same: boolean | null;
  /** What came out here, in one line. */
  readonly summary: string;
}

/** Stages that bring packages to users: nothing imported is ever released. */
const releasing: readonly (string | undefined)[] = ['release', 'mirror'];

/** Whether a job is left out of an import, for what it would do is for merged changes alone. */
export function isLeftOut({ uses }: Pick<ExportedJob, 'uses'>): boolean {
  return releasing.includes(uses);
}

/** The results of an export's jobs beside those that they have here. */
export function compareResults(jobs: readonly ExportedJob[], state: BuildSetState): readonly ComparedJob[] {
  const current = currentBuilds(state);
  return jobs.map((job) => {
    const build = current.get(job.key);
    const here = build?.result ?? null;
    return {
      job: job.key,
      voting: job.voting,
      exported: job.result,
      here,
      same: isLeftOut(job) ? null : here === job.result,
      summary: build?.summary ?? '',
    };
  });
}

/** Whether all voting jobs came to the same. */
export function areSame(compared: readonly ComparedJob[]): boolean {
  return compared.every(({ voting, same }) => !voting || same !== false);
}
