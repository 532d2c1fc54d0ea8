import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { StageInput } from '../../workflows/contract.ts';

/**
 * The job's variables as its programs see them: with `zuul`, which says what the job is about.
 *
 * @param checkouts what the programs find
 */
export function jobVariables(
  input: StageInput,
  checkouts: readonly Pick<SourceState, 'project' | 'branch' | 'commit'>[],
): Readonly<Record<string, unknown>> {
  const { build, source, parents, provided, timeout } = input;
  const zuul = {
    build: build.id,
    buildset: build.buildSet,
    tenant: build.tenant,
    pipeline: build.pipeline,
    job: build.job,
    attempts: build.attempt,
    change: build.change,
    patchset: build.patchset,
    branch: source.branch,
    project: { name: source.project, src_dir: source.project },
    projects: Object.fromEntries(
      checkouts.map(({ project, branch, commit }) => [project, { branch, commit, src_dir: project }]),
    ),
    artifacts: [...parents, ...provided],
    timeout,
  };
  return { ...input.vars, zuul };
}
