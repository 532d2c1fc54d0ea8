import { z } from 'zod';
import { asking } from '../near-key.ts';
import { nonEmpty, oneOrMany } from './common.ts';

const node = z.strictObject({
  name: oneOrMany(nonEmpty),
  label: nonEmpty,
  /** Sluice's own: what the node has at least, in the place of what its platform says. */
  cores: z.number().positive().optional(),
  /** GiB. */
  ramGb: z.number().positive().optional(),
});
const group = z.strictObject({ name: nonEmpty, nodes: oneOrMany(z.string()) });

const nodesAndGroups = z
  .strictObject({ nodes: oneOrMany(node), groups: oneOrMany(group).optional() })
  .superRefine((nodeset, context) => {
    for (const message of nodesetFaults(nodeset)) context.addIssue({ code: 'custom', message });
  });

/** What a nodeset says: its nodes, or other nodesets to try in order. */
export type NodesetBody =
  | { readonly nodes: readonly NodeBody[]; readonly groups?: readonly GroupBody[] | undefined }
  | { readonly alternatives: readonly (string | NodesetBody)[] };
type NodeBody = z.output<typeof node>;
type GroupBody = z.output<typeof group>;

/** Chosen by its keys, so that a fault is told for the form that was meant. */
export const nodesetBody: z.ZodType<NodesetBody> = z.lazy(() =>
  z.record(z.string(), z.unknown()).transform((value, context): NodesetBody => {
    const schema = 'alternatives' in value ? alternatives : nodesAndGroups;
    const result = schema.safeParse(value, asking);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.issues.push(issue as never);
    return z.NEVER;
  }),
);

const alternatives = z.strictObject({ alternatives: z.array(z.union([z.string(), nodesAndGroups])) });

function nodesetFaults(nodeset: { nodes: NodeBody[]; groups?: GroupBody[] | undefined }): string[] {
  const faults: string[] = [];
  const nodes = new Set<string>();
  const groups = new Set<string>();
  for (const name of nodeset.nodes.flatMap((entry) => entry.name)) {
    if (name === 'localhost') faults.push('a node may not be named "localhost"');
    if (nodes.has(name)) faults.push(`node "${name}" appears twice`);
    nodes.add(name);
  }
  for (const { name, nodes: members } of nodeset.groups ?? []) {
    if (name === 'localhost') faults.push('a group may not be named "localhost"');
    if (groups.has(name)) faults.push(`group "${name}" appears twice`);
    groups.add(name);
    for (const member of members) {
      if (!nodes.has(member)) faults.push(`group "${name}" names node "${member}", which the nodeset has not`);
    }
  }
  return faults;
}
