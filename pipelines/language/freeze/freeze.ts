import type { FrozenJob, JobGraph } from '../../model/job.ts';
import type { Problem } from '../../model/position.ts';
import { isConfigPath } from '../config-path.ts';
import { guardedDeed } from '../guarded.ts';
import type { Layout } from '../layout.ts';
import { jobMatcher, type MatchedRef } from '../match.ts';
import { findProject } from '../project-index.ts';
import { placeText, positionAt, problemOf } from '../source.ts';
import type { JobVariant } from '../stanza.ts';
import { collectVariants, type OverrideCheckouts, withCheckouts } from './collect.ts';
import { JobDraft } from './draft.ts';
import { altersContent, matchesFiles } from './files.ts';
import { contentText, finishJob } from './finish.ts';
import { FreezeError } from './freeze-error.ts';
import { type GraphNode, joinGraph } from './graph.ts';
import { type Participation, participation } from './participation.ts';

/** What freezing needs to know of a change. */
interface FreezeChange {
  readonly id: string;
  readonly project: string;
  /** Empty for a tag. */
  readonly branch: string;
  readonly ref?: string;
  /** For a tag: the branches whose history contains it. */
  readonly containingBranches?: readonly string[];
  readonly kind?: 'change' | 'branch' | 'tag';
  /** Null when the review system cannot tell. */
  readonly files: readonly string[] | null;
  /** Whether it touches configuration; left out, its files tell. */
  readonly configUpdated?: boolean;
}

export interface FreezeInput {
  readonly pipeline: string;
  /** The change, or the members of a cycle in `changes`. */
  readonly change?: FreezeChange;
  readonly changes?: readonly FreezeChange[];
  /** Id of the change that caused the event: its jobs stand for identical ones of the other members. */
  readonly primary?: string;
  /**
   * The layout without the change: a job that the change alters runs whatever its file matchers say. Left out, a
   * change of configuration is compared with what its speculative layout is based on.
   */
  readonly ahead?: Layout;
  /** Accept jobs that say nothing of what to run, as a simulation may. */
  readonly runOptional?: boolean;
}

export type FreezeResult =
  | { readonly graph: JobGraph; readonly debug: readonly string[] }
  | {
      readonly errors: readonly Problem[];
      /** The name of what is not there, where that is the reason: of a part of a configuration, the rest may have it. */
      readonly missing?: string;
    };

/**
 * Finds out which jobs run for a change in a pipeline, each with everything settled. Whatever is missing or
 * forbidden is an error: a job is never left out because its definition cannot be had.
 */
export function freezeJobs(layout: Layout, input: FreezeInput): FreezeResult {
  try {
    return freeze(layout, input);
  } catch (error) {
    if (!(error instanceof FreezeError)) throw error;
    const { missing } = error;
    return { errors: [errorProblem(error)], ...(missing === undefined ? {} : { missing }) };
  }
}

function errorProblem({ message, stanza }: FreezeError): Problem {
  if (stanza !== undefined) return problemOf(stanza, message);
  const nowhere = { project: '', branch: '', path: '', trusted: true, lineStarts: [0] };
  return { ...positionAt(nowhere, 0), severity: 'error', message };
}

function freeze(layout: Layout, input: FreezeInput): FreezeResult {
  const changes = input.changes ?? (input.change === undefined ? [] : [input.change]);
  const nodes: GraphNode[] = [];
  const debug: string[] = [];
  let failFast = false;
  let told = false;
  for (const change of changes) {
    const project = findProject(layout.projects, change.project)?.name ?? change.project;
    const place = { pipeline: input.pipeline, project, ref: refOf(change) };
    const part = participation(layout, place, debug);
    if (part === undefined) continue;
    failFast = part.failFast ?? failFast;
    told ||= part.wantsDebug;
    const freezer = new ChangeFreezer(layout, input, { ...change, project });
    for (const name of part.jobs.keys()) nodes.push(...freezer.freeze(name, part));
    debug.push(...freezer.debug);
  }
  const jobs = joinGraph(layout, nodes, input.primary);
  return { graph: { jobs, failFast, warnings: [], ...(told ? { debug } : {}) }, debug };
}

function refOf({ branch, ref, containingBranches }: FreezeChange): MatchedRef {
  return {
    ...(branch !== '' && { branch }),
    ...(ref !== undefined && { ref }),
    ...(containingBranches !== undefined && { containingBranches }),
  };
}

const NO_CHECKOUTS: OverrideCheckouts = new Map();

/** Freezes the jobs of one change. */
class ChangeFreezer {
  readonly debug: string[] = [];
  readonly #layout: Layout;
  readonly #input: FreezeInput;
  readonly #change: FreezeChange;
  readonly #ref: MatchedRef;
  #before: ReadonlyMap<string, string> | undefined | 'broken';

  constructor(layout: Layout, input: FreezeInput, change: FreezeChange) {
    this.#layout = layout;
    this.#input = input;
    this.#change = change;
    this.#ref = refOf(change);
  }

