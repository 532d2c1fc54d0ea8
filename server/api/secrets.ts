import { z } from 'zod';
import { demand } from '../../pipelines/policy/access.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticateBy, workerTokenFile } from '../token.ts';
import { mayWorkFor, nearWorker, workerIn } from '../worker/rights.ts';

const name = z.string().min(1).max(500);
const keyOf = z.object({ tenant: name, '*': z.string().describe('PROJECT.pub; the project’s slashes as they are') });

const playbook = z.object({
  ...{ project: name, branch: name, path: name },
  secrets: z.array(z.object({ name, secret: name })),
});
const request = z.object({
  build: name,
  job: name,
  sources: z.array(z.object({ project: name, branch: name, commit: name })),
  secrets: z.object({
    uses: z.array(z.object({ secret: name, project: name, encrypted: z.string().regex(/^sha256:[0-9a-f]{64}$/) })),
    playbooks: z.array(playbook),
    exposure: z.enum(['ignore', 'redact', 'fail']),
    seal: name,
  }),
});

/** Public keys for all, and plain text for the workers of this installation alone. */
export function registerSecrets(app: App, { secrets, workers }: ServerDeps): void {
  app.get(
    '/api/tenant/:tenant/key/*',
    { schema: { summary: 'The key that a project’s secrets are encrypted with, as PEM', params: keyOf } },
    async ({ params }, reply) => {
      const project = /^(.+)\.pub$/.exec(params['*'])?.[1];
      const key = project === undefined ? undefined : await secrets.publicKey(params.tenant, project);
      if (key !== undefined) return reply.type('application/x-pem-file').send(key);
      const error =
        project === undefined
          ? `${params['*']} is no key: keys are at key/PROJECT.pub`
          : `tenant ${params.tenant} has no project ${project}: its projects are in sluice.yaml`;
      return reply.code(404).send({ error });
    },
  );
  app.post(
    '/api/secrets',
    {
      onRequest: authenticateBy(workerIn({ secrets, workers }), workerTokenFile),
      schema: { summary: 'For workers: the secrets of a build that runs', body: request },
    },
    async (request, reply) => {
      const { build } = request.body;
      demand(actorOf(request), 'open-secrets', { name: build });
      const near = actorOf(request) === nearWorker;
      if (!near && workers !== undefined && !(await mayWorkFor(workers, { request, reply }, { build }))) return reply;
      return reply.header('cache-control', 'no-store').send(await secrets.open(request.body));
    },
  );
}
