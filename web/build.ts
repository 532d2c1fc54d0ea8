import type { BuildRecord, BuildView, ByHand } from '../server/api/types.ts';
import { ownPath } from './address.ts';
import { decidingFailure } from './failure.ts';
import { type Html, html } from './html.ts';
import { inputsOf } from './inputs.ts';
import { resultTone, resultWords, sign } from './jobs.ts';
import { shortId, shortKey } from './queues.ts';
import { renderFailure } from './results.ts';
import { stateOf, tookOf } from './state.ts';
import { ago, moment, span } from './time.ts';

/** One build: what it was, what it left, its other attempts, its logs. */
export function renderBuild(view: BuildView, now: number): Html {
  const { build } = view;
  return html`<section class="build" aria-labelledby="title">
    <h1 id="title">${sign(resultTone(stateOf(build)), resultWords(stateOf(build)))} ${build.job}
      ${build.attempt > 1 && html`<span class="tag">attempt ${build.attempt}</span>`}
      ${build.alone && html`<span class="tag" title="started by hand; no item waits for it">alone</span>`}</h1>
    <p class="meta"><b>${build.project}</b> ${build.branch} · <a href="/change/${encodeURIComponent(build.change)}"><code>${shortKey(build.change, build.patchset)}</code></a>
      · ${build.pipeline} · ${build.label} · ${resultWords(stateOf(build))} · ${times(build, now)}
      ${view.workflowUrl !== null && html` · <a href="${view.workflowUrl}">workflow in Temporal</a>`}</p>
    ${view.byHand[build.id] !== undefined && html`<p class="meta">${view.byHand[build.id]}</p>`}
    ${build.summary !== '' && html`<p class="reason ${resultTone(stateOf(build))}">${build.summary}</p>`}
    ${renderInputs(build)}
    ${renderArtifacts(build)}
    ${view.attempts.length > 1 && renderAttempts(view, now)}
  </section>`;
}

function times(build: BuildRecord, now: number): string {
  if (build.endTime === null) return `for ${span(now - build.startTime)}`;
  const took = tookOf(build);
  return `${took === undefined ? 'never began' : `took ${span(took)}`}, ${ago(build.endTime, now)}`;
}

function renderArtifacts({ id, artifacts }: BuildRecord): Html | false {
  const files = artifacts.filter(({ metadata }) => metadata?.type !== 'log');
  if (files.length === 0) return false;
  return html`<h2>Artifacts</h2><ul class="files">${files.map(
    (file) =>
      html`<li><a href="${ownPath(file.url)}">${file.name}</a> ${typeof file.metadata?.type === 'string' && html`<span class="tag">${file.metadata.type}</span>`}${renderKept(id, file)}</li>`,
  )}</ul>`;
}

/** How long machines are kept, and how a shell is had there. */
function renderKept(id: string, { metadata }: BuildRecord['artifacts'][number]): Html | false {
  if (metadata?.type !== 'machines' || typeof metadata.until !== 'number') return false;
  return html` <span class="meta">kept until ${moment(metadata.until)} UTC: <code>sluice vm debug ${id}</code></span>`;
}

function renderInputs(build: BuildRecord): Html | false {
  const inputs = inputsOf(build);
  if (inputs === undefined) return false;
  const { digest, madeBy } = inputs;
  const again = madeBy !== undefined && html` · made by <a href="/build/${madeBy}"><code>${madeBy}</code></a>`;
  return html`<p class="meta">inputs <code>${digest}</code>${again}</p>`;
}

function renderAttempts({ attempts, build, byHand }: BuildView, now: number): Html {
  return html`<h2>Attempts</h2><ul class="rows">${attempts.map((each) => renderBuildRow(each, now, { isCurrent: each.id === build.id, byHand }))}</ul>`;
}

interface RowOptions {
  /** It is the build that the page is about. */
  readonly isCurrent?: boolean;
  readonly byHand?: ByHand;
}

/** A build in a list. */
function renderBuildRow(build: BuildRecord, now: number, { isCurrent = false, byHand = {} }: RowOptions = {}): Html {
  const { id, job, attempt, summary, startTime, endTime } = build;
  const [state, took] = [stateOf(build), tookOf(build)];
  return html`<li>${sign(resultTone(state), resultWords(state))}
    <span class="what"><a href="/build/${id}"${isCurrent && html` aria-current="page"`}><b>${job}</b>${attempt > 1 && ` ×${attempt}`}</a>${build.alone && html` <span class="tag">alone</span>`}
      <span class="meta">${[byHand[id], summary].filter(Boolean).join(' · ')}</span></span>
    <span class="when"><time title="${moment(startTime)} UTC">${ago(endTime ?? startTime, now)}</time>${took !== undefined && ` · ${span(took)}`}</span></li>`;
}

