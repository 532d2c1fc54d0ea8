import type { Artifact } from '../../pipelines/model/job.ts';
import { systemInfo } from '../install/system-info.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { BlobStore, BuildLog } from '../ports.ts';
import { keepTexts } from '../storage/keep-texts.ts';

/** Milliseconds for what is asked of a node: a machine whose processor is emulated takes its time. */
const patience = 60_000;

/** What the system has written down last; nothing where it has no journal. A restored machine began its as another one. */
const journalScript =
  'command -v journalctl >/dev/null || exit 0; journalctl --quiet --merge --no-pager --lines=20000 --output=short-precise';

/**
 * Keeps what each node is after a test: its system with the versions of all packages, its journal and its console, where it
 * has those, the last MiB of each. Of a node that does not answer any more the console stays, and the log says so.
 */
export async function nodeRecords(
  store: Pick<BlobStore, 'put' | 'url'>,
  nodes: Iterable<Node>,
): Promise<readonly Artifact[]> {
  const kept = await Promise.all([...nodes].map((node) => recordsOf(store, node)));
  return kept.flat();
}

async function recordsOf(store: Pick<BlobStore, 'put' | 'url'>, node: Node): Promise<readonly Artifact[]> {
  const texts = { ...(await ask(node)), console: await consoleOf(node) };
  const some = Object.entries(texts).filter(([, text]) => text !== '');
  return keepTexts(store, Object.fromEntries(some.map(([what, text]) => [`${what}-${node.name}.txt`, text])));
}

/** Nothing where it has none. */
async function consoleOf({ machine }: Node): Promise<string> {
  return (await machine.console?.()) ?? '';
}

/** @throws when the test is cancelled */
async function ask(node: Node): Promise<Readonly<Record<string, string>>> {
  const { name, machine, signal, log } = node;
  try {
    const system = await systemInfo(node, patience);
    const { output } = await machine.exec(['sh', '-c', journalScript], { signal, timeout: patience });
    return { system, journal: output };
  } catch (error) {
    signal.throwIfAborted();
    log.write(`${name}: its system and its journal cannot be kept: ${(error as Error).message}\n`);
    return {};
  }
}

/** Characters of a console that a log ends with. */
const shown = 5_000;

/** Has the log end with what is on the nodes' consoles: of a test that gets no verdict nothing else is kept. */
export async function tellConsoles(log: BuildLog, nodes: Iterable<Node>): Promise<void> {
  for (const node of nodes) {
    const text = (await consoleOf(node)).trim();
    if (text === '') continue;
    log.section(`The end of the console of ${node.name}`);
    log.write(`${text.slice(-shown)}\n`);
  }
}
