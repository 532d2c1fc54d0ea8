import type { Artifact } from '../../pipelines/model/job.ts';
import { systemInfo } from '../install/system-info.ts';
import type { Node } from '../nodes/packages/node.ts';
import { recordOf } from '../nodes/packages/record.ts';
import type { BlobStore, BuildLog, StageContext } from '../ports.ts';
import { keepTexts } from '../storage/keep-texts.ts';
import { journalScript, logsScript } from './record-scripts.ts';

type Texts = Record<string, string>;

interface Patience extends Pick<StageContext, 'cancellation'> {
  /** For each record; default 60: a machine whose processor is emulated takes its time. */
  readonly seconds?: number;
}

/**
 * Keeps what each node is after a test: its system with the versions of all packages, its journal or the ends of its
 * logs, and its console, where it has those, the last MiB of each. What cannot be had is missing, and the log says why:
 * nothing of it is part of the verdict.
 *
 * @throws when the test is cancelled
 */
export async function nodeRecords(
  store: Pick<BlobStore, 'put' | 'url'>,
  nodes: readonly Node[],
  { cancellation, seconds = 60 }: Patience,
): Promise<readonly Artifact[]> {
  const recordsOf = async (node: Node) => {
    try {
      const texts = await textsOf({ ...node, signal: cancellation }, seconds);
      const some = Object.entries(texts).filter(([, text]) => text !== '');
      return await keepTexts(store, Object.fromEntries(some.map(([what, text]) => [`${what}-${node.name}.txt`, text])));
    } catch (error) {
      cancellation.throwIfAborted();
      tellMissing(node, error);
      return [];
    }
  };
  return (await Promise.all(nodes.map(recordsOf))).flat();
}

async function textsOf(node: Node, seconds: number): Promise<Texts> {
  const texts: Texts = {};
  try {
    texts.journal = await recordOf(node, journalScript, seconds);
    if (texts.journal === '') texts.logs = await recordOf(node, logsScript, seconds);
    texts.system = await systemInfo(node, seconds);
  } catch (error) {
    node.signal.throwIfAborted();
    tellMissing(node, error);
  }
  return { ...texts, console: await consoleOf(node) };
}

/** Nothing where it has none, or it cannot be read. */
async function consoleOf(node: Node): Promise<string> {
  try {
    return (await node.machine.console?.()) ?? '';
  } catch (error) {
    tellMissing(node, error);
    return '';
  }
}

function tellMissing({ name, log }: Node, error: unknown): void {
  log.write(`${name}: not all of its records can be kept: ${error instanceof Error ? error.message : error}\n`);
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
