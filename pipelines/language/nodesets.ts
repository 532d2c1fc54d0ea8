import type { Nodeset } from '../model/job.ts';
import type { NodesetBody } from './schema/nodeset.ts';
import type { NodesetStanza } from './stanza.ts';

/** The nodesets that a nodeset comes to: itself, or its alternatives with theirs, in order. */
export type FlatNodesets = { readonly nodesets: readonly Nodeset[] } | { readonly fault: string };

/**
 * Resolves names and alternatives.
 * @param name - what the nodeset itself is called; empty for one written inside a job
 */
export function flattenNodesets(
  known: ReadonlyMap<string, NodesetStanza>,
  nodeset: string | NodesetBody,
  name = '',
): FlatNodesets {
  const found: Nodeset[] = [];
  const fault = collect({ known, found, seen: new Set() }, nodeset, name);
  return fault === undefined ? { nodesets: found } : { fault };
}

interface Collection {
  readonly known: ReadonlyMap<string, NodesetStanza>;
  readonly found: Nodeset[];
  readonly seen: Set<NodesetBody>;
}

function collect(collection: Collection, nodeset: string | NodesetBody, name: string): string | undefined {
  const body = typeof nodeset === 'string' ? collection.known.get(nodeset)?.body : nodeset;
  const label = typeof nodeset === 'string' ? nodeset : name;
  if (body === undefined) return `nodeset "${label}" is not defined`;
  if (collection.seen.has(body)) return `nodeset "${label}" is among its own alternatives, or twice`;
  collection.seen.add(body);
  if ('nodes' in body) {
    collection.found.push({ name: label, nodes: body.nodes, groups: body.groups ?? [] });
    return undefined;
  }
  for (const alternative of body.alternatives) {
    const fault = collect(collection, alternative, '');
    if (fault !== undefined) return fault;
  }
  return undefined;
}
