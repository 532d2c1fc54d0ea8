import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { renderBuild, renderRefPage } from '../web/build.ts';
import { renderChange } from '../web/change.ts';
import { type Html, html, jsonScript } from '../web/html.ts';
import { type Page, renderPage } from '../web/page.ts';
import { renderStatus } from '../web/status.ts';
import { noBuild, readBuild } from './api/builds.ts';
import { readChange } from './api/change-show.ts';
import { readStatus } from './api/status.ts';
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
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
  registerSources(app);
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
  const sentence = reason.slice(0, 1).toUpperCase() + reason.slice(1);
  return {
    title: 'Not here · Sluice',
    content: html`<h1>Not here</h1><p>${sentence}.</p><p><a href="/">To the queues</a></p>`,
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
