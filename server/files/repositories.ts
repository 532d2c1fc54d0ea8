import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
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
