import type { ChangeShown } from '../server/api/types.ts';
import { renderChangeBuilds } from './build.ts';
import { folded } from './fold.ts';
import { type Html, html } from './html.ts';
import { ago, moment } from './time.ts';

/** A change's whole page: the same on the server and, live, in the browser. */
export function renderChange(shown: ChangeShown, now: number): Html {
  const all = `/results?${new URLSearchParams({ change: shown.change.id })}`;
  return html`${renderChangeStory(shown, now)}${renderChangeBuilds(shown.builds, now, shown.byHand)}
    <p class="pages"><a href="${all}">All its runs</a></p>`;
}

/** A change of the review system: its story first, then the facts that it is told from. */
function renderChangeStory(shown: ChangeShown, now: number): Html {
  const { change, commit, story, needs, fetch } = shown;
  return html`<h1>${change.subject}</h1>
    <p class="meta"><b>${change.project}</b> ${change.branch} · <code>${change.key}</code> · ${change.owner} · ${change.wip && change.status === 'open' ? 'work in progress' : change.status}
      ${commit && html`· commit <code title="${commit}">${commit.slice(0, 12)}</code>`}</p>
    <section aria-label="Story"><p>${story.state}</p>
      ${list('Why', story.why.map(withCode))}${list('It waits for', story.waitsFor.map(withCode))}
      ${list('What you can do', story.next.map(withCode))}</section>
    ${list('Needs', needs.map(renderNeed))}
    ${list(
      'Votes',
      change.votes.map(({ label, value, by }) => html`${label} ${signed(value)} by ${by}`),
    )}
    ${list(
      'Labels',
      (change.labels ?? []).map((label) => html`${label}`),
    )}
    ${list(
      'Files',
      (change.files ?? ['too many to list']).map((file) => html`<code>${file}</code>`),
    )}
    <h2>Fetch it</h2><pre>${fetch}</pre>
    <h2>What happened</h2><ul class="rows">${folded(allThatHappened(shown, now), {
      id: 'earlier',
      first: 20,
      rest: (count) => `${count} earlier ones`,
    })}</ul>`;
}

function list(title: string, entries: readonly Html[]): Html | false {
  const lines = entries.map((entry) => html`<li>${entry}</li>`);
  const fold = {
    id: `more-${title.toLowerCase().replaceAll(' ', '-')}`,
    first: 20,
    rest: (count: number) => `${count} more`,
  };
  return entries.length > 0 && html`<h2>${title}</h2><ul>${folded(lines, fold)}</ul>`;
}

/** A sentence whose commands stand between backticks. */
function withCode(sentence: string): Html {
  return html`${sentence.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function renderNeed({ id, subject, status }: ChangeShown['needs'][number]): Html {
  return html`<a href="/change/${encodeURIComponent(id)}"><code>${id}</code></a> ${subject} · ${status}`;
}

/** What its host tells of it, and what people asked Sluice for, the newest first. */
function allThatHappened({ happenings, acts }: ChangeShown, now: number): readonly Html[] {
  const told = happenings.map((each) => ({ time: each.time, row: renderHappening(each, now) }));
  const asked = acts.map((each) => ({ time: each.time, row: renderAct(each, now) }));
  return [...told, ...asked].sort((a, b) => b.time - a.time).map(({ row }) => row);
}

function renderAct({ time, by, text }: ChangeShown['acts'][number], now: number): Html {
  return html`<li><span class="what"><b>${by}</b> ${text}</span>
    <span class="when"><time title="${moment(time)} UTC">${ago(time, now)}</time></span></li>`;
}

function renderHappening(happening: ChangeShown['happenings'][number], now: number): Html {
  const { type, time, by, patchset, text, votes, report } = happening;
  const what = type === 'patchset' ? `patch set ${patchset}` : type === 'comment' ? '' : type;
  return html`<li><span class="what"><b>${by}</b> ${report && html`${report.pipeline} · ${report.action}`} ${what}
      ${votes.map(({ label, value }) => html`<span class="tag">${label} ${signed(value)}</span> `)}
      ${text !== null && html`<pre>${text}</pre>`}</span>
    <span class="when"><time title="${moment(time)} UTC">${ago(time, now)}</time></span></li>`;
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value}`;
}
