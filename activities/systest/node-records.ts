import type { Artifact } from '../../pipelines/model/job.ts';
import { systemInfo } from '../install/system-info.ts';
import { isLate } from '../late.ts';
import type { Node } from '../nodes/packages/node.ts';
import { recordOf } from '../nodes/packages/record.ts';
import type { BlobStore, BuildLog, StageContext } from '../ports.ts';
import { keepTexts } from '../storage/keep-texts.ts';
import { journalScript, logsScript } from './record-scripts.ts';

type Texts = Record<string, string>;

type Ending = Pick<StageContext, 'signal' | 'cancellation'>;

/** Seconds for a record: a machine whose processor is emulated takes its time, unless the job's time is up. */
function secondsAt(now: Ending): number {
  return isLate(now) ? 10 : 60;
}

/**
 * Keeps what each node is after a test: its system with the versions of all packages, its journal or the ends of its
 * logs, and its console, where it has those, the last MiB of each. What cannot be had is missing, and the log says why:
 * nothing of it is part of the verdict.
 *
 * @param ending when the test is cancelled, and when its time is up: then it is short
 * @throws when the test is cancelled
 */
export async function nodeRecords(
  store: Pick<BlobStore, 'put' | 'url'>,
  nodes: readonly Node[],
  ending: Ending,
): Promise<readonly Artifact[]> {
  const recordsOf = async (node: Node) => {
    try {
      const texts = await textsOf({ ...node, signal: ending.cancellation }, ending);
      const some = Object.entries(texts).filter(([, text]) => text !== '');
      return await keepTexts(store, Object.fromEntries(some.map(([what, text]) => [`${what}-${node.name}.txt`, text])));
    } catch (error) {
      ending.cancellation.throwIfAborted();
      tellMissing(node, error);
      return [];
    }
  };
  return (await Promise.all(nodes.map(recordsOf))).flat();
}

async function textsOf(node: Node, ending: Ending): Promise<Texts> {
  const texts: Texts = {};
  try {
    texts.journal = await recordOf(node, journalScript, secondsAt(ending));
    if (texts.journal === '') texts.logs = await recordOf(node, logsScript, secondsAt(ending));
    texts.system = await systemInfo(node, secondsAt(ending));
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
