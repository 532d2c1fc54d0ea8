import { basename } from 'node:path';
import fastifyStatic, { type ListRender } from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { escapeHtml } from '../../web/html.ts';
import type { ServerDeps } from '../deps.ts';

/** Repositories as package managers read them: plain files with ranges and validators, and a listing for people. */
export async function registerRepositories(app: FastifyInstance, { paths }: ServerDeps): Promise<void> {
  for (const [prefix, root] of [
    ['/repositories/', paths.repositories],
    ['/released/', paths.released],
  ] as const) {
    await app.register(fastifyStatic, {
      root,
      prefix,
      decorateReply: false,
      index: false,
      dotfiles: 'ignore',
      list: { format: 'html', render: renderListing },
      // Package managers ask whether an index has changed; nothing may be kept unasked.
      cacheControl: false,
      setHeaders: (reply) => {
        reply.header('cache-control', 'no-cache');
        reply.header('x-content-type-options', 'nosniff');
      },
    });
  }
}

/**
 * APT asks for `%2b` where a version has a plus; the file server would look for a file of that very name. In a query
 * the two mean different things, so only the path is touched.
 */
export function plainPlus(url: string): string {
  const [path = '', ...query] = url.split('?');
  return [path.replace(/%2b/gi, '+'), ...query].join('?');
}

const renderListing: ListRender = (directories, files) => {
  const rows = [...directories.map(({ name, href }) => ({ name: `${name}/`, href: `${href}/` })), ...files];
  const items = rows.map(({ name, href }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></li>`);
  const title = escapeHtml(basename(rows[0]?.href.replace(/\/[^/]*\/?$/, '') ?? '') || 'empty');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<link rel="icon" href="/web/icon.svg"><link rel="stylesheet" href="/web/style.css"><main><h1>${title}</h1><ul class="files">${items.join('')}</ul></main>`;
};
