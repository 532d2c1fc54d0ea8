import type { BuildRecord, BuildView } from '../server/api/types.ts';
import { decidingFailure } from './failure.ts';
import { type Html, html } from './html.ts';
import { resultTone, resultWords, sign } from './jobs.ts';
import { shortId, shortKey } from './queues.ts';
import { renderFailure } from './results.ts';
import { ago, moment, span } from './time.ts';

/** One build: what it was, what it left, its other attempts, its logs. */
export function renderBuild(view: BuildView, now: number): Html {
  const { build } = view;
  return html`<section class="build" aria-labelledby="title">
    <h1 id="title">${sign(resultTone(build.result), resultWords(build.result))} ${build.job}
      ${build.attempt > 1 && html`<span class="tag">attempt ${build.attempt}</span>`}
      ${build.alone && html`<span class="tag" title="started by hand; no item waits for it">alone</span>`}</h1>
    <p class="meta"><b>${build.project}</b> ${build.branch} · <a href="/change/${encodeURIComponent(build.change)}"><code>${shortKey(build.change, build.patchset)}</code></a>
      · ${build.pipeline} · ${build.label} · ${resultWords(build.result)} · ${times(build, now)}
      ${view.workflowUrl !== null && html` · <a href="${view.workflowUrl}">workflow in Temporal</a>`}</p>
    ${build.summary !== '' && html`<p class="reason ${resultTone(build.result)}">${build.summary}</p>`}
    ${renderArtifacts(build)}
    ${view.attempts.length > 1 && renderAttempts(view, now)}
  </section>`;
}

function times(build: BuildRecord, now: number): string {
  if (build.endTime === null) return `running for ${span(now - build.startTime)}`;
  return `took ${span(build.endTime - build.startTime)}, ${ago(build.endTime, now)}`;
}

function renderArtifacts({ artifacts }: BuildRecord): Html | false {
  const files = artifacts.filter(({ metadata }) => metadata?.type !== 'log');
  if (files.length === 0) return false;
  return html`<h2>Artifacts</h2><ul class="files">${files.map(
    ({ name, url, metadata }) =>
      html`<li><a href="${url}">${name}</a> ${typeof metadata?.type === 'string' && html`<span class="tag">${metadata.type}</span>`}</li>`,
  )}</ul>`;
}

function renderAttempts({ attempts, build }: BuildView, now: number): Html {
  return html`<h2>Attempts</h2><ul class="rows">${attempts.map((each) => renderBuildRow(each, now, each.id === build.id))}</ul>`;
}

/** A build in a list. */
function renderBuildRow(build: BuildRecord, now: number, current = false): Html {
  const { id, job, attempt, result, summary, startTime, endTime } = build;
  return html`<li>${sign(resultTone(result), resultWords(result))}
    <span class="what"><a href="/build/${id}"${current && html` aria-current="page"`}><b>${job}</b>${attempt > 1 && ` ×${attempt}`}</a>${build.alone && html` <span class="tag">alone</span>`}
      <span class="meta">${summary}</span></span>
    <span class="when"><time title="${moment(startTime)} UTC">${ago(endTime ?? startTime, now)}</time>${endTime !== null && ` · ${span(endTime - startTime)}`}</span></li>`;
}

/** A branch or a tag: what every pipeline made of it. */
export function renderRefPage(id: string, builds: readonly BuildRecord[], now: number): Html {
  const [first] = builds;
  return html`<h1><code>${shortId(id)}</code></h1>
    <p class="meta">${first && html`<b>${first.project}</b> ${first.branch} · `}<code>${id}</code></p>
    ${renderChangeBuilds(builds, now)}`;
}

/** What every pipeline made of a change, patch set by patch set. */
export function renderChangeBuilds(builds: readonly BuildRecord[], now: number): Html {
  const sets = Map.groupBy(builds, ({ pipeline, patchset }) => `${pipeline} · patch set ${patchset}`);
  return html`${[...sets].map(([title, found]) => renderAttemptsAt(title, found, now))}
    ${sets.size === 0 && html`<p class="empty">No job has run for this change.</p>`}`;
}

/** What a pipeline made of a patch set; above the builds, why the last build set failed. */
function renderAttemptsAt(title: string, builds: readonly BuildRecord[], now: number): Html {
  const last = builds.filter(({ buildSet }) => buildSet === builds[0]?.buildSet);
  const failure = decidingFailure(last);
  return html`<section><h2>${title}</h2>${failure && html`<p>${renderFailure(failure)}</p>`}
    <ul class="rows">${builds.map((build) => renderBuildRow(build, now))}</ul></section>`;
}
