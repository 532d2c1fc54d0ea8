import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { playbookHome } from '../playbooks/control.ts';

/** Where programs leave files that are kept: the folder of `zuul-jobs`. */
export const outputPath = `${playbookHome}/zuul-output`;

/**
 * The job's variables as its programs see them: with `zuul`, which says what the job is about.
 *
 * @param checkouts what the programs find
 */
export function jobVariables(
  input: StageInput,
  checkouts: readonly Pick<SourceState, 'project' | 'branch' | 'commit'>[],
): Readonly<Record<string, unknown>> {
  const { build, source, parents, provided, programs, timeout } = input;
  const required = new Set(programs?.requiredProjects.map(({ project }) => project));
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
    project: projectOf(source.project),
    projects: Object.fromEntries(
      checkouts.map(({ project, branch, commit }) => [
        project,
        { ...projectOf(project), branch, commit, checkout: branch, required: required.has(project) },
      ]),
    ),
    executor: { hostname: 'sluice', work_root: playbookHome, src_root: playbookHome, log_root: outputPath },
    artifacts: [...parents, ...provided],
    timeout,
    pre_timeout: programs?.preTimeout ?? null,
    post_timeout: programs?.postTimeout ?? null,
  };
  return { ...input.vars, zuul };
}

function projectOf(name: string) {
  return { name, canonical_name: name, short_name: name.split('/').at(-1), src_dir: name };
}
