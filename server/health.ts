import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerDeps } from './deps.ts';

/** Liveness, readiness and metrics for those who watch the server. */
export function registerHealth(app: FastifyInstance, deps: ServerDeps): void {
  const metrics = createMetrics(deps);
  app.get('/health/live', async () => ({ ok: true }));
  app.get('/health/ready', async (_request, reply) => {
    try {
      await deps.ready();
      return { ok: true };
    } catch (error) {
      return reply.code(503).send({ ok: false, reason: (error as Error).message });
    }
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}

function createMetrics({ store, live }: ServerDeps): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const labelNames = ['tenant', 'pipeline', 'queue'] as const;
  new Gauge({
    name: 'sluice_queue_items',
    help: 'Items in a queue',
    labelNames,
    registers,
    async collect() {
      this.reset();
      for (const { items, ...queue } of await store.listQueues()) this.set(labelsOf(queue), items.length);
    },
  });
  new Gauge({
    name: 'sluice_queue_window',
    help: 'Items of a queue that may be worked on at once; 0 is no limit',
    labelNames,
    registers,
    async collect() {
      this.reset();
      for (const { window, ...queue } of await store.listQueues()) this.set(labelsOf(queue), window);
    },
  });
  new Gauge({
    name: 'sluice_watchers',
    help: 'Open event streams',
    registers,
    collect() {
      this.set(live.watchers);
    },
  });
  watchBuilds(registry, live);
  return registry;
}

/** Counts builds as they end while this process runs. */
function watchBuilds(registry: Registry, live: ServerDeps['live']): void {
  const seconds = new Histogram({
    name: 'sluice_build_seconds',
    help: 'How long builds took',
    labelNames: ['pipeline', 'job', 'result'] as const,
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200],
    registers: [registry],
  });
  live.subscribe(({ type, data }) => {
    if (type !== 'build' || data.endTime === null) return;
    const { pipeline, job, result } = data;
    seconds.observe({ pipeline, job, result: result ?? 'none' }, (data.endTime - data.startTime) / 1000);
  });
}

function labelsOf({ tenant, pipeline, queue }: { tenant: string; pipeline: string; queue: string }) {
  return { tenant, pipeline, queue };
}
