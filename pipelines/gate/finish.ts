import { isFailing, reporterJobs } from '../jobs/result.ts';
import type { BuildSetResult } from '../model/job.ts';
import type { ConnectionRule, Pipeline, ReportAction } from '../model/pipeline.ts';
import { type ItemRefusal, itemReport } from '../report/item-report.ts';
import { mergedInPart } from '../report/sentences.ts';
import type { ReportRequest } from './action.ts';
import type { GateCommand, ProvidedResult } from './command.ts';
import { type Draft, emit, itemOf, queueOf } from './draft.ts';
import { listened } from './enqueue.ts';
import {
  dropStart,
  factsOf,
  pipelineOf,
  resetFollowers,
  resetFrom,
  resizeWindow,
  standingOf,
  takeOut,
} from './operations.ts';
import { isPlaced } from './queues.ts';
import type { GateState, Item, Standing } from './state.ts';
import { summary } from './summary.ts';

interface Verdict {
  readonly action: ReportAction;
  readonly result: BuildSetResult;
  readonly refusal?: ItemRefusal;
}

/** Ends an item whose jobs are all done: where changes merge, a success is first submitted. */
export function finish(draft: Draft, item: Item): void {
  const pipeline = pipelineOf(draft, item.pipeline);
  const verdict = judge(draft, item);
  if (pipeline.manager === 'dependent' && verdict.result === 'SUCCESS') {
    dropStart(draft, item);
    emit(draft, { type: 'phase-changed', item: item.id, phase: 'submitting' });
    return;
  }
  conclude(draft, item, verdict);
  if (pipeline.manager === 'dependent') lose(draft, item);
  else if (verdict.result === 'SUCCESS' && startReporters(draft, item)) return;
  takeOut(draft, item);
}

/** Ends an item that can no longer merge, whatever its jobs say. */
export function reject(draft: Draft, item: Item, refusal: ItemRefusal): void {
  if (item.live) {
    conclude(draft, item, isExpected(draft, item) ? { action: 'failure', result: 'FAILURE', refusal } : noJobs);
    if (pipelineOf(draft, item.pipeline).manager === 'dependent')
      resizeWindow(draft, queueOf(draft, item.queue), 'decrease');
  }
  takeOut(draft, item);
}

/** So often an item is tested again because its branch was moved past the gate: more is no accident. */
const mostOutrun = 5;

/** The review system's answer to a submission. */
export function submitted(draft: Draft, item: Item, answer: GateCommand & { type: 'submitted' }): void {
  const merged = item.changes.flatMap((key) => (answer.merged.includes(key) ? (factsOf(draft, key) ?? []) : []));
  const changes = merged.map((change) => ({ ...change, status: 'merged' as const }));
  if (changes.length > 0) emit(draft, { type: 'observed', changes });
  if (answer.moved !== undefined && merged.length === 0 && (item.outrun ?? 0) < mostOutrun) {
    emit(draft, { type: 'item-outrun', item: item.id });
    resetFrom(draft, itemOf(draft, item.id));
    return;
  }
  const said = answer.refused ?? answer.moved;
  const all = merged.filter((change) => change.kind === 'change').length;
  const wanted = item.changes.filter((key) => factsOf(draft, key)?.kind === 'change').length;
  if (all < wanted || said !== undefined) {
    const refusal: ItemRefusal = { kind: 'submit', reason: mergedInPart(said ?? '', partsOf(draft, item, answer)) };
    conclude(draft, item, { action: 'failure', result: 'MERGE_FAILURE', refusal });
    resetFollowers(draft, item);
    takeOut(draft, item);
    return;
  }
  conclude(draft, item, success);
  resizeWindow(draft, queueOf(draft, item.queue), 'increase');
  if (listened(draft, 'project-change-merged')) for (const change of merged) fireMerged(draft, item, change.key);
  if (!startReporters(draft, item)) takeOut(draft, item);
}

function partsOf(draft: Draft, item: Item, { merged, unknown = [] }: GateCommand & { type: 'submitted' }) {
  const left = item.changes.filter((key) => !merged.includes(key) && !unknown.includes(key));
  const open = left.flatMap((key) => factsOf(draft, key)?.id ?? []);
  return { pipeline: item.pipeline, merged: item.changes.filter((key) => merged.includes(key)), open, unknown };
}

/** Takes an item out that has said all it had to say. Where its reporter jobs failed, the followers start anew. */
export function leave(draft: Draft, item: Item): void {
  const { builds } = item.buildSet;
  const reportersFailed = item.phase === 'reporting' && builds !== null && isFailing(builds, reporterJobs(builds));
  if (reportersFailed) resetFollowers(draft, item);
  takeOut(draft, item);
}

const noJobs: Verdict = { action: 'no-jobs', result: 'NO_JOBS' };
const success: Verdict = { action: 'success', result: 'SUCCESS' };

/** Whether an item begins to merge after which nothing else comes before the next may. */
export function mayBeJoined({ state }: Draft, { phase, buildSet: { builds } }: Item): boolean {
  return state.mergesTogether === true && phase === 'submitting' && !!builds && reporterJobs(builds).length === 0;
}

/** Whether an item whose jobs are all done is to be merged. */
export function succeeds(draft: Draft, item: Item): boolean {
  return judge(draft, item).result === 'SUCCESS';
}

/** What an item has come to, once there is nothing left to run. */
function judge(draft: Draft, item: Item): Verdict {
  const { builds, trouble } = item.buildSet;
  const hasJobs = builds !== null && builds.graph.jobs.length > 0;
  if (!hasJobs && !isExpected(draft, item)) return noJobs;
  if (trouble?.kind === 'config-error') return { action: 'config-error', result: 'CONFIG_ERROR' };
  if (trouble?.kind === 'conflict') return { action: 'merge-conflict', result: 'MERGE_CONFLICT' };
  if (!builds || !hasJobs) return noJobs;
  return summary(builds).succeeded ? success : { action: 'failure', result: 'FAILURE' };
}

