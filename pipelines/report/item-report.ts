import { currentBuilds, failed } from '../jobs/build-set.ts';
import { decidingJobs } from '../jobs/result.ts';
import type { Build, BuildSetState } from '../jobs/state.ts';
import type { FrozenJob } from '../model/job.ts';
import type { Pipeline, ReportAction } from '../model/pipeline.ts';
import { basedOnOlder, itemText, type Named, nameOf, withFooter } from './sentences.ts';
import { tryItLines } from './try-it.ts';

/** Why an item left that could no longer merge. Changes are given by the keys of their patch sets. */
export type ItemRefusal =
  | { readonly kind: 'needed'; readonly changes: readonly string[]; readonly outdated?: OutdatedBase }
  | { readonly kind: 'abandoned'; readonly change: string }
  | { readonly kind: 'requirement'; readonly missing?: readonly string[] }
  | { readonly kind: 'submit'; readonly reason: string };

/** The patch set that a change is based on, by its key, and the number of the current one. */
export interface OutdatedBase {
  readonly on: string;
  readonly current: number;
}

/** What a report is about. */
export interface ReportSubject {
  readonly pipeline: Pipeline;
  readonly changes: readonly Named[];
  readonly buildSet: {
    readonly builds: BuildSetState | null;
    readonly trouble: { readonly message: string } | null;
    readonly warnings: readonly string[];
    /** What it was tested on top of: keys of the patch sets ahead, oldest first. */
    readonly base?: { readonly ahead: readonly string[] } | null;
  };
  readonly refusal?: ItemRefusal;
}

/** The text of a report on an item, as the pipeline words it. Plain text, lines separated by `\n`. */
export function itemReport(action: ReportAction, subject: ReportSubject): string {
  const { pipeline, buildSet } = subject;
  const warnings = buildSet.warnings.map((warning) => `Warning: ${warning}`);
  return withFooter(pipeline, joined(body(action, subject), ...warnings, debugText(buildSet.builds)));
}

function debugText(builds: BuildSetState | null): string {
  return builds?.graph.debug ? ['Debug information:', ...builds.graph.debug].join('\n  ') : '';
}

function body(action: ReportAction, subject: ReportSubject): string {
  const { pipeline, buildSet } = subject;
  const { messages } = pipeline;
  switch (action) {
    case 'enqueue':
      return filledIn(messages.enqueue, subject);
    case 'start':
      return filledIn(messages.start, subject);
    case 'no-jobs':
      return filledIn(messages['no-jobs'], subject);
    case 'success':
      return joined(withJobs(messages.success, subject), baseText(subject), tryItText(subject));
    case 'dequeue':
      return withJobs(messages.dequeue, subject);
    case 'merge-conflict':
      return joined(messages['merge-conflict'], buildSet.trouble?.message ?? '');
    case 'config-error':
      return joined('The configuration of this change cannot be used.', buildSet.trouble?.message ?? '');
    default:
      return failure(subject);
  }
}

function failure(subject: ReportSubject): string {
  const { pipeline, refusal } = subject;
  if (refusal) return refusalText(subject, refusal);
  const jobs = withJobs(pipeline.messages.failure, subject);
  return joined(jobs, baseText(subject), cycleText(subject), tryItText(subject));
}

/** Patch sets that a sentence names. */
const mostAhead = 10;

/** What was tested on top of what, where that was not the branch alone. */
function baseText({ buildSet: { base, builds } }: ReportSubject): string {
  const ahead = base?.ahead ?? [];
  if (ahead.length === 0 || builds === null) return '';
  const more = ahead.length - mostAhead;
  return `Tested on top of ${more > 0 ? `${more} more and ` : ''}${ahead.slice(-mostAhead).join(', ')}.`;
}

/** How to try what was built; after a merge its test repository is removed. */
function tryItText({ pipeline, buildSet: { builds } }: ReportSubject): string {
  if (builds === null || pipeline.manager === 'dependent') return '';
  const lines = tryItLines(builds);
  return lines.length === 0 ? '' : ['To try it, as root:', ...lines.map((line) => `- ${line}`)].join('\n');
}

