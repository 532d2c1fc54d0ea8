import type { Nodeset } from '../model/job.ts';
import { sizeOfNode } from '../nodes/instance-types.ts';
import type { NodesetBody } from './schema/nodeset.ts';
import type { NodesetStanza } from './stanza.ts';
import type { TenantSettings } from './tenant.ts';

/** The nodesets that a nodeset comes to: itself, or its alternatives with theirs, in order. */
export type FlatNodesets = { readonly nodesets: readonly Nodeset[] } | { readonly fault: string };

/** What nodesets refer to. */
interface Around {
  readonly nodesets: ReadonlyMap<string, NodesetStanza>;
  readonly tenant: Pick<TenantSettings, 'labelSizes'>;
}

/**
 * Resolves names and alternatives, and what nodes ask for.
 * @param name - what the nodeset itself is called; empty for one written inside a job
 */
export function flattenNodesets(around: Around, nodeset: string | NodesetBody, name = ''): FlatNodesets {
  const found: Nodeset[] = [];
  const fault = collect({ ...around, found, seen: new Set() }, nodeset, name);
  return fault === undefined ? { nodesets: found } : { fault };
}

interface Collection extends Around {
  readonly found: Nodeset[];
  readonly seen: Set<NodesetBody>;
}

function collect(collection: Collection, nodeset: string | NodesetBody, name: string): string | undefined {
  const body = typeof nodeset === 'string' ? collection.nodesets.get(nodeset)?.body : nodeset;
  const label = typeof nodeset === 'string' ? nodeset : name;
  if (body === undefined) return `nodeset "${label}" is not defined`;
  if (collection.seen.has(body)) return `nodeset "${label}" is among its own alternatives, or twice`;
  collection.seen.add(body);
  if ('nodes' in body) {
    const nodes = body.nodes.map((node) => sized(collection, node));
    collection.found.push({ name: label, nodes: nodes.map(({ node }) => node), groups: body.groups ?? [] });
    return nodes.find(({ fault }) => fault !== undefined)?.fault;
  }
  for (const alternative of body.alternatives) {
    const fault = collect(collection, alternative, '');
    if (fault !== undefined) return fault;
  }
  return undefined;
}

type NodeBody = Extract<NodesetBody, { readonly nodes: unknown }>['nodes'][number];

/** A node of the size that it asks for, and why it cannot be had. */
function sized(
  { tenant: { labelSizes } }: Around,
  { name, label, cores, ramGb }: NodeBody,
): { readonly node: Nodeset['nodes'][number]; readonly fault?: string } {
  const node = { name, label };
  if (labelSizes === undefined || (cores === undefined && ramGb === undefined)) return { node };
  const sizes = labelSizes[label];
  if (sizes === undefined) return { node, fault: `node "${name.join(', ')}": no platform is called "${label}"` };
  const found = sizeOfNode({ cores, ramGb }, sizes);
  if ('fault' in found) return { node, fault: `node "${name.join(', ')}" of ${label}: ${found.fault}` };
  return { node: found.size === null ? node : { ...node, size: found.size } };
}
