import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors, jsonSchemaTransform } from 'fastify-type-provider-zod';
import { registerActing } from './api/act.ts';
import { registerArtifacts } from './api/artifacts.ts';
import { registerAudit } from './api/audit.ts';
import { registerBuilds } from './api/builds.ts';
import { registerByHand } from './api/by-hand.ts';
import { registerChanges } from './api/changes.ts';
import { registerConfig } from './api/config.ts';
import { registerDebugging } from './api/debugging.ts';
import { registerExcuses } from './api/excuses.ts';
import { registerExports } from './api/exports.ts';
import { registerHolds } from './api/holds.ts';
import { registerMachines } from './api/machines.ts';
import { registerMirrors } from './api/mirrors.ts';
import { registerNodes } from './api/nodes.ts';
import { registerOutputFiles } from './api/output-files.ts';
import { registerReleaseMetadata } from './api/release-metadata.ts';
import { registerReleasePlans } from './api/release-plans.ts';
import { registerReleases } from './api/releases.ts';
import { registerSecrets } from './api/secrets.ts';
import { registerSources } from './api/sources.ts';
import { registerStatus } from './api/status.ts';
import { registerStorage } from './api/storage.ts';
import { keepActs } from './audit.ts';
import type { ServerDeps } from './deps.ts';
import { type App, createFastify } from './fastify.ts';
import { registerRepositories } from './files/repositories.ts';
import { createMetrics, registerHealth } from './health.ts';
import { registerWebhooks } from './ingest/webhook.ts';
import { limitRequests } from './limits.ts';
import { registerPages, showMissing } from './pages.ts';
import { registerTestService } from './test-service/register.ts';
import { registerWorkers } from './worker/register.ts';

/** The whole HTTP side: API, event stream, repositories, pages, health and metrics. Listens on nothing yet. */
export async function createApp(deps: ServerDeps): Promise<FastifyInstance> {
  const app = createFastify(deps);
  app.setErrorHandler(answerError);
  await limitRequests(app);
  keepActs(app, deps);
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ error: `there is nothing at ${request.url}` }));
  showMissing(app, deps);
  await app.register(swagger, {
    openapi: { info: { title: 'Sluice', description: 'A gate for Linux package repositories.', version: '1' } },
    transform: jsonSchemaTransform,
  });
  for (const register of [
    registerStatus,
    registerBuilds,
    registerReleases,
    registerChanges,
    registerExcuses,
    registerActing,
    registerReleaseMetadata,
    registerReleasePlans,
    registerSecrets,
    registerSources,
  ])
    register(app, deps);
  registerStorage(app, deps);
  registerAudit(app, deps);
  registerConfig(app, deps);
  registerMachines(app, deps);
  registerDebugging(app, deps);
  registerHolds(app, deps);
  registerByHand(app, deps);
  registerMirrors(app, deps);
  registerExports(app, deps);
  registerNodes(app, deps);
  registerTestService(app, deps);
  const metrics = createMetrics(deps);
  registerWebhooks(app, { ...deps.ingest, count: metrics.countDelivery });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
  registerArtifacts(app, deps);
  registerOutputFiles(app, deps);
  registerPages(app, deps);
  registerHealth(app, deps, metrics.registry);
  await registerRepositories(app, deps);
  await registerWorkers(app, deps);
  return app;
}

/** Errors that say no to what was asked, by name, and the status that tells so. */
const refusals: Readonly<Record<string, number>> = {
  Refused: 409,
  Denied: 403,
  UnknownChange: 404,
  UnknownName: 404,
  UnknownResult: 400,
  OtherContent: 409,
  NoSuchBlob: 409,
  NotKept: 409,
  OtherSession: 409,
  SessionEnds: 409,
  NothingKept: 404,
  SourceFault: 409,
  HostAway: 503,
  HostSilent: 503,
  BadName: 400,
};

/** What the schemas' library says of the commonest mistakes, and how we say it. */
const wordings: readonly [theirs: RegExp, ours: string][] = [
  [/^Too small: expected string to have >=1 characters$/, 'there is nothing in it'],
  [/^Too big: expected string to have <=(\d+) characters$/, 'it may have $1 characters at most'],
  [/^Too small: expected \w+ to be >=(-?\d+)$/, 'it must be $1 at least'],
  [/^Too big: expected \w+ to be <=(-?\d+)$/, 'it may be $1 at most'],
  [/^Invalid input: expected (\w+), received undefined$/, 'it is missing'],
  [/^Invalid input: expected (\w+), received (\w+)$/, 'expected $1, found $2'],
  [/^Invalid option: expected one of (.+)$/, 'expected one of $1'],
];

function plainly(message = ''): string {
  const [theirs, ours] = wordings.find(([pattern]) => pattern.test(message)) ?? [];
  return theirs === undefined || ours === undefined ? message : message.replace(theirs, ours).replaceAll('"|"', '", "');
}

/** Every error is one sentence; what is wrong inside stays in the log. */
function answerError(error: unknown, request: Parameters<Parameters<App['setErrorHandler']>[0]>[1], reply: Reply) {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const found = error.validation.map(({ instancePath, message }) => {
      const where = instancePath.replace(/^\//, '');
      return where === '' ? plainly(message) : `${where}: ${plainly(message)}`;
    });
    return reply.code(400).send({ error: found.join('; ') });
  }
  const { name, message, ...rest } = error as { name: string; message: string; statusCode?: number };
  const statusCode = rest.statusCode ?? refusals[name] ?? 500;
  if (statusCode < 500) return reply.code(statusCode).send({ error: message });
  request.log.error(error);
  return reply.code(statusCode).send({ error: `the server cannot do that now: ${message}` });
}

type Reply = Parameters<Parameters<App['setErrorHandler']>[0]>[2];
