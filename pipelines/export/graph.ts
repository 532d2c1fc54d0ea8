import { z } from 'zod';
import type { SourceState } from '../model/artifact.ts';
import { type JobGraph, stages } from '../model/job.ts';
import { BadExport, parseJson } from './description.ts';

/** What of an export's graph its jobs are run by. */
export interface ExportedGraph {
  readonly graph: JobGraph;
  readonly sources: readonly SourceState[];
  readonly changes: readonly {
    readonly id: string;
    readonly patchset: number;
    readonly project: string;
    readonly branch: string;
  }[];
}

const text = z.string();
const list = z.array(text);
const program = z.looseObject({ path: text, project: text, branch: text, trusted: z.boolean(), level: z.int() });
/** What a node has that is not as its platform says. */
export const nodeSizeSchema = z.object({ cores: z.number().positive(), ramGb: z.number().positive() });

const node = z.object({ name: list, label: text, size: nodeSizeSchema.optional() });
const nodeset = z.looseObject({ nodes: z.array(node) });
const vars = z.record(text, z.unknown());
const job = z.looseObject({
  ...{ key: text, name: text, change: text, voting: z.boolean(), attempts: z.int().min(1) },
  type: z.enum(['regular', 'initializer', 'reporter']),
  ...{ timeout: z.number().nullable(), postTimeout: z.number().nullable() },
  dependencies: z.array(z.object({ name: text, soft: z.boolean() })),
  ...{ provides: list, requires: list, failureOutput: list, nodeset, alternatives: z.array(nodeset) },
  requiredProjects: z.array(z.looseObject({ project: text })),
  ...{ vars, extraVars: vars, hostVars: vars, groupVars: vars },
  secrets: z.array(z.looseObject({ secret: text })),
  ...{ preRun: z.array(program), run: z.array(program), postRun: z.array(program) },
  uses: z.enum(stages).optional(),
});
const state = z.object({ project: text, branch: text, commit: text, tree: text });
const schema = z.object({
  graph: z.looseObject({ jobs: z.array(job), failFast: z.boolean() }),
  sources: z.array(state).min(1),
  changes: z.array(z.looseObject({ id: text, patchset: z.int(), project: text, branch: text })).min(1),
});

/**
 * Reads the graph of an export.
 *
 * @param file its name, for messages
 * @throws BadExport
 */
export function parseGraph(content: string, file: string): ExportedGraph {
  const parsed = schema.safeParse(parseJson(content, file));
  // Checked as far as it is looked into here: stages look at the rest as at any job's.
  if (parsed.success) return parsed.data as unknown as ExportedGraph;
  const faults = parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`);
  throw new BadExport(faults.join('\n'));
}
