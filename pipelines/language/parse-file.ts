import type { Problem } from '../model/position.ts';
import { faultsOf } from './faults.ts';
import { asking } from './near-key.ts';
import { type ParseContext, refuse, reportFaults } from './parse-context.ts';
import { parsePipeline } from './parse-pipeline.ts';
import { parseProject } from './parse-project.ts';
import { warningsOfJob } from './parse-warnings.ts';
import { namedObject } from './schema/common.ts';
import { jobDefinition } from './schema/job.ts';
import { nodesetBody } from './schema/nodeset.ts';
import { pragma, providerObjects, queue, secret, semaphore } from './schema/objects.ts';
import { type ConfigSource, type Origin, positionAt } from './source.ts';
import type {
  BrokenStanza,
  JobVariant,
  NodesetStanza,
  QueueStanza,
  SecretStanza,
  SemaphoreStanza,
  Stanzas,
} from './stanza.ts';
import { type RawStanza, readYaml } from './yaml.ts';

/** A configuration file, checked by itself. Immutable: keep it and hand it to every layout until the text changes. */
export interface ParsedFile {
  readonly origin: Origin;
  readonly stanzas: Stanzas;
  readonly problems: readonly Problem[];
}

/**
 * Reads one configuration file into typed stanzas. Never throws: what is broken is reported and left out, be it not
 * even YAML, and the rest is read.
 */
export function parseConfigFile(source: ConfigSource): ParsedFile {
  const raw = readYaml(source.text);
  const problems: Problem[] = [];
  const { project, branch, path, trusted, offered, connections } = source;
  const bare: Origin = { project, branch, path, trusted, lineStarts: raw.lineStarts, ...(offered && { offered }) };
  const report: ParseContext['report'] = (severity, offset, message) => {
    problems.push({ ...positionAt(bare, offset), severity, message, project, branch });
  };
  for (const { offset, message } of raw.faults) report('error', offset, message);
  for (const { offset, message } of raw.warnings) report('warning', offset, message);
  const origin = { ...bare, ...pragmasOf(raw.stanzas, report) };
  const context: ParseContext = { origin, report, drivers: (name) => connections?.[name] ?? name };
  const stanzas = emptyStanzas();
  for (const stanza of raw.stanzas) {
    if (!parseStanza(stanza, context, stanzas)) stanzas.broken.push(brokenStanza(stanza, origin));
  }
  for (const { name = project, ...lost } of raw.lost ?? []) stanzas.broken.push({ ...lost, name, origin, marks: {} });
  if (raw.unreadable) stanzas.broken.push({ kind: 'project', name: project, origin, offset: 0, marks: {} });
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { origin, stanzas, problems };
}

