import { nothingReturned, type Returned } from '../../pipelines/jobs/returned.ts';
import type { BuildResult } from '../../pipelines/model/job.ts';
import type { InventoryNode } from '../../pipelines/playbooks/inventory.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { Machine } from '../nodes/port.ts';
import type { ScriptContext } from './context.ts';
import type { SecretFiles } from './secrets.ts';

/** A node that playbooks reach from the machine where they run. */
export interface ReachedNode extends InventoryNode {
  readonly machine: Machine;
}

/** A job whose programs run one after the other. */
export class Session {
  readonly input: StageInput;
  readonly context: ScriptContext;
  /** Where programs run. */
  readonly machine: Machine;
  /** None: the machine is the job's node itself. */
  readonly nodes: readonly ReachedNode[];
  readonly secrets: SecretFiles;
  returned: Returned;
  /** The line of the output by which the job fails, whatever its programs end with. */
  failing: string | undefined;

  constructor(
    parts: Pick<Session, 'input' | 'context' | 'machine' | 'nodes' | 'secrets'>,
    returned: Returned = nothingReturned,
  ) {
    this.input = parts.input;
    this.context = parts.context;
    this.machine = parts.machine;
    this.nodes = parts.nodes;
    this.secrets = parts.secrets;
    this.returned = returned;
  }
}

/** How a program is run. */
export interface ProgramOptions {
  readonly phase: 'pre-run' | 'run' | 'post-run';
  readonly signal: AbortSignal;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
  /** For programs of `post-run`: whether all went well so far. */
  readonly success?: boolean;
}

/** Why a program did not end well; undefined when it did. */
export interface ProgramFault {
  readonly result: Extract<BuildResult, 'FAILURE' | 'TIMED_OUT' | 'ERROR'>;
  readonly summary: string;
}
