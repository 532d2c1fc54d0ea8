import { randomBytes } from 'node:crypto';
import { exitCodes, type TestStageRecord, type TestStageStats } from '../../pipelines/test-service/result.ts';
import { type Node, runBy } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';

/** Characters that are kept of each output of a stage: its last ones. */
const keptOutput = 256 * 1024;

/** Gives a program's standard error after all of its output, behind a line that nobody else prints. */
const apart = `said=$(mktemp) || exit 125
"$@" 2>"$said"; code=$?
printf '\\n%s\\n' "$0"; cat "$said"; rm -f "$said"; exit $code`;

interface Said {
  code?: number;
  stdout: string;
  stderr: string;
}

/** What happens outside while stages run. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Hears the name of each stage that begins. */
  readonly begun: (stage: string) => Promise<void>;
}

/** Keeps what each stage of a test task does, in the order in which they run. */
export class Recorder {
  readonly result: Record<string, TestStageRecord> = {};
  readonly stats: Record<string, TestStageStats> = {};
  /** Tests of others that were not run. */
  readonly skipped: string[] = [];
  readonly #watch: Watch;
  #said: Said = { stdout: '', stderr: '' };

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /**
   * Runs a stage, unless the task was cancelled before.
   *
   * @param work answers with what is wrong, in one line; null where nothing is
   * @returns whether all went well
   */
  async run(stage: string, work: () => Promise<string | null>): Promise<boolean> {
    this.#watch.signal.throwIfAborted();
    await this.#watch.begun(stage);
    const said: Said = { stdout: '', stderr: '' };
    this.#said = said;
    const start = Date.now() / 1000;
    const problem = await work();
    const finish = Date.now() / 1000;
    const code = problem === null ? 0 : said.code || 1;
    const stderr = problem === null ? said.stderr : `${said.stderr}${problem}\n`;
    this.result[stage] = { exit_code: code, stdout: said.stdout, stderr };
    this.stats[stage] = { start_ts: start, finish_ts: finish, delta: finish - start };
    return problem === null;
  }

  /** Runs a stage that cannot fail, but for a fault of the infrastructure. @returns what it has made */
  async begin<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const made: T[] = [];
    await this.run(stage, async () => {
      made.push(await work());
      return null;
    });
    return made[0] as T;
  }

  /** The same node, of whose programs both outputs are kept: of those that have a log. Others look at lists of all files. */
  listen(node: Node): Node {
    const { machine } = node;
    return runBy(node, async (argv, options) => {
      if (options.log === undefined) return machine.exec(argv, options);
      const marker = `standard error ${randomBytes(8).toString('hex')}:`;
      const ran = await machine.exec(['/bin/sh', '-c', apart, marker, ...argv], options);
      return this.#keep(ran, marker);
    });
  }

  #keep(ran: ExecResult, marker: string): ExecResult {
    const [stdout = '', stderr = ''] = ran.output.split(`\n${marker}\n`);
    const said = this.#said;
    said.code = ran.timedOut ? exitCodes.timedOut : ran.code;
    said.stdout = `${said.stdout}${stdout}`.slice(-keptOutput);
    said.stderr = `${said.stderr}${stderr}`.slice(-keptOutput);
    return { ...ran, output: `${stdout}${stderr}` };
  }
}
