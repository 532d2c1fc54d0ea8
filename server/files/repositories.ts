import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { listingOf } from './listing.ts';

/** Repositories as package managers read them: plain files with ranges and validators, and a listing for people. */
export async function registerRepositories(
  app: FastifyInstance,
  { paths, url = '', rpmName = 'sluice' }: ServerDeps,
): Promise<void> {
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
      list: { format: 'html', render: listingOf({ root, prefix, url, id: rpmName }) },
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
