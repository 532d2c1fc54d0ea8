import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestTask } from '../../pipelines/test-service/request.ts';
import {
  missingTests,
  namesOfFiles,
  preparesTests,
  type TestSource,
  type ThirdPartyTest,
  testsAmong,
} from '../../pipelines/test-service/third-party.ts';
import { fetchFault } from '../git/fetch-fault.ts';
import { runFileTest } from '../install/file-test.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { StageContext } from '../ports.ts';
import { ProcessError } from '../process/run.ts';
import type { Recorder } from './recorder.ts';

/** How often a repository of tests is fetched, and milliseconds before each further try. */
const fetches = { tries: 5, pause: 2_000 } as const;
/** Milliseconds for one file of a test. */
const patience = 1_800_000;

/** Writes the tree of a Git repository into a directory. @returns the paths of all regular files */
export type FetchTree = (
  source: Pick<TestSource, 'url' | 'ref'>,
  directory: string,
  signal: AbortSignal,
) => Promise<readonly string[]>;

interface ThirdParty {
  readonly task: TestTask;
  readonly context: Pick<StageContext, 'workdir' | 'signal'>;
  readonly recorder: Recorder;
  readonly fetchTree: FetchTree;
  readonly node: Node;
  /** Has the package there again: a test may have done anything with it. */
  readonly reinstall: () => Promise<string | null>;
  /** Starts the node anew, for a test that asks for that. */
  readonly restart: () => Promise<void>;
}

/** Runs the tests of others that a request names, each with the package installed anew, but those that are excluded. */
export async function runThirdParty(given: ThirdParty): Promise<void> {
  const { context, recorder, task } = given;
  const { excluded = [], tests: sources = [] } = task;
  const taken = new Set(sources.map((_, index) => `fetch_${index}`));
  for (const [index, source] of sources.entries()) {
    const tree = join(context.workdir, `tests-${index}`);
    let tests: readonly ThirdPartyTest[] = [];
    await recorder.run(`third_party_fetch_${index}`, async () => {
      const fetched = await fetchTests(given, source, tree);
      if (typeof fetched === 'string') return fetched;
      const missing = missingTests(fetched, source);
      if (missing !== null) return missing;
      const all = testsAmong(fetched, source);
      tests = all.filter(({ name }) => !excluded.includes(name));
      recorder.skipped.push(...all.flatMap(({ name }) => (excluded.includes(name) ? [name] : [])));
      return null;
    });
    const inside = `/sluice/tests-${index}`;
    if (tests.length > 0) await given.node.machine.put(tree, inside);
    const names = namesOfFiles(tests, { directory: source.directory, index }, taken);
    for (const test of tests) await runOne(given, test, { inside, names });
  }
}

/** Where the files of a source's tests are on the node, and what they are called, by path. */
interface Placed {
  readonly inside: string;
  readonly names: ReadonlyMap<string, string>;
}

async function runOne(given: ThirdParty, { name, files }: ThirdPartyTest, { inside, names }: Placed): Promise<void> {
  const { node, recorder, task, reinstall, restart } = given;
  for (const [index, file] of files.entries()) {
    await recorder.run(`third_party_${names.get(file) ?? file}`, async () => {
      const missing = index === 0 ? await reinstall() : null;
      if (missing !== null) return missing;
      const { environment = {} } = task;
      const prepares = preparesTests(name) || preparesTests(file);
      const test = { path: join(inside, file), environment, prepares, timeout: patience, restart };
      const { code, timedOut } = await runFileTest(node, test);
      if (timedOut) return `it did not end within ${patience / 1000} s`;
      return code === 0 ? null : `it ended with ${code}`;
    });
  }
}

/** @returns the paths of all regular files, or why there are none */
async function fetchTests(
  { fetchTree, context: { signal } }: Pick<ThirdParty, 'fetchTree' | 'context'>,
  source: TestSource,
  tree: string,
): Promise<readonly string[] | string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchTree(source, tree, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ProcessError)) throw error;
      const { said, mayPass } = fetchFault(error);
      if (attempt === fetches.tries || !mayPass) return `the tests cannot be fetched: ${said}`;
      await sleep(fetches.pause, undefined, { signal });
    }
  }
}
