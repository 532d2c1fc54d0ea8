import type { BuildSetRecord, Change, MirrorRecord, ReleasePlanRecord, ReleaseRecord } from '../server/api/types.ts';
import { type Html, html } from './html.ts';
import { renderPlans } from './plans.ts';
import { type Around, renderBuildSetRows, renderMirrorRows, renderReleaseRows } from './results.ts';

/** One page of a long list, as it was asked for. */
export interface Listed<T> {
  readonly shown: readonly T[];
  /** The words of the address that narrow the list; `after` among them where it is not the first page. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Where the next page begins; undefined: there is none. */
  readonly next: string | undefined;
  /** Why nothing can be shown, in a sentence. */
  readonly fault?: string | undefined;
}

/** All build sets, page by page, narrowed by what stands in the form. */
export function renderResultsPage(
  listed: Listed<BuildSetRecord>,
  around: Around & { readonly pipelines: readonly string[] },
  now: number,
): Html {
  const { query, shown } = listed;
  const results = [
    'SUCCESS',
    'FAILURE',
    'MERGE_CONFLICT',
    'MERGE_FAILURE',
    'CONFIG_ERROR',
    'NO_JOBS',
    'DEQUEUED',
    'ERROR',
  ];
  const fields = html`${choice('pipeline', around.pipelines, query)}${field('project', query)}${field('change', query)}
    ${choice('result', results, query)}`;
  return html`<h1>Results</h1>${form('/results', fields)}
    ${body(listed, () => renderBuildSetRows(shown, around, now), '/results')}`;
}

/** All changes, page by page. */
export function renderChangesPage(listed: Listed<Change>): Html {
  const fields = html`${choice('status', ['open', 'merged', 'abandoned'], listed.query)}${field('project', listed.query)}`;
  const rows = () =>
    html`<ul class="rows">${listed.shown.map(
      ({ id, key, project, branch, status, subject, owner, wip }) => html`<li><code>${key}</code>
      <span class="what"><a class="subject" href="/change/${encodeURIComponent(id)}">${subject}</a>
        <span class="meta"><b>${project}</b> ${branch} · ${owner}</span></span>
      <span class="when">${wip && status === 'open' && html`<span class="tag">work in progress</span> `}${status}</span></li>`,
    )}</ul>`;
  return html`<h1>Changes</h1>${form('/changes', fields)}${body(listed, rows, '/changes')}`;
}

/** All releases, page by page; before the newest of all, the plans. */
export function renderReleasesPage(
  listed: Listed<ReleaseRecord>,
  around: Pick<Around, 'workflowUrl'> & { readonly plans: readonly ReleasePlanRecord[] },
  now: number,
): Html {
  const fields = html`${field('project', listed.query)}${field('change', listed.query)}`;
  return html`<h1>Releases</h1>${renderPlans(around.plans, now)}${form('/releases', fields)}
    ${body(listed, () => renderReleaseRows(listed.shown, around, now), '/releases')}`;
}

/** All transactions of mirrors, page by page. */
export function renderMirrorsPage(listed: Listed<MirrorRecord>, sets: readonly string[], now: number): Html {
  return html`<h1>Mirrors</h1>${form('/mirrors', choice('set', sets, listed.query))}
    ${body(listed, () => renderMirrorRows(listed.shown, now), '/mirrors')}`;
}

function form(action: string, fields: Html): Html {
  return html`<form class="filter" action="${action}" method="get">${fields}<button>Show</button></form>`;
}

function field(name: string, query: Listed<unknown>['query']): Html {
  return html`<label>${name} <input name="${name}" value="${query[name] ?? ''}"></label>`;
}

function choice(name: string, values: readonly string[], query: Listed<unknown>['query']): Html {
  const options = ['', ...values].map(
    (value) =>
      html`<option value="${value}"${(query[name] ?? '') === value && html` selected`}>${value === '' ? 'all' : value}</option>`,
  );
  return html`<label>${name} <select name="${name}">${options}</select></label>`;
}

function body({ shown, query, next, fault }: Listed<unknown>, rows: () => Html, path: string): Html {
  if (fault !== undefined) return html`<p class="empty">${fault}</p>`;
  if (shown.length === 0) return html`<p class="empty">There is nothing of that kind.</p>`;
  const newest = query.after !== undefined && html`<a href="${address(path, query, undefined)}">The newest</a>`;
  const older = next !== undefined && html`<a rel="next" href="${address(path, query, next)}">Older ones</a>`;
  return html`${rows()}<p class="pages">${newest} ${older}</p>`;
}

function address(path: string, query: Listed<unknown>['query'], after: string | undefined): string {
  const given = Object.entries({ ...query, after }).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, value] as const],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given))}`;
}