/** Whether a project of the item uses the pipeline, as far as the configuration that the item was judged by tells. */
function isExpected(draft: Draft, { changes, pipeline, buildSet }: Item): boolean {
  return buildSet.trouble?.placed ?? changes.some((key) => isPlaced(factsOf(draft, key), pipeline));
}

/** The final report, once for each item, and what follows from it for the pipeline. */
function conclude(draft: Draft, item: Item, verdict: Verdict): void {
  const pipeline = pipelineOf(draft, item.pipeline);
  const standing = standingOf(draft, pipeline.name);
  const jobsFailed = verdict.result === 'FAILURE' && !verdict.refusal;
  keepStanding(draft, pipeline, nextStanding(standing, pipeline, { jobsFailed, result: verdict.result }));
  keepResults(draft, item);
  const action = reportOf(draft, item, { verdict, standing });
  if (verdict.action === 'no-jobs' && action.rules.length === 0) return;
  emit(draft, { type: 'action-wanted', action });
}

/** What will be reported of an item once it is merged. */
export function successOf(state: GateState, item: Item): ReportRequest {
  const draft = { state };
  return reportOf(draft, item, { verdict: success, standing: standingOf(draft, item.pipeline) });
}

interface Said {
  readonly verdict: Verdict;
  readonly standing: Standing;
}

function reportOf(draft: Pick<Draft, 'state'>, item: Item, { verdict, standing }: Said): ReportRequest {
  const pipeline = pipelineOf(draft, item.pipeline);
  const silenced = standing.disabled && verdict.action !== 'no-jobs';
  const action = silenced ? 'disabled' : verdict.action;
  const rules = reportersFor(pipeline, action);
  const changes = item.changes.flatMap((key) => factsOf(draft, key) ?? []);
  const report = {
    pipeline,
    changes,
    buildSet: item.buildSet,
    ...(verdict.refusal ? { refusal: verdict.refusal } : {}),
  };
  const { key: buildSet } = item.buildSet;
  return {
    kind: 'report',
    key: `${buildSet}/${verdict.result}`,
    action,
    pipeline: pipeline.name,
    changes: item.changes,
    buildSet,
    result: verdict.result,
    message: itemReport(verdict.action, report),
    rules,
  };
}

/** Who hears of an action: conflicts and broken configurations are failures where nothing else is said of them. */
function reportersFor(pipeline: Pipeline, action: ReportAction): readonly ConnectionRule[] {
  const rules = pipeline.reporters[action];
  const special = action === 'merge-conflict' || action === 'config-error';
  return special && rules.length === 0 ? pipeline.reporters.failure : rules;
}

/** The rules by which a success is submitted. */
export function submitRules(draft: Pick<Draft, 'state'>, pipeline: Pipeline): readonly ConnectionRule[] {
  const disabled = draft.state.standings[pipeline.name]?.disabled === true;
  return disabled ? pipeline.reporters.disabled : pipeline.reporters.success;
}

function nextStanding(
  standing: Standing,
  pipeline: Pipeline,
  end: { readonly jobsFailed: boolean; readonly result: BuildSetResult },
): Standing {
  const good = end.result === 'SUCCESS' || end.result === 'MERGE_FAILURE';
  const failures = good ? 0 : standing.failures + (end.jobsFailed ? 1 : 0);
  const limit = pipeline.disableAfterConsecutiveFailures;
  return { failures, disabled: standing.disabled || (limit !== undefined && failures >= limit) };
}

function keepStanding(draft: Draft, pipeline: Pipeline, standing: Standing): void {
  const old = standingOf(draft, pipeline.name);
  if (old.failures === standing.failures && old.disabled === standing.disabled) return;
  emit(draft, { type: 'standing-changed', pipeline: pipeline.name, standing });
}

/** What others may require of the change from now on. */
function keepResults(draft: Draft, item: Item): void {
  const { builds } = item.buildSet;
  if (!builds) return;
  for (const change of item.changes) {
    const results: ProvidedResult[] = [];
    for (const job of builds.graph.jobs) {
      const build = builds.builds.find((one) => one.job === job.key && !one.superseded);
      const id = factsOf(draft, change)?.id;
      // What has nothing to do provides nothing, and nobody is to fail for it.
      if (job.provides.length === 0 || job.change !== id || !build?.result || build.excluded) continue;
      results.push({ job: job.name, provides: job.provides, result: build.result, artifacts: build.artifacts });
    }
    if (results.length > 0) emit(draft, { type: 'results-kept', change, pipeline: item.pipeline, results });
  }
}

/** A change that did not merge: the window shrinks, and what was built on it starts anew. */
function lose(draft: Draft, item: Item): void {
  resizeWindow(draft, queueOf(draft, item.queue), 'decrease');
  resetFollowers(draft, item);
}

function fireMerged(draft: Draft, item: Item, change: string): void {
  const key = `${item.id}/${change}/merged`;
  const event = 'project-change-merged';
  emit(draft, { type: 'action-wanted', action: { kind: 'fire', key, event, change, pipeline: item.pipeline } });
}

function startReporters(draft: Draft, item: Item): boolean {
  const { builds } = item.buildSet;
  if (!builds || reporterJobs(builds).length === 0) return false;
  emit(draft, { type: 'builds-changed', item: item.id, change: { type: 'reported' } });
  emit(draft, { type: 'phase-changed', item: item.id, phase: 'reporting' });
  return itemOf(draft, item.id).phase === 'reporting';
}
