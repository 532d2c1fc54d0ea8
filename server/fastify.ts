import fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ServerDeps } from './deps.ts';
import { plainPlus } from './files/repositories.ts';

/** A Fastify whose routes are typed by their Zod schemas. */
export type App = ReturnType<typeof createFastify>;

export function createFastify(deps: Pick<ServerDeps, 'logger'>) {
  const app = fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : {}),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    routerOptions: { maxParamLength: 512 },
    rewriteUrl: ({ url = '/' }) => plainPlus(url),
    // Event streams and followed logs end with the server.
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Nothing is called so, and the store cannot even be asked for it.
  app.addHook('preValidation', async ({ params, query }, reply) => {
    const given = [params, query].flatMap((one) => Object.values(one ?? {}));
    if (given.some((one) => String(one).includes('\0'))) {
      await reply.code(400).send({ error: 'a name cannot have a zero byte in it' });
    }
  });
  return app;
}
