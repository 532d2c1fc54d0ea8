import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { renderBuild, renderRefPage } from '../web/build.ts';
import { renderChange } from '../web/change.ts';
import { type Html, html, jsonScript } from '../web/html.ts';
import { renderChangesPage, renderMirrorsPage, renderReleasesPage, renderResultsPage } from '../web/lists.ts';
import { renderNodesPage } from '../web/nodes.ts';
import { type Page, renderPage } from '../web/page.ts';
import { renderStatus } from '../web/status.ts';
import { noBuild, pageOfBuildSets, readBuild } from './api/builds.ts';
import { readChange } from './api/change-show.ts';
import { pageOfChanges } from './api/changes.ts';
import type { ListPage } from './api/paging.ts';
import { pageOfMirrors, pageOfReleases } from './api/releases.ts';
import { readFailures, readStatus, workflowUrl } from './api/status.ts';
import { buildSetRow, changeView, mirrorView, releaseView } from './api/views.ts';
import type { ServerDeps } from './deps.ts';
import type { App } from './fastify.ts';

const byId = z.object({ id: z.string() });
const source = z.object({ file: z.string().regex(/^[a-z-]+\.(ts|css|svg)$/) });

const types: Readonly<Record<string, string>> = {
  ts: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Pages run our own scripts only, and take nothing from elsewhere. */
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The pages for people, drawn whole before they are sent, and the sources that keep them up to date. */
export function registerPages(app: App, deps: ServerDeps): void {
  const schema = { hide: true };
  const send = (reply: FastifyReply, page: Omit<Page, 'temporalUi'>) =>
    reply.headers(headers).send(renderPage({ ...page, temporalUi: temporalUiOf(deps) }));

  app.get('/', { schema }, async (_request, reply) => {
    const status = await readStatus(deps);
    const content = renderStatus(status, status.time);
    return send(reply, { title: 'Sluice', content, state: jsonScript('status', status), script: 'main.ts' });
  });
  app.get('/build/:id', { schema: { ...schema, params: byId } }, async ({ params }, reply) => {
    const view = await readBuild(deps, params.id);
    if (!view) return send(reply.code(404), missing(noBuild(params.id)));
    const content = html`${renderBuild(view, Date.now())}<section aria-label="Logs" id="logs">${view.logs.map(logLink)}</section>`;
    return send(reply, {
      title: `${view.build.job} · Sluice`,
      content,
      state: jsonScript('build', view),
      script: 'log.ts',
    });
  });
  app.get('/change/:id', { schema: { ...schema, params: byId } }, async ({ params }, reply) => {
    // A branch or a tag that was worked on is no change of the review system, but has builds.
    const known = await readChange(deps, params.id).catch(namesNone);
    const now = Date.now();
    if (!(known instanceof Error)) {
      const state = jsonScript('change', known);
      const title = `${known.change.key} · Sluice`;
      return send(reply, { title, content: renderChange(known, now), state, script: 'change-page.ts' });
    }
    const builds = await deps.store.listBuilds({ change: params.id, limit: 200 });
    if (builds.length === 0) return send(reply.code(404), missing(known.message));
    return send(reply, { title: 'Change · Sluice', content: renderRefPage(params.id, builds, now) });
  });
  const { nodes } = deps;
  if (nodes !== undefined) {
    app.get('/nodes', { schema }, async (_request, reply) =>
      send(reply, { title: 'Nodes · Sluice', content: renderNodesPage(await nodes.look()) }),
    );
  }
  registerLists(app, deps, send);
  registerSources(app);
}

type Send = (reply: FastifyReply, page: Omit<Page, 'temporalUi'>) => FastifyReply;

const listed = z.record(z.string(), z.string().max(1_000)).transform((words) => {
  const given = Object.entries(words).filter(([, value]) => value !== '');
  return Object.fromEntries(given) as Readonly<Record<string, string | undefined>>;
});

/** How many records one page of a list has. */
const perPage = 50;

/** How many of the newest plans stand before the releases. */
const recentPlans = 20;

/** Everything that is shown page by page. */
function registerLists(app: App, deps: ServerDeps, send: Send): void {
  const schema = { hide: true, querystring: listed };
  app.get('/results', { schema }, async ({ query }, reply) => {
    const { pipeline, project, change, result, after } = query;
    const asked = pageOfBuildSets(deps, { pipeline, project, change, result, after, limit: perPage });
    const { shown, next, fault } = await orFault(asked);
    const [failures, pipelines] = await Promise.all([readFailures(deps, shown), deps.pipelines?.().catch(() => [])]);
    const around = { failures, workflowUrl: workflowUrl(deps), pipelines: (pipelines ?? []).map(({ name }) => name) };
    const content = renderResultsPage({ shown: shown.map(buildSetRow), query, next, fault }, around, Date.now());
    return send(fault === undefined ? reply : reply.code(404), { title: 'Results · Sluice', content });
  });
  app.get('/changes', { schema }, async ({ query }, reply) => {
    const status = (['open', 'merged', 'abandoned'] as const).find((one) => one === query.status);
    const asked = pageOfChanges(deps, { status, project: query.project, after: query.after, limit: perPage });
    const { shown, next, fault } = await orFault(asked);
    const content = renderChangesPage({ shown: shown.map(changeView), query, next, fault });
    return send(fault === undefined ? reply : reply.code(404), { title: 'Changes · Sluice', content });
  });
  app.get('/releases', { schema }, async ({ query }, reply) => {
    const { project, change, after } = query;
    const { shown, next, fault } = await orFault(pageOfReleases(deps, { project, change, after, limit: perPage }));
    const listed = { shown: shown.map(releaseView), query, next, fault };
    const whole = project === undefined && change === undefined && after === undefined;
    const plans = whole ? await deps.releasePlans?.list(recentPlans) : undefined;
    const content = renderReleasesPage(listed, { workflowUrl: workflowUrl(deps), plans: plans ?? [] }, Date.now());
    return send(fault === undefined ? reply : reply.code(404), { title: 'Releases · Sluice', content });
  });
  app.get('/mirrors', { schema }, async ({ query }, reply) => {
    const { set, after } = query;
    const { shown, next, fault } = await orFault(pageOfMirrors(deps, { set, after, limit: perPage }));
    const sets = [...new Set([...(deps.configuration?.mirrorSets() ?? []), ...(await deps.store.listMirroredSets())])];
    const content = renderMirrorsPage({ shown: shown.map(mirrorView), query, next, fault }, sets.sort(), Date.now());
    return send(fault === undefined ? reply : reply.code(404), { title: 'Mirrors · Sluice', content });
  });
}

/** A name that is not known is said on the page of its list, where it can be mended. */
async function orFault<T>(asked: Promise<ListPage<T>>): Promise<ListPage<T> & { readonly fault?: string }> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Error) || !['UnknownChange', 'UnknownName', 'UnknownResult'].includes(error.name))
      throw error;
    return { shown: [], next: undefined, fault: `${sentence(error.message)}.` };
  }
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** For those without scripts: the log itself. */
function logLink({ name, url }: { readonly name: string; readonly url: string }): Html {
  return html`<p><a href="${url}">${name}</a></p>`;
}

