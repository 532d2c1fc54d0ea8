import type { BuildRecord, BuildSetRecord, MirrorRecord, ReleaseRecord, StatusView } from '../server/api/types.ts';
import { folded } from './fold.ts';
import { type Html, html } from './html.ts';
import { resultTone, resultWords, sign, type Tone } from './jobs.ts';
import { shortKey, workflowLink } from './queues.ts';
import { ago, moment, span } from './time.ts';

/** The latest build sets that have ended. */
export function renderBuildSets(view: StatusView, now: number): Html {
  const ended = view.buildSets.filter(({ endTime }) => endTime !== null);
  if (ended.length === 0) return html`<p class="empty">Nothing has ended yet.</p>`;
  return html`${renderBuildSetRows(ended, view, now)}<p class="pages"><a href="/results">All results</a></p>`;
}

/** What a row of results needs besides its record. */
export type Around = Pick<StatusView, 'failures' | 'workflowUrl'>;

/** Build sets in their order; those that follow each other and were let go before they were done are folded. */
export function renderBuildSetRows(sets: readonly BuildSetRecord[], around: Around, now: number): Html {
  const groups: BuildSetRecord[][] = [];
  for (const set of sets) {
    const before = groups.at(-1);
    if (set.result === 'DEQUEUED' && before?.[0]?.result === 'DEQUEUED') before.push(set);
    else groups.push([set]);
  }
  const rows = groups.map((group) => {
    const [first] = group;
    const drawn = group.map((set) => renderBuildSet(set, around, now));
    const rest = (count: number) => `${count} runs that were let go before they were done`;
    return first === undefined ? html`` : folded(drawn, { id: `fold-${first.workflow}`, first: 0, rest });
  });
  return html`<ul class="rows">${rows}</ul>`;
}

function renderBuildSet(set: BuildSetRecord, view: Around, now: number): Html {
  const { startTime, endTime } = set;
  const failure = view.failures.find(({ pipeline, buildSet }) => pipeline === set.pipeline && buildSet === set.key);
  return html`<li id="set-${set.workflow}">${sign(resultTone(set.result), resultWords(set.result))}
    <span class="what"><a href="/change/${encodeURIComponent(set.change)}"><b>${set.project}</b> <code>${shortKey(set.change, set.patchset)}</code></a>
      <span class="meta">${set.pipeline} · ${resultWords(set.result)}</span>
      ${failure && renderFailure(failure)}</span>
    <span class="when">${endTime === null ? html`<time title="${moment(startTime)} UTC">${ago(startTime, now)}</time>` : html`<time title="${moment(endTime)} UTC">${ago(endTime, now)}</time> · ${span(endTime - startTime)}`}
      ${workflowLink(view, set.workflow, `build set of ${set.project}`)}</span></li>`;
}

/** Why a build set failed, in one line: the job that decided, and what it says. */
export function renderFailure({ id, job, summary, result }: BuildRecord): Html {
  return html`<span class="meta reason bad"><a href="/build/${id}">${job}</a>: ${summary || resultWords(result)}</span>`;
}

/** Releases, newest first, with what each published. */
export function renderReleases(view: StatusView, now: number): Html {
  if (view.releases.length === 0) return html`<p class="empty">Nothing was released yet.</p>`;
  return html`${renderReleaseRows(view.releases, view, now)}<p class="pages"><a href="/releases">All releases, and plans</a></p>`;
}

/** Some releases, in the order in which they are given. */
export function renderReleaseRows(releases: readonly ReleaseRecord[], around: Linked, now: number): Html {
  return html`<ul class="rows">${releases.map((release) => renderRelease(release, around, now))}</ul>`;
}

type Linked = Pick<StatusView, 'workflowUrl'>;

function renderRelease(release: ReleaseRecord, around: Linked, now: number): Html {
  const names = [...new Set(release.packages.map(({ name, version }) => `${name} ${version}`))];
  return html`<li id="release-${release.id}">${sign(stateTone(release.state), release.state)}
    <span class="what"><b>${release.project}</b> <span class="meta">${release.summary}</span>
      ${names.length > 0 && html`<span class="packages">${names.map((name) => html`<span class="tag">${name}</span> `)}</span>`}
      ${release.repositories.map(({ format, name = format, url }) => html`<a class="repository" href="${url}">${name} repository</a> `)}</span>
    <span class="when"><time title="${moment(release.startTime)} UTC">${ago(release.endTime ?? release.startTime, now)}</time>
      ${release.origin !== null && html` · ${release.origin}`} ${workflowLink(around, release.workflow ?? release.id, `release of ${release.project}`)}</span></li>`;
}

/** Mirror transactions, newest first, and sets that have none. */
export function renderMirrors(view: StatusView, now: number): Html {
  const { mirrors, unsyncedMirrors: never = [] } = view;
  const left = never.filter((set) => !mirrors.some((mirror) => mirror.set === set));
  if (mirrors.length + left.length === 0) return html`<p class="empty">There are no mirrors.</p>`;
  const all = mirrors.length > 0 && html`<p class="pages"><a href="/mirrors">All transactions</a></p>`;
  return html`${mirrors.length > 0 && renderMirrorRows(mirrors, now)}
    ${left.length > 0 && html`<ul class="rows">${left.map(renderUnsynced)}</ul>`}${all}`;
}

/** Some transactions of mirrors, in the order in which they are given. */
export function renderMirrorRows(mirrors: readonly MirrorRecord[], now: number): Html {
  return html`<ul class="rows">${mirrors.map((mirror) => renderMirror(mirror, now))}</ul>`;
}

function renderUnsynced(set: string): Html {
  return html`<li id="mirror-set-${set}">${sign('neutral', 'never synced')}
    <span class="what"><b>${set}</b> <span class="meta">was never synced</span></span></li>`;
}

interface ShownHost {
  readonly outcome?: string;
  readonly error?: { readonly message: string } | null;
}

function renderMirror(mirror: MirrorRecord, now: number): Html {
  const hosts = Object.entries((mirror.result?.hosts ?? {}) as Record<string, ShownHost>);
  const words = mirror.result?.did === 'rolled-back' ? `rolled back: ${mirror.outcome}` : mirror.outcome;
  return html`<li id="mirror-${mirror.id}">${sign(stateTone(mirror.outcome), words)}
    <span class="what"><b>${mirror.set}</b> <span class="meta">${mirror.snapshot ?? ''} ${words}</span>
      ${hosts.map(([name, { outcome }]) => html`<span class="tag" title="${outcome ?? ''}">${name} ${sign(stateTone(outcome ?? ''), outcome ?? '')}</span> `)}
      ${mirror.artifacts.map(({ name, url }) => html`<a class="repository" href="${url}">${name}</a> `)}
      ${hosts.map(([name, { error }]) => error && html`<span class="meta reason bad">${name}: ${error.message}</span>`)}</span>
    <span class="when"><time title="${moment(mirror.startTime)} UTC">${ago(mirror.endTime ?? mirror.startTime, now)}</time></span></li>`;
}

/** How a release, a plan or a mirror transaction stands. */
export function stateTone(state: string): Tone {
  if (state === 'running') return 'running';
  if (['excluded', 'waiting', 'planned', 'reverted', 'superseded'].includes(state)) return 'neutral';
  return ['published', 'committed', 'unchanged'].includes(state) ? 'good' : 'bad';
}
