import type { Stage } from '../model/job.ts';
import { parseCron } from './cron.ts';
import { changesGuarded, definesGuarded, guardedChange, guardedDeed } from './guarded.ts';
import type { LayoutBuilder } from './layout-builder.ts';
import { flattenNodesets } from './nodesets.ts';
import { nameOf, TIMEOUTS } from './parse-warnings.ts';
import { findProject } from './project-index.ts';
import type { NodesetBody } from './schema/nodeset.ts';
import type { JobVariant, ProjectStanza } from './stanza.ts';

/** Checks what nodesets refer to, and their labels. */
export function checkNodesets(layout: LayoutBuilder): void {
  for (const nodeset of layout.nodesets.values()) {
    const flat = flattenNodesets(layout, nodeset.body, nodeset.name);
    if ('fault' in flat) layout.miss(nodeset, `nodeset "${nodeset.name}": ${flat.fault}`);
    const refused = refusedLabel(layout, nodeset.body);
    if (refused !== undefined) layout.fail(nodeset, `nodeset "${nodeset.name}": label "${refused}" is not allowed`);
  }
}

function refusedLabel(layout: LayoutBuilder, body: NodesetBody): string | undefined {
  const { allowedLabels, disallowedLabels } = layout.tenant;
  if (allowedLabels === undefined && disallowedLabels === undefined) return undefined;
  return labelsOf(body).find((label) => {
    if (allowedLabels?.length && !allowedLabels.some((pattern) => pattern.matches(label))) return true;
    return disallowedLabels?.some((pattern) => pattern.matches(label));
  });
}

function labelsOf(body: NodesetBody): string[] {
  if ('nodes' in body) return body.nodes.map(({ label }) => label);
  return body.alternatives.flatMap((alternative) => (typeof alternative === 'string' ? [] : labelsOf(alternative)));
}

/** Checks every job's own limits and what it refers to. A job that cannot stand is left out, and missed by its users. */
export function checkJobs(layout: LayoutBuilder): void {
  for (const [name, variants] of layout.jobs) {
    const sound = variants.filter((job) => isPermitted(layout, job));
    if (sound.length === variants.length) continue;
    if (sound.length === 0) layout.jobs.delete(name);
    else layout.jobs.set(name, sound);
  }
  for (const variants of layout.jobs.values()) {
    for (const job of variants) checkReferences(layout, job, job);
  }
}

/** Rules that a job must keep to be in the layout at all. */
function isPermitted(layout: LayoutBuilder, job: JobVariant): boolean {
  const before = layout.problems.length;
  checkLimits(layout, job, job);
  const { project, trusted } = job.origin;
  const { uses } = job.attributes;
  if (!trusted && uses !== undefined && guardedDeed(uses)) {
    layout.fail(job, definesGuarded(job.name, uses), 'uses');
  }
  const mayDefineBase = trusted && layout.projects.byName.get(project)?.allowBaseJobs !== false;
  if (job.attributes.parent === null && !mayDefineBase) {
    layout.fail(job, `job "${job.name}": only config-projects may define base jobs (parent: null)`, 'parent');
  }
  return layout.problems.slice(before).every(({ severity }) => severity !== 'error');
}

/** Checks limits of the tenant, and that named projects exist. `stanza` is where to report. */
function checkLimits(layout: LayoutBuilder, job: JobVariant, stanza: JobVariant | ProjectStanza): void {
  const { attributes } = job;
  const limit = layout.tenant.maxJobTimeout;
  for (const key of TIMEOUTS) {
    const value = attributes[key];
    if (value === undefined || limit === -1 || value <= limit) continue;
    layout.fail(job, `job "${job.name}": ${key} ${value} exceeds the tenant's limit of ${limit} seconds`, key);
  }
  const { nodeset } = attributes;
  if (nodeset !== undefined && typeof nodeset !== 'string') {
    const refused = refusedLabel(layout, nodeset);
    if (refused !== undefined) layout.fail(job, `job "${job.name}": label "${refused}" is not allowed`, 'nodeset');
  }
  for (const [key, project] of namedProjects(attributes)) {
    if (findProject(layout.projects, project) !== undefined || project === job.origin.project) continue;
    layout.miss(
      job,
      `job "${stanza === job ? job.name : nameOf(job)}": ${key}: project "${project}" is not known`,
      key,
    );
  }
}

