import type { RanCommand } from '../../pipelines/report/junit.ts';
import { type Node, runBy } from '../nodes/packages/node.ts';
import type { Machine } from '../nodes/port.ts';

/**
 * `system` brings packages of the system itself up to what is under test, where some are; `released` puts the released
 * version there, which `upgrade` begins with.
 */
export type InstallStep = 'system' | 'install' | 'integrity' | 'exercise' | 'tests' | 'remove' | 'released' | 'upgrade';

/** A test of several that a step runs. */
export interface TriedTest {
  readonly name: string;
  readonly seconds: number;
  /** One line; null when all is well. */
  readonly problem: string | null;
  /** Why it was not run, or does not count; absent when it was, and does. */
  readonly skipped?: string;
}

/** What came of a step: `problem` is one line, null when all is well. */
export interface Finding {
  readonly problem: string | null;
  /** Why the step was left out; absent when it was not. */
  readonly leftOut?: string;
  /** Those of the source; absent where it has none. */
  readonly tests?: readonly TriedTest[];
  readonly output: string;
}

/** How one step of one package went. Its `output` is the tail of what was said. */
export interface StepReport extends Finding {
  readonly step: InstallStep;
  /** What tells it from others of its kind: the version that it is about. */
  readonly about?: string;
  readonly seconds: number;
  /** Programs that the step ran; 137 is the code of one that was killed because it took too long. */
  readonly commands: readonly RanCommand[];
}

/** How a package went, with what is done so far. */
export interface PackageReport {
  readonly package: string;
  readonly version: string;
  readonly arch: string;
  readonly steps: readonly StepReport[];
  /** What the installation brought or replaced, as `NAME VERSION`. */
  readonly brought: readonly string[];
}

/** Characters of a step's output that are kept. */
const keptOutput = 20_000;

/** Does the steps of a package in their order, and keeps how each went. */
export class Steps {
  readonly reports: StepReport[] = [];
  /** The node that steps are done on: of what its programs are, and how they end, notes are taken. */
  readonly node: Node;
  #commands: RanCommand[] = [];

  constructor(node: Node) {
    this.node = runBy(node, this.#exec(node.machine));
  }

  /**
   * A step that comes to no end, because the job's time is up, is among the reports too.
   *
   * @returns whether nothing was wrong, and it was not left out
   */
  async run(step: InstallStep, work: () => Promise<Finding>, about?: string): Promise<boolean> {
    this.#commands = [];
    const started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const { problem, output, ...more } = await work().catch((error) => {
      const problem = 'not done when the test ended';
      this.reports.push({ step, seconds: elapsed(), problem, output: String(error), commands: this.#commands });
      throw error;
    });
    const { leftOut } = more;
    const seconds = elapsed();
    const { log } = this.node;
    if (leftOut !== undefined) log.write(`${step}: left out: ${leftOut}\n`);
    if (problem !== null) log.write(`${step}: ${problem}\n`);
    const told = { ...(about === undefined ? {} : { about }), ...more };
    const kept = { problem, output: output.slice(-keptOutput), commands: this.#commands };
    this.reports.push({ step, ...told, seconds, ...kept });
    return problem === null && leftOut === undefined;
  }

  /** Programs without a log only look. */
  #exec(machine: Pick<Machine, 'exec'>): Machine['exec'] {
    return async (argv, options) => {
      const started = performance.now();
      const ran = await machine.exec(argv, options);
      const seconds = (performance.now() - started) / 1000;
      if (options.log !== undefined) this.#commands.push({ command: argv.join(' '), code: ran.code, seconds });
      return ran;
    };
  }
}
