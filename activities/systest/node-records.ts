import type { Artifact } from '../../pipelines/model/job.ts';
import { systemInfo } from '../install/system-info.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { BlobStore } from '../ports.ts';

/** Milliseconds for what is asked of a node: a machine whose processor is emulated takes its time. */
const patience = 60_000;

/** What the system has written down since it started; nothing where it has no journal. */
const journalScript = 'command -v journalctl >/dev/null || exit 0; journalctl --no-pager --boot --output=short-precise';

/**
 * Keeps what each node is after a test: its system with the versions of all packages, and its journal where it has one, the
 * last MiB of each. A node that does not answer any more has no records, and the log says so.
 */
export async function nodeRecords(
  store: Pick<BlobStore, 'put' | 'url'>,
  nodes: Iterable<Node>,
): Promise<readonly Artifact[]> {
  const kept = await Promise.all([...nodes].map((node) => recordsOf(store, node)));
  return kept.flat();
}

async function recordsOf(store: Pick<BlobStore, 'put' | 'url'>, node: Node): Promise<readonly Artifact[]> {
  const { name, machine, signal, log } = node;
  try {
    const system = await systemInfo(node, patience);
    const journal = await machine.exec(['sh', '-c', journalScript], { signal, timeout: patience });
    const texts = { [`system-${name}.txt`]: system, [`journal-${name}.txt`]: journal.output };
    const kept = Object.entries(texts).map(async ([called, text]): Promise<readonly Artifact[]> => {
      if (text === '') return [];
      const { digest } = await store.put(text);
      return [{ name: called, url: store.url(digest, called) }];
    });
    return (await Promise.all(kept)).flat();
  } catch (error) {
    signal.throwIfAborted();
    log.write(`${name}: its system and its journal cannot be kept: ${(error as Error).message}\n`);
    return [];
  }
}
