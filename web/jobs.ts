import type { JobSnapshot } from '../server/api/types.ts';
import { ownPath } from './address.ts';
import { type Html, html } from './html.ts';
import { span, steadySpan } from './time.ts';

/** How something stands, in the five ways that the page draws. */
export type Tone = 'good' | 'bad' | 'running' | 'waiting' | 'neutral';

const symbols: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', running: '●', waiting: '·', neutral: '–' };

/** The sign of a state: a shape beside the colour, and words for those who see neither. */
export function sign(tone: Tone, words: string): Html {
  return html`<span class="sign ${tone}" role="img" aria-label="${words}" title="${words}">${symbols[tone]}</span>`;
}

/** The tone of a build's or a build set's result or state; null has not ended. */
export function resultTone(result: string | null): Tone {
  if (result === null || result === 'running') return 'running';
  if (result === 'waiting') return 'waiting';
  if (result === 'SUCCESS') return 'good';
  return ['SKIPPED', 'CANCELED', 'DEQUEUED', 'NO_JOBS', 'ABORTED'].includes(result) ? 'neutral' : 'bad';
}

/** A result in lower case words: `merge conflict`. */
export function resultWords(result: string | null): string {
  return result === null ? 'running' : result.toLowerCase().replaceAll('_', ' ');
}

export function jobTone(job: JobSnapshot): Tone {
  if (job.result !== null) return resultTone(job.result);
  return job.startTime === null ? 'waiting' : 'running';
}

/** What the page knows of a job besides its snapshot. */
export interface JobContext {
  /** How long the last builds took, in milliseconds. */
  readonly estimate: number | undefined;
  /** Id of the build that runs just now. */
  readonly build: string | undefined;
  readonly now: number;
}

/** One job of an item: its state, time, progress against the last builds, and why it waits or failed. */
export function renderJob(job: JobSnapshot, known: JobContext): Html {
  const { estimate, build, now } = known;
  const tone = jobTone(job);
  const words = tone === 'waiting' ? 'waiting' : resultWords(job.result);
  const page = job.logUrl === undefined ? build && `/build/${build}` : logPage(job.logUrl);
  const name = page === undefined ? html`${job.name}` : html`<a href="${page}">${job.name}</a>`;
  const line = job.result === null ? job.waiting.join('; ') : job.summary;
  return html`<li class="job ${tone}">
    ${sign(tone, words)}<span class="name">${name}</span>
    ${!job.voting && html`<span class="tag" title="does not decide">non-voting</span>`}
    ${job.attempt > 1 && html`<span class="tag" title="this is attempt ${job.attempt}">×${job.attempt}</span>`}
    <span class="time">${jobTime(job, estimate, now)}</span>
    ${tone === 'running' && progress(job, estimate, now)}
    ${line !== '' && html`<span class="line" title="${line}">${line}</span>`}
    ${repositories(job)}</li>`;
}

/** The page that shows a log of ours; any other address as it is. */
function logPage(url: string): string {
  const build = /\/api\/builds\/([^/?]+)\/log/.exec(url)?.[1];
  return build === undefined ? url : `/build/${build}`;
}

function jobTime(job: JobSnapshot, estimate: number | undefined, now: number): string {
  if (job.startTime === null) return '';
  if (job.endTime !== null) return span(job.endTime - job.startTime);
  const running = now - job.startTime;
  if (estimate === undefined || running > estimate) return steadySpan(running);
  return `${steadySpan(running)} of ~${steadySpan(estimate)}`;
}

function progress(job: JobSnapshot, estimate: number | undefined, now: number): Html {
  const label = `progress of ${job.name}`;
  if (estimate === undefined || job.startTime === null) return html`<progress aria-label="${label}"></progress>`;
  const done = Math.min(0.98, (now - job.startTime) / Math.max(1, estimate));
  return html`<progress aria-label="${label}" max="100" value="${Math.round(done * 100)}"></progress>`;
}

function repositories(job: JobSnapshot): readonly Html[] {
  const found = job.artifacts.filter(({ metadata }) => metadata?.type === 'test-repository');
  return found.map(({ url }) => html`<a class="repository" href="${ownPath(url)}">test repository</a>`);
}
