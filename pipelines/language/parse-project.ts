import { asking } from './near-key.ts';
import { type ParseContext, refuse } from './parse-context.ts';
import { warningsOfJob } from './parse-warnings.ts';
import { Pattern } from './pattern.ts';
import { faultOfExpression } from './schema/common.ts';
import { type ProjectPipelineBody, project, projectAttributes, projectTemplate } from './schema/project.ts';
import type { JobVariant, ProjectPipeline, ProjectStanza } from './stanza.ts';
import type { RawStanza } from './yaml.ts';

/** Reads a `project` or `project-template` stanza. A project without a name is the repository's own. */
export function parseProject(stanza: RawStanza, context: ParseContext): ProjectStanza | undefined {
  const template = stanza.kind === 'project-template';
  const result = (template ? projectTemplate : project).safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const body = result.data as ReturnType<typeof project.parse>;
  const name = body.name === undefined || body.name === '' ? context.origin.project : body.name;
  const nameMatches = name.startsWith('^') && !template ? patternOf(name, stanza, context) : undefined;
  if (nameMatches === 'broken') return undefined;
  const pipelines = pipelinesOf(stanza, body, context);
  if (pipelines === undefined) return undefined;
  const { queue, 'merge-mode': mergeMode, 'default-branch': defaultBranch, branches } = body;
  return {
    name,
    origin: context.origin,
    offset: stanza.offset,
    marks: stanza.marks,
    template,
    templates: [...new Set(body.templates)],
    ...(queue !== undefined && { queue }),
    ...(mergeMode !== undefined && { mergeMode }),
    ...(defaultBranch !== undefined && { defaultBranch }),
    ...(branches !== undefined && { branches }),
    vars: body.vars ?? {},
    pipelines,
    ...(nameMatches !== undefined && { nameMatches }),
  };
}

function patternOf(name: string, stanza: RawStanza, context: ParseContext): Pattern | 'broken' {
  const fault = faultOfExpression(name);
  if (fault === undefined) return Pattern.of(name);
  context.report('error', stanza.marks.name ?? stanza.offset, `project: name: ${fault}`);
  return 'broken';
}

function pipelinesOf(
  stanza: RawStanza,
  body: Readonly<Record<string, unknown>>,
  context: ParseContext,
): Map<string, ProjectPipeline> | undefined {
  const pipelines = new Map<string, ProjectPipeline>();
  let sound = true;
  for (const name of Object.keys(body)) {
    if (projectAttributes.has(name)) continue;
    const pipeline = body[name] as ProjectPipelineBody;
    const jobs: JobVariant[] = [];
    for (const [index, entry] of (pipeline.jobs ?? []).entries()) {
      const job = attachedJob(entry, stanza.locate([name, 'jobs', index]), context);
      sound = warningsOfJob(job, context) && sound;
      jobs.push(job);
    }
    const failFast = pipeline['fail-fast'];
    const parameters = pipeline.parameters ?? [];
    if (parameters.length > 0) {
      const message = `${name}: parameters have no effect: nothing is enqueued with parameters`;
      context.report('warning', stanza.locate([name], 'parameters'), message);
    }
    pipelines.set(name, {
      debug: pipeline.debug ?? false,
      ...(failFast !== undefined && { failFast }),
      jobs,
      parameters,
    });
  }
  return sound ? pipelines : undefined;
}

const NO_MARKS = {};

type Entry = NonNullable<ProjectPipelineBody['jobs']>[number];

function attachedJob(entry: Entry, offset: number, context: ParseContext): JobVariant {
  const [name = '', attributes = {}] = typeof entry === 'string' ? [entry] : (Object.entries(entry)[0] ?? []);
  return { name, origin: context.origin, offset, marks: NO_MARKS, attributes, attached: true };
}
