import type { ItemSnapshot, JobSnapshot, QueueSnapshot, StatusView } from '../server/api/types.ts';
import { type Html, html } from './html.ts';
import { type JobContext, jobTone, renderJob, sign, type Tone } from './jobs.ts';
import { ago, moment, steadySpan } from './time.ts';

/** Everything in the queues: pipelines, their queues, the items in order with their chain. */
export function renderQueues(view: StatusView, now: number): Html {
  const used = Map.groupBy(view.queues, ({ pipeline }) => pipeline);
  const described = new Map((view.pipelines ?? []).map(({ name, description }) => [name, description]));
  const names = [...new Set([...described.keys(), ...used.keys()])];
  const first =
    used.size === 0 &&
    html`<p class="empty">No pipeline has seen a change yet. Push one: <code>git push origin HEAD:refs/for/BRANCH</code></p>`;
  const pipelines = names.map((name) => {
    const queues = used.get(name) ?? [];
    return renderPipeline({ name, description: queues[0]?.description || (described.get(name) ?? '') }, queues, {
      view,
      now,
    });
  });
  return html`${first}${pipelines}`;
}

interface Context {
  readonly view: StatusView;
  readonly now: number;
}

interface Heading {
  readonly name: string;
  readonly description: string;
}

function renderPipeline({ name, description }: Heading, queues: readonly QueueSnapshot[], context: Context): Html {
  const busy = queues.filter(({ items }) => items.length > 0);
  const idle = queues.filter(({ items }) => items.length === 0).map(({ queue }) => queue);
  const count = busy.reduce((sum, { items }) => sum + items.length, 0);
  return html`<section class="pipeline" id="pipeline-${name}" aria-labelledby="title-${name}">
    <header><h3 id="title-${name}">${name}</h3>
      <span class="count">${count === 0 ? 'empty' : `${count} ${count === 1 ? 'item' : 'items'}`}</span>
      <p class="description">${description}</p></header>
    ${busy.map((queue) => renderQueue(queue, context))}${queues.map((queue) => renderUndelivered(queue, context.now))}
    ${idle.length > 0 && html`<p class="idle"><span>nothing in</span> ${idle.map((queue) => html`<span class="tag">${queue}</span> `)}</p>`}
  </section>`;
}

/** How many of the reports that were given up are shown, the latest first. */
const mostUndelivered = 5;

function renderUndelivered({ undelivered = [], queue }: QueueSnapshot, now: number): Html | false {
  const latest = undelivered.slice(-mostUndelivered).reverse();
  if (latest.length === 0) return false;
  const rows = latest.map(({ changes, kind, reason, time }) => {
    const about = changes.map(
      (key) =>
        html`<a href="/change/${encodeURIComponent(key.slice(0, key.lastIndexOf(',')))}"><code>${key}</code></a> `,
    );
    const what = kind === 'report' ? 'A report on' : 'Word to another pipeline about';
    return html`<li class="reason bad">${what} ${about} was given up: ${reason} <time title="${moment(time)} UTC">${ago(time, now)}</time></li>`;
  });
  return html`<ul class="undelivered" aria-label="not delivered, ${queue}">${rows}</ul>`;
}

function renderQueue(queue: QueueSnapshot, context: Context): Html {
  const window = queue.window === 0 ? 'no window' : `window ${queue.window}`;
  const shared = queue.manager === 'dependent';
  // One more is no longer than the line that would stand for it.
  const whole = queue.items.length === mostWhole + 1 ? mostWhole + 1 : mostWhole;
  return html`<div class="queue" id="queue-${queue.workflow}">
    <h4>${queue.queue}${shared && html` <span class="tag" title="items that are worked on at once">${window}</span>`}
      ${workflowLink(context.view, queue.workflow, `queue ${queue.queue}`)}</h4>
    <ol class="items ${shared ? 'chain' : 'apart'}">
      ${queue.items.slice(0, whole).map((_, index) => renderItem(queue, index, context))}</ol>
    ${renderRest(queue, whole)}</div>`;
}

/** Items of a queue that are drawn whole: those that a window of the usual size works on. */
const mostWhole = 20;

/** The items behind those, a line each. */
function renderRest(queue: QueueSnapshot, whole: number): Html | false {
  const rest = queue.items.slice(whole);
  if (rest.length === 0) return false;
  const lines = rest.map(
    (item) => html`<li id="item-${item.id}">${sign(itemTone(item), item.state)}
      <span class="what">${item.changes.map(renderChange)}</span>
      ${item.reason !== '' && html`<span class="when">${item.reason}</span>`}</li>`,
  );
  return html`<details id="rest-${queue.workflow}"><summary>${rest.length} more behind them</summary><ol class="rows">${lines}</ol></details>`;
}