/** A branch or a tag: what every pipeline made of it. */
export function renderRefPage(id: string, builds: readonly BuildRecord[], now: number): Html {
  const [first] = builds;
  return html`<h1><code>${shortId(id)}</code></h1>
    <p class="meta">${first && html`<b>${first.project}</b> ${first.branch} · `}<code>${id}</code></p>
    ${renderChangeBuilds(builds, now)}`;
}

interface Drawing {
  readonly now: number;
  readonly byHand: ByHand;
}

/** What every pipeline made of a change: patch set by patch set, run by run, the newest first. */
export function renderChangeBuilds(builds: readonly BuildRecord[], now: number, byHand: ByHand = {}): Html {
  const patchsets = Map.groupBy(builds, ({ patchset }) => patchset);
  const newest = [...patchsets].sort(([a], [b]) => b - a);
  return html`${newest.map(([patchset, found], index) => renderPatchset(patchset, found, { now, byHand, isPast: index > 0 }))}
    ${newest.length === 0 && html`<p class="empty">No job has run for this change.</p>`}`;
}

/** The runs of an older patch set, and those of which nothing came, open when somebody wants to see them. */
function renderPatchset(
  patchset: number,
  builds: readonly BuildRecord[],
  { isPast, ...drawing }: Drawing & { readonly isPast: boolean },
): Html {
  const runs = [...Map.groupBy(builds, runOf).values()].sort((a, b) => begun(b) - begun(a));
  const latest = Map.groupBy(
    runs.filter(([one]) => one?.alone === false),
    ([one]) => one?.pipeline,
  );
  const last = new Set([...latest.values()].map(([run]) => run));
  const title = patchset > 0 ? `Patch set ${patchset}` : 'Runs';
  const drawn = runs.map((run) => renderRun(run, last.has(run), drawing));
  if (!isPast) return html`<section class="patchset" id="patchset-${patchset}"><h2>${title}</h2>${drawn}</section>`;
  return html`<details class="patchset" id="patchset-${patchset}"><summary><h2>${title}</h2>
    <span class="meta">${runs.length === 1 ? '1 run' : `${runs.length} runs`}</span></summary>${drawn}</details>`;
}

/** Whether a run was let go before any job of it came to something. */
function wasLetGo(run: readonly BuildRecord[]): boolean {
  return run.every(({ result }) => result === 'CANCELED');
}

/** A job that somebody runs again after the end is no part of the run that it repeats. */
function runOf({ pipeline, buildSet, alone }: BuildRecord): string {
  return `${pipeline} ${buildSet}${alone ? ' alone' : ''}`;
}

function begun(run: readonly BuildRecord[]): number {
  return Math.min(...run.map(({ startTime }) => startTime));
}

/** One run of a pipeline: why it failed where it is the last, then its jobs in the order in which they began, attempts after each other. */
function renderRun(run: readonly BuildRecord[], isLast: boolean, { now, byHand }: Drawing): Html {
  const [one] = run;
  if (one === undefined) return html``;
  const failure = isLast && decidingFailure(run);
  const jobs = [...Map.groupBy(run, ({ job }) => job).values()].sort((a, b) => begun(a) - begun(b));
  const inOrder = jobs.flatMap((attempts) => attempts.toSorted((a, b) => a.attempt - b.attempt));
  const title = html`<h3>${one.pipeline} <code>${one.buildSet}</code>${one.alone && html` <span class="tag">alone</span>`}
      <span class="meta"><time title="${moment(begun(run))} UTC">${ago(begun(run), now)}</time></span></h3>`;
  const rows = html`<ul class="rows">${inOrder.map((build) => renderBuildRow(build, now, { byHand }))}</ul>`;
  if (wasLetGo(run)) {
    const id = `run-${one.patchset}-${one.pipeline}-${one.buildSet}`;
    return html`<details class="run" id="${id}"><summary>${title} <span class="meta">let go before it was done</span></summary>${rows}</details>`;
  }
  return html`<section class="run">${title}
    ${failure && html`<p>${renderFailure(failure)}</p>`}
    ${rows}</section>`;
}