function cycleText({ changes }: ReportSubject): string {
  if (changes.length < 2) return '';
  const members = changes.map((change) => `- ${nameOf(change)}`).join('\n');
  return `This change is part of a dependency cycle, which failed as a whole:\n${members}`;
}

function refusalText(subject: ReportSubject, refusal: ItemRefusal): string {
  const it = itemText(subject.changes.length);
  switch (refusal.kind) {
    case 'needed':
      if (refusal.outdated) return basedOnOlder(it, refusal.outdated);
      return `${it} depends on ${refusal.changes.join(', ')}, which failed or cannot merge.`;
    case 'abandoned':
      return `${it} depends on ${refusal.change}, which was abandoned.`;
    case 'requirement':
      return `${it} cannot be merged any more: ${refusal.missing?.join('; ') || 'a merge requirement is missing'}.`;
    case 'submit':
      return joined(
        'All jobs succeeded, but the review system did not merge the change.',
        refusal.reason,
        cycleText(subject),
      );
  }
}

/** The message, followed by a line for each job. */
function withJobs(message: string, subject: ReportSubject): string {
  const { builds } = subject.buildSet;
  return joined(message, builds ? jobLines(builds) : '');
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Characters above which a host may cut a report: what failed stands first in it, for what is cut off is not to be that. */
const longLines = 8_000;

function jobLines(builds: BuildSetState): string {
  const current = currentBuilds(builds);
  const reasons: string[] = [];
  const others: string[] = [];
  const lines: string[] = [];
  let leftOut = 0;
  for (const job of decidingJobs(builds)) {
    const build = current.get(job.key);
    if (build?.result === 'SKIPPED' && build.summary?.includes('child_jobs')) leftOut += 1;
    else if (build) {
      const line = jobLine(job, build);
      const isReason = job.voting && failed(build.result) && build.result !== 'CANCELED';
      (isReason ? reasons : others).push(line);
      lines.push(line);
    }
  }
  const ordered = lines.join('\n').length > longLines ? [...reasons, ...others] : lines;
  const rest = leftOut > 0 ? [`${leftOut} ${leftOut === 1 ? 'job was' : 'jobs were'} skipped.`] : [];
  return joined([...ordered, ...rest].join('\n'), remarkLines(builds));
}

/** What jobs have to say besides their results. */
function remarkLines(builds: BuildSetState): string {
  const current = currentBuilds(builds);
  return decidingJobs(builds)
    .flatMap((job) => (current.get(job.key)?.remarks ?? []).map((remark) => `${job.name}: ${remark}`))
    .join('\n');
}

function jobLine(job: FrozenJob, build: Build): string {
  const { result, startTime, endTime, summary, logUrl } = build;
  const word = (result === 'SUCCESS' ? job.successMessage : job.failureMessage) ?? result ?? 'still running';
  const took = startTime !== null && endTime !== null ? ` in ${elapsed(endTime - startTime)}` : '';
  const why = summary === undefined ? '' : `: ${summary}`;
  const again = build.attempt > 1 ? ` (attempt ${build.attempt})` : '';
  return `- ${job.name} ${word}${took}${again}${job.voting ? '' : ' (non-voting)'}${why}${logUrl ? ` ${logUrl}` : ''}`;
}

/** `1h 02m 03s` and shorter. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  const [hours, minutes, rest] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m ${two(rest)}s`;
  return minutes > 0 ? `${minutes}m ${two(rest)}s` : `${rest}s`;
}

/** Puts values in the places that `{pipeline.name}`, `{pipeline}` and `{item_url}` mark. */
function filledIn(template: string, subject: ReportSubject): string {
  const values: Record<string, string> = {
    '{pipeline.name}': subject.pipeline.name,
    '{pipeline}': subject.pipeline.name,
    '{item_url}': subject.changes[0]?.url ?? '',
  };
  return template.replace(/\{pipeline\.name\}|\{pipeline\}|\{item_url\}/g, (place) => values[place] ?? place);
}