function renderItem(queue: QueueSnapshot, index: number, context: Context): Html {
  const item = queue.items[index] as ItemSnapshot;
  const before = queue.items[index - 1];
  const { view, now } = context;
  const tone = itemTone(item);
  const left = tone === 'bad' ? undefined : timeLeft(item, context);
  return html`<li class="item ${tone} ${link(item, before)}" id="item-${item.id}">
    <div class="head">${sign(tone, item.state)}
      <div class="changes">${item.changes.map(renderChange)}</div>
      <p class="when"><time datetime="${new Date(item.enqueueTime).toISOString()}" title="enqueued ${moment(item.enqueueTime)} UTC">${ago(item.enqueueTime, now)}</time>
        ${left !== undefined && html`<span class="left">~${steadySpan(left)} left</span>`}
        ${item.workflow !== null && workflowLink(view, item.workflow, `build set of ${item.id}`)}</p></div>
    ${stands(item, before, queue)}
    ${item.reason !== '' && html`<p class="reason">${item.reason}</p>`}
    ${item.jobs.length > 0 && html`<ul class="jobs">${item.jobs.map((job) => renderJob(job, jobContext(queue, item, { ...context, job })))}</ul>`}
  </li>`;
}

function jobContext(
  { pipeline }: QueueSnapshot,
  item: ItemSnapshot,
  context: Context & { readonly job: JobSnapshot },
): JobContext {
  const { view, now, job } = context;
  const build = view.running.find(
    (each) => each.job === job.name && each.pipeline === pipeline && item.changes.some(({ id }) => id === each.change),
  );
  return { estimate: view.estimates[`${item.changes[0]?.project ?? ''} ${job.name}`], build: build?.id, now };
}

function renderChange(change: ItemSnapshot['changes'][number]): Html {
  return html`<p class="change"><a class="subject" href="/change/${encodeURIComponent(change.id)}">${change.subject || change.id}</a>${change.wip && html` <span class="tag">work in progress</span>`}
    <span class="meta"><b>${change.project}</b> ${change.branch} · <code>${shortKey(change.id, change.patchset)}</code>${change.owner && html` · ${change.owner}`}</span></p>`;
}

/** A Change-Id in the length that people use; a branch or tag by its name and commit. */
export function shortId(id: string): string {
  const [, name, commit] = /:refs\/(?:heads|tags)\/(.+)@(?:([0-9a-f]{7})[0-9a-f]*)?$/.exec(id) ?? [];
  if (name !== undefined) return commit === undefined ? name : `${name} @ ${commit}`;
  return /^I[0-9a-f]{40}$/.test(id) ? id.slice(0, 9) : id;
}

/** A patch set as people name it; branches and tags have none. */
export function shortKey(id: string, patchset: number): string {
  return patchset > 0 ? `${shortId(id)},${patchset}` : shortId(id);
}

/** How the item's line in the picture goes on to what stands before it. */
function link(item: ItemSnapshot, before: ItemSnapshot | undefined): string {
  if (item.ahead === null) return 'first';
  return item.ahead === before?.id ? 'linked' : 'jumping';
}

/** Said in words when an item does not stand on the one before it. */
function stands(item: ItemSnapshot, before: ItemSnapshot | undefined, queue: QueueSnapshot): Html | false {
  if (before === undefined || item.ahead === before.id || item.ahead === null) return false;
  const base = queue.items.find(({ id }) => id === item.ahead)?.changes[0];
  return html`<p class="stands">tested on top of ${base?.subject || shortId(base?.id ?? item.ahead)}</p>`;
}

function itemTone(item: ItemSnapshot): Tone {
  if (item.state === 'failing') return 'bad';
  if (item.state === 'merging' || item.state === 'reporting') {
    return item.jobs.some((job) => job.voting && jobTone(job) === 'bad') ? 'bad' : 'good';
  }
  return item.state === 'waiting' || !item.active ? 'waiting' : 'running';
}

/** The longest path through the jobs that are still to do, by the last builds' times; unknown when one is. */
function timeLeft(item: ItemSnapshot, { view, now }: Context): number | undefined {
  const project = item.changes[0]?.project ?? '';
  const jobs = new Map(item.jobs.map((job) => [job.key, job]));
  const known = new Map<string, number>();
  const left = (key: string): number => {
    const found = known.get(key);
    const job = jobs.get(key);
    if (found !== undefined || job === undefined || job.result !== null) return found ?? 0;
    known.set(key, 0);
    const whole = view.estimates[`${project} ${job.name}`] ?? Number.NaN;
    const own = job.startTime === null ? whole : Math.max(0, whole - (now - job.startTime));
    const total = own + Math.max(0, ...job.dependencies.map(left));
    known.set(key, total);
    return total;
  };
  const total = Math.max(0, ...item.jobs.map(({ key }) => left(key)));
  return total > 0 ? total : undefined;
}

/** A link to Temporal's Web UI, where there is one. */
export function workflowLink(
  view: { readonly workflowUrl: string | null },
  workflow: string,
  what: string,
): Html | false {
  if (view.workflowUrl === null) return false;
  const href = view.workflowUrl + encodeURIComponent(workflow);
  return html`<a class="temporal" href="${href}" title="${what} in Temporal’s Web UI" aria-label="${what} in Temporal’s Web UI">↗</a>`;
}