const headers = {
  ...{ 'content-security-policy': policy, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' },
  'content-type': 'text/html; charset=utf-8',
};

function temporalUiOf({ temporalUi }: ServerDeps): string | null {
  return temporalUi && `${temporalUi.url}/namespaces/${temporalUi.namespace}/workflows`;
}

/** The error of a name that names no change, or several; any other is thrown again. */
function namesNone(error: Error): Error {
  if (error.name === 'UnknownChange') return error;
  throw error;
}

/** @param reason one sentence, as programs get it */
function missing(reason: string) {
  return {
    title: 'Not here · Sluice',
    content: html`<h1>Not here</h1><p>${sentence(reason)}.</p><p><a href="/">To the queues</a></p>`,
  };
}

/** Whatever is not there, a browser gets a page that says so; programs get `{error}`. */
export function showMissing(app: App, deps: ServerDeps): void {
  app.addHook('onSend', async ({ headers: { accept = '' } }, reply, payload) => {
    const isJson = `${reply.getHeader('content-type')}`.startsWith('application/json');
    if (reply.statusCode !== 404 || !isJson || typeof payload !== 'string' || !accept.includes('text/html'))
      return payload;
    const { error } = JSON.parse(payload) as { readonly error?: string };
    reply.removeHeader('content-length').headers(headers);
    return renderPage({ ...missing(error ?? 'there is nothing here'), temporalUi: temporalUiOf(deps) });
  });
}

/** Sources are small and few: read once, types stripped, kept with their tag. */
function registerSources(app: App): void {
  const kept = new Map<string, Promise<{ text: string; etag: string }>>();
  app.get('/web/:file', { schema: { hide: true, params: source } }, async ({ params, headers }, reply) => {
    const { file } = params;
    const found = await (kept.get(file) ?? keep(kept, file));
    reply.headers({ etag: found.etag, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
    if (headers['if-none-match'] === found.etag) return reply.code(304).send();
    return reply.type(types[file.slice(file.lastIndexOf('.') + 1)] ?? 'text/plain').send(found.text);
  });
}

function keep(kept: Map<string, Promise<{ text: string; etag: string }>>, file: string) {
  const reading = readSource(file);
  kept.set(file, reading);
  reading.catch(() => kept.delete(file));
  return reading;
}

async function readSource(file: string): Promise<{ text: string; etag: string }> {
  const path = new URL(`../web/${file}`, import.meta.url);
  const raw = await readFile(path, 'utf8').catch((error) => {
    throw error.code === 'ENOENT' ? Object.assign(new Error(`there is no ${file}`), { statusCode: 404 }) : error;
  });
  const text = file.endsWith('.ts') ? stripTypeScriptTypes(raw) : raw;
  return { text, etag: `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"` };
}
