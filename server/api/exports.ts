import { z } from 'zod';
import { demand } from '../../pipelines/policy/access.ts';
import type { BuildSetRecord } from '../../workflows/contract.ts';
import { parseBuildSetId } from '../../workflows/ids.ts';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { authenticate } from '../token.ts';

const which = z.object({ buildSet: z.string().min(1).max(2_000).describe('its key, or its workflow’s id') });

/** Build sets, with all that is needed to run them elsewhere. */
export function registerExports(app: App, deps: ServerDeps): void {
  const { exports } = deps;
  if (exports === undefined) return;
  const onRequest = authenticate(deps);
  app.post(
    '/api/exports',
    { onRequest, schema: { summary: 'A build set with all that it worked with, as a tar archive', body: which } },
    async (request, reply) => {
      const name = request.body.buildSet;
      demand(asks(request, 'export', { buildSet: name }), 'export', { name });
      const found = await findBuildSets(deps, name);
      const [record] = found;
      if (record === undefined) {
        return reply.code(404).send({ error: `there is no build set ${name}: see \`sluice buildsets\`` });
      }
      const fault = faultOf(found, record);
      if (fault !== undefined) return reply.code(409).send({ error: fault });
      return reply.type('application/x-tar').send(await exports.make(record));
    },
  );
}

async function findBuildSets({ store }: ServerDeps, name: string): Promise<readonly BuildSetRecord[]> {
  if (!name.startsWith('buildset/')) return store.listBuildSets({ buildSet: name, limit: 10 });
  const buildSet = keyIn(name);
  if (buildSet === undefined) return [];
  const found = await store.listBuildSets({ buildSet, limit: 500 });
  return found.filter(({ workflow }) => workflow === name);
}

function keyIn(workflow: string): string | undefined {
  try {
    return parseBuildSetId(workflow).key;
  } catch {
    return undefined;
  }
}

function faultOf(found: readonly BuildSetRecord[], record: BuildSetRecord): string | undefined {
  if (found.length > 1) {
    return `${record.key} names several build sets: give one of ${found.map(({ workflow }) => workflow).join(', ')}`;
  }
  if (record.endTime !== null) return undefined;
  return `build set ${record.key} is still running: it can be exported when it has ended`;
}