function* namedProjects(attributes: JobVariant['attributes']): Generator<[string, string]> {
  for (const entry of attributes['required-projects']?.value ?? []) yield ['required-projects', nameOf(entry)];
  for (const project of attributes['allowed-projects'] ?? []) yield ['allowed-projects', project];
  for (const key of ['include-projects', 'exclude-projects'] as const) {
    for (const entry of attributes[key]?.value ?? []) {
      if (typeof entry === 'string') yield [key, entry];
      else if (entry.name !== undefined) yield [key, entry.name];
    }
  }
  for (const entry of attributes['include-vars']?.value ?? []) {
    if (typeof entry !== 'string' && entry.project !== undefined) yield ['include-vars', entry.project];
  }
}

/** Checks the other objects that a job names. */
function checkReferences(layout: LayoutBuilder, job: JobVariant, stanza: JobVariant): void {
  const { parent, nodeset } = job.attributes;
  if (typeof parent === 'string') checkParent(layout, job, parent);
  if (nodeset !== undefined) checkNodeset(layout, job, nodeset);
  for (const dependency of job.attributes.dependencies?.value ?? []) {
    const name = nameOf(dependency);
    if (!layout.jobs.has(name) && name !== 'noop') {
      layout.miss(stanza, `job "${job.name}": dependencies: job "${name}" is not defined`, 'dependencies');
    }
  }
  checkSecrets(layout, job, stanza);
}

const PLAYBOOKS = ['pre-run', 'run', 'post-run', 'cleanup-run'] as const;

function checkSecrets(layout: LayoutBuilder, job: JobVariant, stanza: JobVariant): void {
  const isRead = PLAYBOOKS.some((key) => job.attributes[key] !== undefined);
  for (const use of job.attributes.secrets ?? []) {
    const name = typeof use === 'string' ? use : use.secret;
    if (isRead && !/^[A-Za-z0-9_]+$/.test(nameOf(use))) {
      const message = `job "${job.name}": secret "${name}" needs a name that playbooks can use: write {name: …, secret: ${name}}`;
      layout.fail(stanza, message, 'secrets');
    }
    const secret = layout.secrets.get(name);
    if (secret === undefined) layout.miss(stanza, `job "${job.name}": secret "${name}" is not defined`, 'secrets');
    else if (secret.origin.project !== job.origin.project) {
      const owner = secret.origin.project;
      layout.fail(stanza, `job "${job.name}": secret "${name}" belongs to project ${owner}`, 'secrets');
    }
  }
}

function checkNodeset(layout: LayoutBuilder, job: JobVariant, nodeset: string | NodesetBody): void {
  const flat = flattenNodesets(layout, nodeset);
  if ('fault' in flat) {
    layout.miss(job, `job "${job.name}": nodeset: ${flat.fault}`, 'nodeset');
    return;
  }
  const limit = layout.tenant.maxNodesPerJob;
  if (limit === -1 || flat.nodesets.every(({ nodes }) => nodes.length <= limit)) return;
  layout.fail(job, `job "${job.name}": nodeset exceeds the tenant's limit of ${limit} nodes for a job`, 'nodeset');
}

/** Only where no variant of the parent could do is it an error here; which variants apply is known when freezing. */
function checkParent(layout: LayoutBuilder, job: JobVariant, name: string): void {
  const parents = layout.jobs.get(name);
  const label = `job "${job.name}": parent "${name}"`;
  if (parents === undefined) {
    layout.miss(job, `${label} is not defined`, 'parent');
  } else if (parents.every(({ attributes }) => attributes.final)) {
    layout.fail(job, `${label} is final and cannot be inherited from`, 'parent');
  } else if (parents.every(({ attributes }) => attributes.intermediate) && !job.attributes.abstract) {
    layout.fail(job, `${label} is intermediate: only abstract jobs may inherit from it`, 'parent');
  } else if (parents.every(({ attributes }) => attributes.protected) && foreign(parents, job)) {
    layout.fail(job, `${label} is protected: only jobs of its own project may inherit from it`, 'parent');
  } else if (!job.origin.trusted) {
    const stage = guardedStage(layout, name);
    if (stage !== undefined) layout.fail(job, changesGuarded(name, stage, 'parent'), 'parent');
  }
}