function brokenStanza({ kind, body, offset, marks }: RawStanza, origin: Origin): BrokenStanza {
  return { kind, name: typeof body.name === 'string' ? body.name : origin.project, origin, offset, marks };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function emptyStanzas(): Mutable<Stanzas> {
  const lists = { jobs: [], projects: [], templates: [], queues: [], broken: [] };
  return { ...lists, pipelines: [], nodesets: [], semaphores: [], secrets: [] };
}

type Pragmas = Pick<Origin, 'impliedBranchMatchers' | 'impliedBranches'>;

/** Pragmas come first: they change what the other stanzas of the file mean, wherever they stand. */
function pragmasOf(stanzas: readonly RawStanza[], report: ParseContext['report']): Pragmas {
  const pragmas: Mutable<Pragmas> = {};
  for (const stanza of stanzas.filter(({ kind }) => kind === 'pragma')) {
    const result = pragma.safeParse(stanza.body, asking);
    if (!result.success) reportFaults(stanza, faultsOf(stanza, result.error.issues), report);
    const { 'implied-branch-matchers': matchers, 'implied-branches': branches } = result.data ?? {};
    if (matchers !== undefined) pragmas.impliedBranchMatchers = matchers;
    if (branches !== undefined) pragmas.impliedBranches = branches;
  }
  return pragmas;
}

/** @returns whether the stanza was sound */
function parseStanza(stanza: RawStanza, context: ParseContext, into: Mutable<Stanzas>): boolean {
  switch (stanza.kind) {
    case 'job':
      return append(into.jobs, parseJob(stanza, context));
    case 'project':
      return append(into.projects, parseProject(stanza, context));
    case 'project-template':
      return append(into.templates, parseProject(stanza, context));
    case 'pipeline':
      return append(into.pipelines, parsePipeline(stanza, context));
    case 'nodeset':
      return append(into.nodesets, parseNodeset(stanza, context));
    case 'queue':
      return append(into.queues, parseQueue(stanza, context));
    case 'semaphore':
      return append(into.semaphores, parseSemaphore(stanza, context));
    case 'secret':
      return append(into.secrets, parseSecret(stanza, context));
    case 'pragma':
      return true;
    default:
      return parseUnused(stanza, context);
  }
}

function append<T>(list: T[], item: T | undefined): boolean {
  if (item !== undefined) list.push(item);
  return item !== undefined;
}

function parseJob(stanza: RawStanza, context: ParseContext): JobVariant | undefined {
  const result = jobDefinition.safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const { name, ...attributes } = result.data;
  const { offset, marks } = stanza;
  const job: JobVariant = { name, origin: context.origin, offset, marks, attributes, attached: false };
  return warningsOfJob(job, context) ? job : undefined;
}

function parseNodeset(stanza: RawStanza, context: ParseContext): NodesetStanza | undefined {
  const { name, ...rest } = stanza.body;
  const named = namedObject.safeParse({ name }, asking);
  const result = nodesetBody.safeParse(rest, asking);
  if (!named.success || !result.success) {
    return refuse(stanza, context, [...(named.error?.issues ?? []), ...(result.error?.issues ?? [])]);
  }
  const { offset, marks } = stanza;
  return { name: named.data.name, origin: context.origin, offset, marks, body: result.data };
}

function parseQueue(stanza: RawStanza, context: ParseContext): QueueStanza | undefined {
  const result = queue.safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const body = result.data;
  return {
    name: body.name,
    origin: context.origin,
    offset: stanza.offset,
    marks: stanza.marks,
    type: body['per-branch'] ? 'per-branch' : (body.type ?? 'all-branches'),
    allowCircularDependencies: body['allow-circular-dependencies'] ?? false,
    dependenciesByTopic: body['dependencies-by-topic'] ?? false,
  };
}

function parseSemaphore(stanza: RawStanza, context: ParseContext): SemaphoreStanza | undefined {
  const result = semaphore.safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const { name, max = 1 } = result.data;
  if (max === 0) {
    const message = `semaphore "${name}": with \`max: 0\` every job that takes it waits until that is raised`;
    context.report('warning', stanza.marks.max ?? stanza.offset, message);
  }
  return { name, origin: context.origin, offset: stanza.offset, marks: stanza.marks, max };
}

function parseSecret(stanza: RawStanza, context: ParseContext): SecretStanza | undefined {
  const result = secret.safeParse(stanza.body, asking);
  if (!result.success) return refuse(stanza, context, result.error.issues);
  const { name, data = {}, oidc } = result.data;
  if (oidc !== undefined) {
    context.report('warning', stanza.marks.oidc ?? stanza.offset, `secret "${name}": oidc tokens are not issued yet`);
  }
  const { offset, marks } = stanza;
  return { name, origin: context.origin, offset, marks, data, oidc: oidc !== undefined };
}

const KINDS = 'job, nodeset, pipeline, pragma, project, project-template, queue, secret, semaphore';

function parseUnused(stanza: RawStanza, context: ParseContext): boolean {
  if (!Object.hasOwn(providerObjects, stanza.kind)) {
    context.report('error', stanza.offset, `unknown object "${stanza.kind}"; there are ${KINDS}`);
    return false;
  }
  const schema = providerObjects[stanza.kind as keyof typeof providerObjects];
  const result = schema.safeParse(stanza.body, asking);
  if (!result.success) {
    refuse(stanza, context, result.error.issues);
    return false;
  }
  const message = `${stanza.kind} "${result.data.name}" is understood but not used: nodes come from Sluice's own providers`;
  context.report('warning', stanza.offset, message);
  return true;
}
