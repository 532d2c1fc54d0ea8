import { mergeVariables } from '../../model/merge-variables.ts';
import type { Layout } from '../layout.ts';
import { type MatchedRef, projectMatcher } from '../match.ts';
import { placeText } from '../source.ts';
import type { JobVariant, ProjectPipeline, ProjectStanza } from '../stanza.ts';
import { FreezeError } from './freeze-error.ts';

/** What a project does in a pipeline on a branch: all its stanzas and templates together. */
export interface Participation {
  /** Job name to where it is attached, in order. */
  readonly jobs: ReadonlyMap<string, readonly JobVariant[]>;
  readonly failFast: boolean | undefined;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly wantsDebug: boolean;
}

export interface Place {
  readonly pipeline: string;
  readonly project: string;
  readonly ref: MatchedRef;
}

/**
 * @returns undefined when the project does not use the pipeline on that branch
 * @throws FreezeError when part of what the project says could not be read
 */
export function participation(layout: Layout, place: Place, debug: string[]): Participation | undefined {
  const configured = layout.configured.get(place.project);
  const jobs = new Map<string, JobVariant[]>();
  const sum = { uses: false, failFast: undefined as boolean | undefined, vars: {}, wantsDebug: false };
  const join = (pipeline: ProjectPipeline | undefined, vars: Readonly<Record<string, unknown>>) => {
    sum.vars = mergeVariables(sum.vars, vars);
    if (pipeline === undefined) return;
    sum.uses = true;
    sum.failFast ??= pipeline.failFast;
    sum.wantsDebug ||= pipeline.debug;
    for (const job of pipeline.jobs) attach(jobs, job);
  };
  for (const stanza of configured?.stanzas ?? []) {
    if (!applies(layout, place, stanza, debug)) continue;
    for (const template of templatesOf(layout, place, stanza, debug)) {
      const pipeline = template.pipelines.get(place.pipeline);
      if (pipeline !== undefined) join(pipeline, template.vars);
    }
    join(stanza.pipelines.get(place.pipeline), stanza.vars);
  }
  refuseBroken(layout, place);
  return sum.uses ? { jobs, failFast: sum.failFast, vars: sum.vars, wantsDebug: sum.wantsDebug } : undefined;
}

function attach(jobs: Map<string, JobVariant[]>, job: JobVariant): void {
  const attached = jobs.get(job.name);
  if (attached === undefined) jobs.set(job.name, [job]);
  else if (!attached.includes(job)) attached.push(job);
}

function applies(layout: Layout, place: Place, stanza: ProjectStanza, debug: string[]): boolean {
  const project = layout.projects.byName.get(place.project);
  const matched = project !== undefined && projectMatcher(layout.projects, stanza, project)(place.ref);
  const kind = stanza.template ? 'Project template' : 'Project';
  debug.push(`${kind} ${stanza.name} at ${placeText(stanza)} ${matched ? 'matched' : 'did not match'}`);
  return matched;
}

function templatesOf(layout: Layout, place: Place, stanza: ProjectStanza, debug: string[]): ProjectStanza[] {
  return stanza.templates.flatMap((name) => {
    const broken = layout.broken.templates.get(name)?.[0];
    if (broken !== undefined) {
      throw new FreezeError(`project-template "${name}" has a broken definition at ${placeText(broken)}`, broken);
    }
    const templates = layout.templates.get(name);
    if (templates === undefined) {
      throw new FreezeError(`project-template "${name}" of project "${stanza.name}" is not defined`, stanza, name);
    }
    return templates.filter((template) => {
      return template.pipelines.has(place.pipeline) && applies(layout, place, template, debug);
    });
  });
}

/** Fail closed: a stanza that could not be read might have attached more jobs. */
function refuseBroken(layout: Layout, place: Place): void {
  const project = layout.projects.byName.get(place.project);
  for (const broken of layout.broken.projects.get(place.project) ?? []) {
    const stanza: ProjectStanza = { ...broken, template: false, templates: [], vars: {}, pipelines: new Map() };
    if (project === undefined || !projectMatcher(layout.projects, stanza, project)(place.ref)) continue;
    throw new FreezeError(`the configuration of project "${place.project}" at ${placeText(broken)} is broken`, broken);
  }
}
