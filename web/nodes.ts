import type { BuildNodes, NodesView } from '../server/api/types.ts';
import { type Html, html } from './html.ts';
import { sign } from './jobs.ts';
import { labelWords } from './labels.ts';
import { shortKey } from './queues.ts';
import { ago, moment, span } from './time.ts';

/** What of each provider is in use, who has which nodes, and who waits for some. */
export function renderNodesPage(view: NodesView): Html {
  const { providers, lent, waiting, unlisted, time } = view;
  return html`<h1>Nodes</h1>
    <section aria-labelledby="providers"><h2 id="providers">Providers</h2><ul class="rows">${providers.map(renderProvider)}</ul></section>
    ${renderHosts(providers.flatMap(({ hosts = [] }) => hosts))}
    ${renderMachines(providers.flatMap(({ machines = [] }) => machines))}
    ${renderReady(providers, time)}
    <section aria-labelledby="lent"><h2 id="lent">Lent</h2>${
      lent.length === 0
        ? html`<p class="empty">Nobody has any nodes.</p>`
        : html`<ul class="rows">${lent.map((one) => renderLent(one, time))}</ul>${others(unlisted.lent)}`
    }</section>
    <section aria-labelledby="waiting"><h2 id="waiting">Waiting</h2>${
      waiting.length === 0
        ? html`<p class="empty">Nobody waits for nodes.</p>`
        : html`<ol class="rows">${waiting.map((one) => renderWaiting(one, time))}</ol>${others(unlisted.waiting)}`
    }</section>`;
}

type Provider = NodesView['providers'][number];

function renderProvider({ provider, used, free, most, waiting, machines }: Provider): Html {
  const inside = [
    share(used.cores, most.maxCores, free.cores, 'cores'),
    share(used.ramGb, most.maxRamGb, free.ramGb, 'GB of memory'),
  ];
  const nodes = share(used.servers, most.maxServers, free.servers, 'nodes');
  // Of machines that are there nobody counts what is in them.
  const parts = [nodes, ...(machines === undefined ? inside : [])];
  return html`<li>${sign(waiting > 0 ? 'waiting' : 'good', waiting > 0 ? 'jobs wait' : 'nobody waits')}
    <span class="what"><b>${provider}</b> <span class="meta">${parts.join(' · ')}</span></span>
    <span class="when">${waiting > 0 && `${waiting} waiting`}</span></li>`;
}

function renderHosts(hosts: NonNullable<Provider['hosts']>): Html {
  if (hosts.length === 0) return html``;
  const rows = hosts.map(({ name, used, most, free, takesJobs, words }) => {
    const parts = [share(used.servers, takesJobs ? most.maxServers : undefined, free.servers, 'nodes'), words];
    return html`<li>${sign(takesJobs ? 'good' : 'waiting', words)}
      <span class="what"><b>${name}</b> <span class="meta">${parts.join(' · ')}</span></span></li>`;
  });
  return html`<section aria-labelledby="hosts"><h2 id="hosts">Hosts</h2><ul class="rows">${rows}</ul></section>`;
}

type Machine = NonNullable<Provider['machines']>[number];

function renderMachines(machines: readonly Machine[]): Html {
  if (machines.length === 0) return html``;
  return html`<section aria-labelledby="machines"><h2 id="machines">Machines</h2>
    <ul class="rows">${machines.map(renderMachine)}</ul></section>`;
}

function renderMachine({ name, labels, state, build, why }: Machine): Html {
  const [tone, words] = {
    free: ['good', 'free'] as const,
    lent: ['running', 'lent'] as const,
    out: ['bad', 'out of service'] as const,
  }[state];
  const has = build !== undefined && html` · <a href="/build/${encodeURIComponent(build)}">${build}</a>`;
  return html`<li>${sign(tone, words)}
    <span class="what"><b>${name}</b> <span class="meta">${labels.join(', ')} · ${why === undefined ? words : `${words}: ${why}`}${has}</span></span></li>`;
}

function renderReady(providers: readonly Provider[], now: number): Html {
  const rows = providers.flatMap(({ provider, ready }) => ready.map((node) => ({ provider, ...node })));
  if (rows.length === 0) return html``;
  return html`<section aria-labelledby="ready"><h2 id="ready">Ready</h2><ul class="rows">${rows.map(
    ({ provider, label, state, since, words, host }) => html`<li>${sign(state === 'ready' ? 'good' : 'waiting', words)}
      <span class="what"><b>${label}</b> <span class="meta">${onHost(provider, host)} · ${words}</span></span>
      <span class="when"><time title="${moment(since)} UTC">${ago(since, now)}</time></span></li>`,
  )}</ul></section>`;
}

function onHost(provider: string, host: string | undefined): string {
  return host === undefined ? provider : `${provider}, on ${host}`;
}

/** `3 of 4 nodes, 1 free`; without a limit `3 nodes in use`. */
function share(used: number, most: number | undefined, free: number | null, what: string): string {
  return most === undefined || free === null ? `${used} ${what} in use` : `${used} of ${most} ${what}, ${free} free`;
}

function renderLent(nodes: NodesView['lent'][number], now: number): Html {
  const { state, hold } = nodes;
  const [tone, words] = {
    works: ['running', 'at work'] as const,
    held: ['waiting', 'held'] as const,
    lost: ['bad', 'its job has ended: being removed'] as const,
  }[state];
  const left = hold !== undefined && (hold.until === null ? 'until deleted' : `another ${span(hold.until - now)}`);
  const how = hold === undefined || state === 'lost' ? words : `hold ${hold.id}, ${left}`;
  const said = nodes.host === undefined ? how : `on ${nodes.host} · ${how}`;
  return row(nodes, { mark: sign(tone, words), said, now });
}

function renderWaiting(nodes: NodesView['waiting'][number], now: number): Html {
  return row(nodes, { mark: sign('waiting', 'waiting'), said: `place ${nodes.place}: ${nodes.why}`, now });
}

function row(nodes: BuildNodes, { mark, said, now }: { mark: Html; said: string; now: number }): Html {
  const { project, change, patchset, job, build, provider, label, servers, cores, ramGb, since } = nodes;
  const inside = cores === 0 && ramGb === 0 ? '' : `, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${ramGb} GB`;
  const size = `${servers} × ${provider}${label === '' ? '' : ` (${labelWords(label)})`}${inside}`;
  const key =
    change !== null &&
    html`<a href="/change/${encodeURIComponent(change)}"><code>${shortKey(change, patchset ?? 0)}</code></a>`;
  return html`<li>${mark}
    <span class="what"><a href="/build/${encodeURIComponent(build)}">${job ?? build}</a> <b>${project}</b> ${key}
      <span class="meta">${size} · ${said}</span></span>
    <span class="when">${since !== null && html`<time title="${moment(since)} UTC">${ago(since, now)}</time>`}</span></li>`;
}

function others(count: number): Html {
  return html`${count > 0 && html`<p class="pages">and ${count} more, which are not listed</p>`}`;
}
