import { z } from 'zod';
import { freezeJobs } from '../../pipelines/language/language.ts';
import { shippedProject } from '../../pipelines/model/shipped.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';

const name = z.string().min(1).max(500);
const question = z.object({
  ...{ pipeline: name, project: name, branch: name },
  file: z
    .union([z.array(name), name])
    .optional()
    .describe('paths that the change touches; absent: not known'),
});

/** The configuration of the pipelines as it is in force: what is wrong with it, and what it comes to. */
export function registerConfig(app: App, { layout }: ServerDeps): void {
  if (layout === undefined) return;
  app.get(
    '/api/config/problems',
    { schema: { summary: 'What is wrong with the configuration in force' } },
    async () => ({
      errors: (await layout()).problems,
    }),
  );
  const schema = { summary: 'The jobs that a change would run', querystring: question };
  app.get('/api/config/freeze', { schema }, async ({ query }) => {
    const { pipeline, project, branch, file } = query;
    const known = await layout();
    const { pipelines, projects } = known;
    const missing = !pipelines.has(pipeline)
      ? { what: `pipeline "${pipeline}"`, there: [...pipelines.keys()] }
      : { what: `project "${project}"`, there: [...projects.byName.keys()].filter((name) => name !== shippedProject) };
    if (!pipelines.has(pipeline) || projects.byName.get(project) === undefined) {
      const message = `${missing.what} is not known to the server; there are: ${missing.there.join(', ') || 'none'}`;
      return { errors: [{ path: '', line: 1, column: 1, severity: 'error', message }] };
    }
    const files = file === undefined ? null : [file].flat();
    return freezeJobs(known, { pipeline, change: { id: 'change', project, branch, files } });
  });
}
