import { z } from 'zod';
import { noop } from '../../pipelines/language/noop.ts';
import type { JobVariant } from '../../pipelines/language/stanza.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { ActAbout } from '../../pipelines/policy/act.ts';
import { answered, asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import { proposesConfig } from '../events/closure.ts';
import type { App } from '../fastify.ts';
import type { HoldRequest } from '../holds.ts';
import { authenticate } from '../token.ts';
import { resolveChange } from './change-names.ts';
import { requireKnown } from './known-names.ts';
import type { AddedHold } from './types.ts';
import { unknownName } from './unknown-name.ts';

const name = z.string().min(1).max(500);
const which = z.object({ id: name.describe('a hold’s id') });
const longest = 365 * 24 * 3600;
const longestReason = 500;

const wish = z
  .object({
    job: name,
    project: name.optional(),
    change: name.optional().describe('a change'),
    ref: name.optional().describe('a branch, or a ref by its whole name'),
    // It is shown on other people's terminals.
    reason: z
      .string()
      .max(longestReason)
      .regex(/^\P{Cc}*$/u, 'it may have no line breaks and no other control characters'),
    count: z.int().min(1).max(100).describe('of how many failed builds'),
    seconds: z.int().min(60).max(longest).nullable().describe('how long each stays; null: until the hold is deleted'),
  })
  .refine(
    ({ change, ref }) => change === undefined || ref === undefined,
    'a change has no other ref: give one of them',
  );

/** Nodes of jobs that fail: whose are to stay, and which do. */
export function registerHolds(app: App, deps: ServerDeps): void {
  const { holds } = deps;
  if (holds === undefined) return;
  const onRequest = authenticate(deps);
  const unknown = async (id: string) =>
    unknownName(
      'hold',
      id,
      (await holds.list()).map((hold) => hold.id),
    );
  app.get('/api/holds', { schema: { summary: 'Holds, and the nodes that are held' } }, () => holds.list());
  app.get('/api/holds/:id', { schema: { summary: 'One hold', params: which } }, async ({ params: { id } }) => {
    const found = (await holds.list()).find((hold) => hold.id === id);
    if (found === undefined) throw await unknown(id);
    return found;
  });
  app.post(
    '/api/holds',
    { onRequest, schema: { summary: 'Hold the nodes of the next failed builds of a job', body: wish } },
    async (request, reply) => {
      const { job, project, change, ref, ...rest } = request.body;
      const mayBring = await requireJob(deps, job, change);
      if (project !== undefined) await requireKnown(deps, { project, limit: 1 });
      if (ref !== undefined) await requireRef(deps, ref);
      const scope = {
        ...{ job, ...rest },
        ...(project === undefined ? {} : { project }),
        ...(change === undefined ? {} : { change: await resolveChange(deps, change) }),
        ...(ref === undefined ? {} : { ref }),
      } satisfies HoldRequest;
      const hold = await holds.add(asks(request, 'hold', aboutHold(scope)), scope);
      answered(request, { hold: hold.id });
      const answer: AddedHold = mayBring.length === 0 ? hold : { ...hold, mayBring };
      return reply.code(201).send(answer);
    },
  );
  app.post(
    '/api/holds/delete',
    { onRequest, schema: { summary: 'Delete a hold, and remove what it holds', body: which } },
    async (request) => {
      const { id } = request.body;
      const deleted = await holds.delete(asks(request, 'hold', { action: 'delete', hold: id }), id);
      if (deleted === null) throw await unknown(id);
      return deleted;
    },
  );
}

function aboutHold({ job, project, change, ref }: HoldRequest): ActAbout & { readonly changes: readonly string[] } {
  return {
    ...{ job, changes: change === undefined ? [] : [change] },
    ...(project === undefined ? {} : { project }),
    ...(ref === undefined ? {} : { ref }),
  };
}

/**
 * A job that is configured and may have nodes, or that a change has brought, or may.
 *
 * @param change whose failure is waited for, absent: any's; one with configuration in it may bring any job
 * @returns the changes that may bring it, where nobody has it now
 * @throws `UnknownName`
 */
async function requireJob(deps: ServerDeps, job: string, change: string | undefined): Promise<readonly string[]> {
  const layout = await deps.layout?.().catch(() => undefined);
  const variants = layout?.jobs.get(job);
  if (job === noop.name) throw new Misused('noop has no nodes that could be held');
  if (variants !== undefined && isAbstract(variants)) {
    throw new Misused(`${job} is abstract: it never runs; name a job that inherits from it`);
  }
  if (layout === undefined || variants !== undefined) return [];
  if ((await deps.store.listBuilds({ job, limit: 1 })).length > 0) return [];
  const queued = (await deps.store.listQueues()).flatMap(({ items }) => items.flatMap(({ jobs }) => jobs));
  if (queued.some(({ name }) => name === job)) return [];
  const bringing = (await candidates(deps, change)).filter(proposesConfig);
  if (bringing.length > 0) return bringing.map(({ id }) => id);
  const holdable = [...layout.jobs].filter(([name, variants]) => name !== noop.name && !isAbstract(variants));
  throw unknownName(
    'job',
    job,
    holdable.map(([name]) => name),
  );
}

function isAbstract(variants: readonly JobVariant[]): boolean {
  return variants.every(({ attributes }) => attributes.abstract === true);
}

/** The change that is named, else all that are open: what one with configuration brings is known as it is tested. */
async function candidates({ changes }: ServerDeps, change: string | undefined): Promise<readonly Change[]> {
  if (change === undefined) return changes.list({ status: 'open' });
  return changes.read(change).then(
    (found) => [found],
    () => [],
  );
}

/** A branch or tag may come to be; what names a change is none. */
async function requireRef({ changes }: ServerDeps, ref: string): Promise<void> {
  const change = await changes.read(ref).catch(() => null);
  if (change !== null && change.kind === 'change') throw new Misused(`${ref} is a change, and no ref: give it as one`);
}

/** Asked for as it can never be. */
class Misused extends Error {
  readonly statusCode = 400;
}
