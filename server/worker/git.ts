import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { GitRequest } from '../../activities/git/serve.ts';
import type { App } from '../fastify.ts';
import type { Workers } from './port.ts';

const params = z.object({ '*': z.string().describe('PROJECT.git, and what Git asks of it') });
const tipQuery = z.object({ project: z.string().min(1), branch: z.string().min(1) });

/** Sources, for Git clients that fetch: speculative states too, by their commits. Nothing can be pushed. */
export function registerGit(app: App, { sources, branchTip }: Workers): void {
  const answer = async (reply: FastifyReply, request: GitRequest) => {
    const found = await sources.answer(request);
    if (found === null) return reply.code(404).send({ error: `there is no project ${request.project} here` });
    return reply.code(found.status).headers(found.headers).send(Readable.from(found.body));
  };
  app.get(
    '/git/*',
    { schema: { summary: 'For workers: fetch from a project', params }, exposeHeadRoute: false },
    async (request, reply) => {
      const project = /^(.+)\.git\/info\/refs$/.exec(request.params['*'])?.[1];
      const { service } = request.query as { readonly service?: unknown };
      if (project === undefined || service !== 'git-upload-pack') {
        return reply.code(403).send({ error: 'sources are only fetched here, by a Git that speaks smart HTTP' });
      }
      return answer(reply, { project, path: 'info/refs', body: null, headers: headersOf(request.headers) });
    },
  );
  app.post('/git/*', { schema: { summary: 'For workers: fetch from a project', params } }, async (request, reply) => {
    const project = /^(.+)\.git\/git-upload-pack$/.exec(request.params['*'])?.[1];
    if (project === undefined)
      return reply.code(403).send({ error: 'nothing is pushed here: changes go to their host' });
    const body = request.body as Readable;
    return answer(reply, { project, path: 'git-upload-pack', body, headers: headersOf(request.headers) });
  });
  app.get(
    '/tip',
    { schema: { summary: 'For workers: the commit that a branch is at', querystring: tipQuery } },
    async ({ query }) => ({ commit: await branchTip(query.project, query.branch) }),
  );
}

function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): GitRequest['headers'] {
  const one = (name: string, pattern: RegExp) => {
    const value = headers[name];
    return typeof value === 'string' && pattern.test(value) ? value : undefined;
  };
  const type = one('content-type', /^application\/x-git-upload-pack-request$/);
  const encoding = one('content-encoding', /^(gzip|x-gzip)$/);
  const protocol = one('git-protocol', /^version=\d$/);
  return {
    ...(type === undefined ? {} : { type }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}
