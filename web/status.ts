import type { StatusView } from '../server/api/types.ts';
import { type Html, html } from './html.ts';
import { renderQueues } from './queues.ts';
import { renderBuildSets, renderMirrors, renderReleases } from './results.ts';

/** The main page's content: the same function draws it on the server and, live, in the browser. */
export function renderStatus(view: StatusView, now: number): Html {
  const notice = view.configuration ?? null;
  return html`${notice !== null && html`<p class="notice" id="configuration" role="status">${notice.text}</p>`}
    ${(view.unprepared ?? []).map(({ platform, text }) => html`<p class="notice" id="unprepared-${platform}" role="status">${text}</p>`)}
    ${(view.absent ?? []).map(({ connection, project, text }) => html`<p class="notice" id="absent-${connection}-${project}" role="status">${text}</p>`)}
    <section class="queues" aria-labelledby="queues"><h2 id="queues">Queues</h2>${renderQueues(view, now)}</section>
    <div class="past">
      <section aria-labelledby="results"><h2 id="results">Results</h2>${renderBuildSets(view, now)}</section>
      <div><section aria-labelledby="releases"><h2 id="releases">Releases</h2>${renderReleases(view, now)}</section>
      <section aria-labelledby="mirrors"><h2 id="mirrors">Mirrors</h2>${renderMirrors(view, now)}</section></div>
    </div>`;
}
