import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What counts together, for each address: routes by how they begin, and requests a minute. */
interface Limit {
  readonly name: string;
  readonly routes: readonly string[];
  /** None: package managers and pages fetch thousands of files. */
  readonly perMinute: number | null;
}

const limits: readonly Limit[] = [
  { name: 'files', routes: ['/repositories/', '/released/', '/web/', '/health/'], perMinute: null },
  // A worker asks for every file that a build reads or leaves, and several may come from one address.
  { name: 'workers', routes: ['/api/worker/'], perMinute: 60_000 },
  { name: 'deliveries', routes: ['/api/connection/'], perMinute: 60_000 },
];

/** All else: the API, the pages, and what is not there. */
const others: Limit = { name: 'others', routes: [], perMinute: 3_000 };

/**
 * Counts every request before anything else is done with it: before a token is looked at, and where no route is found.
 * To be called before routes are added.
 */
export async function limitRequests(app: FastifyInstance): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    max: (request) => limitOf(request).perMinute ?? Number.POSITIVE_INFINITY,
    timeWindow: '1 minute',
    keyGenerator: (request) => `${limitOf(request).name} ${normalizeIP(request.ip)}`,
    allowList: (request) => limitOf(request).perMinute === null,
  });
  app.addHook('onRequest', app.rateLimit());
}

/** By the route that was found, not by the letters of the address: they can be written in many ways. */
function limitOf({ routeOptions: { url } }: FastifyRequest): Limit {
  return limits.find(({ routes }) => routes.some((prefix) => url?.startsWith(prefix))) ?? others;
}
