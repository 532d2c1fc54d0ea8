import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerDeps } from './deps.ts';
import type { WebhookDeps } from './ingest/port.ts';
import type { Machines } from './machines.ts';

/** Liveness, readiness and metrics for those who watch the server. */
export function registerHealth(app: FastifyInstance, deps: ServerDeps, metrics: Registry): void {
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

export interface Metrics {
  readonly registry: Registry;
  readonly countDelivery: WebhookDeps['count'];
}

export function createMetrics({ store, live, machines }: ServerDeps): Metrics {
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
  if (machines !== undefined) watchMachines(registry, machines);
  return { registry, countDelivery: watchOccurrences(registry, store) };
}

/** Whether virtual machines are prepared: the alarm of a night that failed. */
function watchMachines(registry: Registry, machines: Machines): void {
  new Gauge({
    name: 'sluice_machines_unprepared',
    help: 'Whether the last preparation of the virtual machines of a platform has failed: 1, else 0',
    labelNames: ['platform'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      // While Temporal is away nothing is known, and nothing said.
      const failed = await machines.unprepared().catch(() => null);
      if (failed === null) return;
      for (const platform of machines.platforms) {
        this.set({ platform }, failed.some((each) => each.platform === platform) ? 1 : 0);
      }
    },
  });
}

/** What review systems tell: deliveries as they are answered, and what is not handled. */
function watchOccurrences(registry: Registry, store: ServerDeps['store']): WebhookDeps['count'] {
  const registers = [registry];
  const deliveries = new Counter({
    name: 'sluice_webhook_deliveries_total',
    help: 'Deliveries of review systems, by what they came to',
    labelNames: ['connection', 'answered'] as const,
    registers,
  });
  new Gauge({
    name: 'sluice_occurrences',
    help: 'Events of review systems that wait to be handled, or were given up (dead)',
    labelNames: ['connection', 'state'] as const,
    registers,
    async collect() {
      this.reset();
      for (const { connection, waiting, dead } of await store.occurrences.backlog()) {
        this.set({ connection, state: 'waiting' }, waiting);
        this.set({ connection, state: 'dead' }, dead);
      }
    },
  });
  return (connection, answered) => deliveries.inc({ connection, answered });
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
    if (type !== 'build' || data.endTime === null || data.waiting) return;
    const { pipeline, job, result } = data;
    seconds.observe({ pipeline, job, result: result ?? 'none' }, (data.endTime - data.startTime) / 1000);
  });
}

function labelsOf({ tenant, pipeline, queue }: { tenant: string; pipeline: string; queue: string }) {
  return { tenant, pipeline, queue };
}