  /** The node of one job, or nothing when no variant of it is meant for the change. */
  freeze(name: string, part: Participation): GraphNode[] {
    const layout = this.#layout;
    this.debug.push(`Freezing job ${name}`);
    const attached = (part.jobs.get(name) ?? []).filter((job) => jobMatcher(layout.projects, job)(this.#ref));
    const checkouts = attached.reduce((known, job) => withCheckouts(layout, known, job), NO_CHECKOUTS);
    const [first] = attached;
    const context = { layout, ref: this.#ref, debug: this.debug, user: first ?? part.jobs.get(name)?.[0] };
    const variants = collectVariants(context, name, checkouts);
    const draft = new JobDraft(layout);
    for (const variant of variants ?? []) draft.apply(variant);
    if (variants === undefined || first === undefined) {
      this.debug.push(`  No matching ${variants === undefined ? '' : 'pipeline '}variants for ${name}`);
      return [];
    }
    draft.name = name;
    draft.underlay(part.vars);
    let fromConfigProject = false;
    for (const job of attached) {
      draft.apply(job);
      const source = layout.projects.byName.get(job.origin.project);
      fromConfigProject ||= source?.trusted ?? job.origin.trusted;
      this.debug.push(`  Pipeline variant at ${placeText(job)} matched`);
      refuseReporter(draft, job, layout);
    }
    const job = finishJob(layout, draft, this.#change.id);
    const wanted = this.#isWanted(draft, job);
    const refusal = this.#refusal(draft, fromConfigProject) ?? this.#unreviewed(job);
    const { project } = this.#change;
    return [{ job, project, changes: new Set([this.#change.id]), wanted, refusal, stanza: first }];
  }

  #isWanted(draft: JobDraft, job: FrozenJob): boolean {
    const { project, files } = this.#change;
    if (matchesFiles(draft, files)) return true;
    if (draft.plain['match-on-config-updates'] ?? true) {
      if (altersContent(draft, project, files) || this.#isAltered(job)) {
        this.debug.push(`  The configuration of job ${draft.name} is changed; file matchers are ignored`);
        return true;
      }
    }
    this.debug.push(`  Job ${draft.name} did not match files`);
    return false;
  }

  /** Compares with what the layout without the change makes of the job. A layout that was broken tells nothing. */
  #isAltered(job: FrozenJob): boolean {
    const { pipeline } = this.#input;
    const ahead = this.#input.ahead ?? (this.#updatesConfig() ? this.#layout.base : undefined);
    if (ahead === undefined || ahead === this.#layout) return false;
    this.#before ??= contentsOf(ahead, { pipeline, change: { ...this.#change, files: null }, runOptional: true });
    return this.#before !== 'broken' && this.#before.get(job.name) !== contentText(job);
  }

  #updatesConfig(): boolean {
    const { configUpdated, files } = this.#change;
    return configUpdated ?? (files ?? []).some(isConfigPath);
  }

  #unreviewed({ name, nodeset, alternatives, postReview }: FrozenJob): string | undefined {
    const { reviewedLabels = [] } = this.#layout.tenant;
    if (postReview || reviewedLabels.length === 0) return undefined;
    const labels = [nodeset, ...alternatives].flatMap(({ nodes }) => nodes.map(({ label }) => label));
    const found = labels.find((label) => reviewedLabels.includes(label));
    if (found === undefined) return undefined;
    const mend = '`post-review: true` in the job, or `unreviewed: true` at the machines in sluice.yaml';
    return `job "${name}" may run what nobody has reviewed, and "${found}" is a label of static machines: say ${mend}`;
  }

  #refusal(draft: JobDraft, fromConfigProject: boolean): string | undefined {
    const { pipeline, runOptional } = this.#input;
    const label = `job "${draft.name}"`;
    if (draft.abstract) return `${label} is abstract and may not be run itself`;
    if (!fromConfigProject && draft.allowedProjects?.has(this.#change.project) === false) {
      return `${label} is not allowed for project "${this.#change.project}"`;
    }
    const where = this.#layout.pipelines.get(pipeline)?.pipeline;
    if (draft.postReview && !where?.postReview) {
      const mend = draft.guarded ? ': attach it to a pipeline after the merge, such as "post"' : '';
      return `${label} may only run after review, and pipeline "${pipeline}" is not post-review${mend}`;
    }
    if (draft.guarded && where?.manager === 'dependent') {
      const deed = guardedDeed(draft.plain.uses);
      return `${label} ${deed}, and pipeline "${pipeline}" runs its jobs before the merge: attach it to one after it, such as "post"`;
    }
    const runs = draft.run.length > 0 || draft.plain.uses !== undefined || draft.name === 'noop' || runOptional;
    return runs ? undefined : `${label} says nothing of what to run: it has neither "run" nor "uses"`;
  }
}

/** Config projects may always attach reporter jobs, others where the tenant says so. */
function refuseReporter(draft: JobDraft, job: JobVariant, layout: Layout): void {
  if (draft.plain.type !== 'reporter') return;
  const project = layout.projects.byName.get(job.origin.project);
  if (project?.trusted || project?.allowReporterJobs) return;
  throw new FreezeError(`project "${job.origin.project}" may not attach reporter job "${draft.name}"`, job);
}

/** What each job of a change comes to, with all file matchers out of the way. */
function contentsOf(layout: Layout, input: FreezeInput): ReadonlyMap<string, string> | 'broken' {
  const result = freezeJobs(layout, input);
  if ('errors' in result) return 'broken';
  return new Map(result.graph.jobs.map((job) => [job.name, contentText(job)]));
}
