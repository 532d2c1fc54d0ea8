import type { HeldBuild, Holds, HoldWish } from '../pipelines/nodes/holds.ts';
import type { NodesClaim } from './nodes-contract.ts';

/** Input of the `holds` workflow: the tenant, and what an earlier run left. */
export interface HoldsInput {
  readonly tenant: string;
  readonly holds?: Holds;
  /** Forced for tests: history events until it continues as new. */
  readonly historyBudget?: number;
}

/** The hold that a failed build was counted for. */
export type HoldGrant = Pick<HoldWish, 'id' | 'seconds' | 'reason'>;

/** What a stage says of nodes that it has left as they are, for the workflow that holds them. */
export interface HeldStage {
  /** Id of the hold. */
  readonly hold: string;
  readonly held: HeldBuild;
  /** Task queue of the machine that they are on. */
  readonly queue: string;
}

/** Input of the `heldNodes` workflow. */
export interface HeldNodesInput extends HeldStage {
  readonly tenant: string;
  /** What the job had been lent; null where nobody counts. */
  readonly claim: NodesClaim | null;
}
