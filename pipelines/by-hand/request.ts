import { z } from 'zod';
import { nodeSizeSchema } from '../export/graph.ts';
import { loneJob } from '../jobs/lone-job.ts';
import { digestSchema } from '../model/artifact.ts';
import type { FrozenJob } from '../model/job.ts';

/** The pipeline that such builds are shown under. */
export const handPipeline = 'by-hand';

const name = z.string().min(1).max(500);
const id = z.string().max(200).describe('empty where there is no history');
/** What stands for a repository that is not sent: a worker's own directories are nobody's to name. */
const isUrl = /^https?:\/\//;
/** A node of a job of an export: a label, where it has what its platform says. */
const node = z.union([name, z.object({ label: name, size: nodeSizeSchema })]);
const submodule = z.object({ path: z.string(), commit: z.string(), source: z.string() });

/** What is run by hand; a source, packages, a repository's tree or an export comes with it as an archive. */
const handRequest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('build'),
    platform: name,
    source: z.object({ project: name, branch: z.string().max(500), commit: id, tree: id }),
    modules: z.array(submodule).max(1_000).readonly(),
  }),
  z.object({
    kind: z.literal('lint'),
    platform: name.optional().describe('absent: the first of the format'),
    format: z.enum(['deb', 'rpm']),
  }),
  z
    .object({
      kind: z.literal('install-test'),
      platform: name,
      repository: z.string().min(1).max(2_000).describe('its URL, or what the one that comes along is called'),
      sent: z.boolean().describe('whether it comes along'),
      packages: z.array(name).min(1).max(1_000).readonly(),
      timeout: z.number().positive().max(86_400_000).describe('milliseconds for each step'),
    })
    .refine(({ repository, sent }) => sent || isUrl.test(repository), {
      path: ['repository'],
      message: 'it is no URL: a directory is sent',
    }),
  z.object({
    kind: z.literal('import'),
    dryRun: z.boolean(),
    jobs: z
      .array(
        z.object({ nodesets: z.array(z.array(node).max(1_000).readonly()).max(1_000).readonly(), stays: z.boolean() }),
      )
      .max(10_000)
      .readonly()
      .describe('what each of its jobs may have: its nodes, by nodeset, and whether it pauses with them'),
  }),
]);

export type HandRequest = z.infer<typeof handRequest>;

/** A request with what came along, by its digest; null for nothing. */
export const handWork = z.object({ request: handRequest, content: digestSchema.nullable() });

export type HandWork = z.infer<typeof handWork>;

/** The archive of what came out: `answerName` and, of a build, what else it leaves. */
export const outputName = 'output.tar';

/** In it: what the command prints, as JSON; absent where there is nothing but the reason. */
export const answerName = 'answer.json';

/**
 * A request as a job of no project.
 *
 * @param platform of its node; undefined for an import, whose jobs have nodes of their own
 */
export function handJob(about: string, work: HandWork, platform: string | undefined): FrozenJob {
  const what = { name: `${work.request.kind}-by-hand`, about, uses: 'hand', label: platform } as const;
  return loneJob({ ...what, timeout: null, vars: { hand: work } });
}
