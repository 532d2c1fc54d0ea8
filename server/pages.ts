import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { renderBuild, renderChangePage } from '../web/build.ts';
import { type Html, html, jsonScript } from '../web/html.ts';
import { type Page, renderPage } from '../web/page.ts';
import { renderStatus } from '../web/status.ts';
import { readBuild } from './api/builds.ts';
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
  const temporalUi = deps.temporalUi && `${deps.temporalUi.url}/namespaces/${deps.temporalUi.namespace}/workflows`;
  const send = (reply: FastifyReply, page: Omit<Page, 'temporalUi'>) =>
    reply
      .headers({ 'content-security-policy': policy, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' })
      .type('text/html; charset=utf-8')
      .send(renderPage({ ...page, temporalUi }));

  app.get('/', { schema }, async (_request, reply) => {
    const status = await readStatus(deps);
    const content = renderStatus(status, status.time);
    return send(reply, { title: 'Sluice', content, state: jsonScript('status', status), script: 'main.ts' });
  });
  app.get('/build/:id', { schema: { ...schema, params: byId } }, async ({ params }, reply) => {
    const view = await readBuild(deps, params.id);
    if (!view) return send(reply.code(404), missing(`build ${params.id}`));
    const content = html`${renderBuild(view, Date.now())}<section aria-label="Logs" id="logs">${view.logs.map(logLink)}</section>`;
    return send(reply, {
      title: `${view.build.job} · Sluice`,
      content,
      state: jsonScript('build', view),
      script: 'log.ts',
    });
  });
  app.get('/change/:id', { schema: { ...schema, params: byId } }, async ({ params }, reply) => {
    const change = await deps.changes.read(params.id).catch(() => ({ id: params.id }));
    const builds = await deps.store.listBuilds({ change: change.id, limit: 200 });
    return send(reply, { title: 'Change · Sluice', content: renderChangePage(change, builds, Date.now()) });
  });
  registerSources(app);
}

/** For those without scripts: the log itself. */
function logLink({ name, url }: { readonly name: string; readonly url: string }): Html {
  return html`<p><a href="${url}">${name}</a></p>`;
}

function missing(what: string) {
  return {
    title: 'Not here · Sluice',
    content: html`<h1>There is no ${what}</h1><p><a href="/">To the queues</a></p>`,
  };
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