/** The guarded stage that a job has by itself or from its parents. */
function guardedStage(layout: LayoutBuilder, name: string, below: readonly string[] = []): Stage | undefined {
  const variants = below.includes(name) ? [] : (layout.jobs.get(name) ?? []);
  const own = variants.map(({ attributes }) => attributes.uses).find((uses) => guardedDeed(uses));
  if (own !== undefined) return own;
  const parents = variants.flatMap(({ attributes }) => attributes.parent ?? []);
  return parents.map((parent) => guardedStage(layout, parent, [...below, name])).find((stage) => stage !== undefined);
}

/** A guarded job where a project that is no config-project attaches it: after review, and as it is. */
function checkGuarded(layout: LayoutBuilder, job: JobVariant, pipeline: string): void {
  const stage = job.origin.trusted ? undefined : guardedStage(layout, job.name);
  if (stage === undefined) return;
  const change = guardedChange(job);
  if (change !== undefined) layout.fail(job, changesGuarded(job.name, stage, change), change);
  if (layout.pipelines.get(pipeline)?.pipeline.postReview !== false) return;
  const where = `pipeline "${pipeline}" is not post-review: attach it to one after the merge, such as "post"`;
  layout.fail(job, `job "${job.name}" ${guardedDeed(stage)}, and ${where}`);
}

function foreign(parents: readonly JobVariant[], job: JobVariant): boolean {
  return parents[0]?.origin.project !== job.origin.project;
}

/** Checks which pipelines a pipeline supersedes, and that its connections are allowed. */
export function checkPipelines(layout: LayoutBuilder): void {
  const { allowedTriggers, allowedReporters } = layout.tenant;
  for (const stanza of layout.pipelines.values()) {
    const { name, pipeline } = stanza;
    for (const other of pipeline.supercedes) {
      if (layout.pipelines.has(other)) continue;
      layout.miss(stanza, `pipeline "${name}" supercedes pipeline "${other}", which is not defined`, 'supercedes');
    }
    for (const { time } of pipeline.triggers.map(({ body }) => body)) {
      if (time === undefined || parseCron(String(time))) continue;
      const form = 'MINUTE HOUR DAY MONTH WEEKDAY [SECOND [JITTER]]';
      layout.warn(stanza, `pipeline "${name}": timer "${time}" never fires: write ${form}`, 'trigger');
    }
    const trigger = pipeline.triggers.find(
      ({ connection }) => allowedTriggers && !allowedTriggers.includes(connection),
    );
    if (trigger) layout.fail(stanza, `pipeline "${name}": trigger "${trigger.connection}" is not allowed`, 'trigger');
    const rules = Object.values(pipeline.reporters).flat();
    const reporter = rules.find(({ connection }) => allowedReporters && !allowedReporters.includes(connection));
    if (reporter) layout.fail(stanza, `pipeline "${name}": reporter "${reporter.connection}" is not allowed`);
  }
}

/** Checks the jobs that a project or template attaches to pipelines. */
export function checkAttachedJobs(layout: LayoutBuilder, stanza: ProjectStanza): void {
  for (const [name, { jobs, parameters }] of stanza.pipelines) {
    const pipeline = layout.pipelines.get(name);
    if (pipeline === undefined) missPipeline(layout, stanza, name);
    else if (parameters.length > 0 && !pipeline.allowParameters) {
      layout.fail(stanza, `pipeline "${name}" does not allow parameters`, name);
    }
    for (const job of jobs) {
      if (job.name !== 'noop' && !layout.jobs.has(job.name)) {
        layout.miss(job, `${label(stanza)}: job "${job.name}" is not defined`);
        continue;
      }
      checkLimits(layout, job, stanza);
      checkReferences(layout, job, job);
      checkGuarded(layout, job, name);
    }
  }
}

/** A repository may be in tenants of which only one has the pipeline: an error where all of the tenant was asked for. */
function missPipeline(layout: LayoutBuilder, stanza: ProjectStanza, name: string): void {
  const message = `pipeline "${name}" is not defined`;
  if (layout.tenant.partial === false) layout.fail(stanza, message, name);
  else layout.warn(stanza, message, name);
}

function label(stanza: ProjectStanza): string {
  return `${stanza.template ? 'project-template' : 'project'} "${stanza.name}"`;
}
