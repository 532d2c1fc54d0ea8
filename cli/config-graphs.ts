import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type FreezeResult, freezeJobs, type Layout, problemText } from '../pipelines/language/language.ts';
import type { FrozenJob } from '../pipelines/model/job.ts';
import type { Problem } from '../pipelines/model/position.ts';
import type { LoadedConfig } from './config-input.ts';
import { labelsOf } from './config-tenant.ts';

/**
 * What only shows when the jobs of each project are put together: cycles, what is not run and yet depended on, labels
 * without a platform, programs that are not there. What cannot be frozen is an error; where a part of the tenant was given,
 * what is missing may be in the rest: that is a warning, unless it was told where it is named.
 */
export function checkGraphs(loaded: LoadedConfig): readonly Problem[] {
  const { layout, labels, directories, problems } = loaded;
  const found: Problem[] = [];
  for (const result of graphs(layout)) {
    if ('errors' in result) found.push(...withoutRest(result, loaded));
    else
      for (const job of result.graph.jobs)
        found.push(...unknownLabels(job, labels), ...missingPrograms(job, directories));
  }
  const seen = new Set(problems.map(problemText));
  return found.filter((problem) => seen.size < seen.add(problemText(problem)).size);
}

function withoutRest({ errors, missing }: Refused, { layout, problems }: LoadedConfig): readonly Problem[] {
  if (!layout.tenant.partial || missing === undefined) return errors;
  if (problems.some(({ message }) => message.includes(`"${missing}"`))) return [];
  return errors.map((problem) => ({ ...problem, severity: 'warning' }));
}

type Refused = Extract<FreezeResult, { readonly errors: unknown }>;

function* graphs(layout: Layout) {
  for (const { project } of layout.configured.values()) {
    for (const pipeline of layout.pipelines.keys()) {
      for (const branch of project.branches) {
        yield freezeJobs(layout, { pipeline, change: { id: 'change', project: project.name, branch, files: null } });
      }
    }
  }
}

function unknownLabels(job: FrozenJob, labels: readonly string[] | undefined): readonly Problem[] {
  if (labels === undefined) return [];
  const nodes = [job.nodeset, ...job.alternatives].flatMap((nodeset) => nodeset.nodes);
  const unknown = new Set(nodes.map(({ label }) => label).filter((label) => !labels.includes(label)));
  return [...unknown].map((label) => {
    const message = `job "${job.name}": no platform is called "${label}"; there are: ${labels.join(', ')}`;
    return { ...placeOf(job), severity: 'error', message };
  });
}

/**
 * Where no `sluice.yaml` tells which platforms there are: a line for each label that jobs need and that does not ship.
 */
export async function doubtfulLabels({ layout, labels }: LoadedConfig): Promise<readonly string[]> {
  if (labels !== undefined || layout.tenant.partial) return [];
  const shipped = await labelsOf(undefined);
  const jobs = [...graphs(layout)].flatMap((result) => ('errors' in result ? [] : result.graph.jobs));
  const needed = jobs.flatMap((job) => [job.nodeset, ...job.alternatives].flatMap(({ nodes }) => nodes));
  const unknown = [...new Set(needed.map(({ label }) => label))].filter((label) => !shipped.includes(label)).sort();
  return unknown.map(
    (label) => `warning: no platform that ships is called "${label}": --config names the sluice.yaml that has it`,
  );
}

/** A program is looked for where its project was given as a directory. */
function missingPrograms(job: FrozenJob, directories: ReadonlyMap<string, string>): readonly Problem[] {
  return [...job.preRun, ...job.run, ...job.postRun].flatMap(({ project, path }) => {
    const directory = directories.get(project);
    if (directory === undefined || existsSync(join(directory, path))) return [];
    const message = `job "${job.name}": ${path} is not in ${project}: the job would end in ERROR`;
    return [{ ...placeOf(job), severity: 'warning' as const, message }];
  });
}

/** Where the job is defined last, before it is attached to a pipeline. */
function placeOf({ variants }: FrozenJob): Pick<Problem, 'path' | 'line' | 'column'> {
  const [, path = '', line = 1, column = 1] = /^(.*):(\d+):(\d+)$/.exec(variants.at(-2) ?? variants.at(-1) ?? '') ?? [];
  return { path, line: Number(line), column: Number(column) };
}
