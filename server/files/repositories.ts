import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { type ClientFiles, clientFile } from './client-files.ts';
import { listingOf, repositoryId } from './listing.ts';
import { sendFile, typeOf } from './send-file.ts';

/** Repositories as package managers read them: plain files with ranges and validators, and a listing for people. */
export async function registerRepositories(
  app: FastifyInstance,
  { paths, released, url = '', rpmName = 'sluice' }: Pick<ServerDeps, 'paths' | 'released' | 'url' | 'rpmName'>,
): Promise<void> {
  registerGenerations(app, released);
  registerClientFiles(app, {
    root: paths.released,
    address: `${url}/released`,
    idOf: (name) => repositoryId(rpmName, name),
  });
  const shelf = (prefix: string, root: string): FastifyStaticOptions => ({
    root,
    prefix,
    decorateReply: prefix === releasedPrefix,
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
  await app.register(fastifyStatic, shelf('/repositories/', paths.repositories));
  await app.register((scope, _options, done) => {
    void scope.register(fastifyStatic, shelf(releasedPrefix, paths.released));
    scope.addHook('onRequest', (request, reply) => sendFromOneState(paths.released, request, reply));
    done();
  });
}

const releasedPrefix = '/released/';

/**
 * The file server looks for a file by its path, and opens it by its path again: by then the repository may show another
 * state, with another file of another size. So each file is sent from the state that is shown when it is asked for.
 */
async function sendFromOneState(root: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const [, name = '', path = ''] = /^\/released\/([a-z0-9][a-z0-9._-]*)(\/[^?]*[^?/])/.exec(request.url) ?? [];
  const tree = name === '' ? null : await realpath(join(root, name)).catch(() => null);
  const file = tree === null ? null : decoded(path);
  if (tree === null || file === null) return;
  const found = await stat(join(tree, file)).catch(() => null);
  // Folders are listed, and everything else is refused, as ever.
  if (found?.isFile()) return reply.sendFile(file, tree);
}

/** Null for what is no path. */
function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Beside each released repository what its clients put among their own sources, under an address that stays. */
function registerClientFiles(app: FastifyInstance, of: ClientFiles): void {
  const path = '/released/:file(^[a-z][a-z0-9._-]*\\.(?:repo|sources)$)';
  app.get<{ readonly Params: { readonly file: string } }>(path, async (request, reply) => {
    const text = await clientFile(of, request.params.file);
    if (text === null) return reply.code(404).send({ error: `there is nothing at ${request.url}` });
    return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(`${text}\n`);
  });
}

interface GenerationFile {
  readonly Params: { readonly repository: string; readonly generation: string; readonly '*': string };
}

/** Each state of a released repository under an address of its own, for jobs that began when it was shown. */
function registerGenerations(app: FastifyInstance, released: ServerDeps['released']): void {
  app.get<GenerationFile>('/released/generations/:repository/:generation/*', async (request, reply) => {
    const { '*': path, ...of } = request.params;
    const content = await released.open(of, path);
    if (content !== null) return sendFile(request, reply, { content, type: typeOf(path), immutable: true });
    return reply.code(404).send({ error: `there is nothing at ${request.url}` });
  });
}

/**
 * APT asks for `%2b` where a version has a plus; the file server would look for a file of that very name. In a query
 * the two mean different things, so only the path is touched.
 */
export function plainPlus(url: string): string {
  const [path = '', ...query] = url.split('?');
  return [path.replace(/%2b/gi, '+'), ...query].join('?');
}
