import type { Capacity, Size } from '../pipelines/nodes/capacity.ts';
import type { NodesClaims, NodesDesk, NodesLease, NodesReply, NodesRequest } from '../pipelines/nodes/desk.ts';
import type { AssignedMachine } from '../pipelines/nodes/machines.ts';

/** What a job must be lent before it runs; jobs of a provider that has no limits are lent nothing. */
export interface NodesNeed {
  readonly provider: string;
  /** One for each machine. */
  readonly sizes: readonly Size[];
  /** The only host that will do, where the provider has several; absent: any. */
  readonly on?: string;
  /** What it must be lent of another provider besides; absent: nothing. Of such a job none are held: a hold has one claim. */
  readonly besides?: NodesNeed;
}

/** What a job holds: whoever acts for it later shows it. */
export interface HeldNodes {
  readonly provider: string;
  readonly token: string;
  readonly fence: number;
  /** Which machines, where they are lent as they are. */
  readonly machines?: readonly AssignedMachine[];
  /** The host that they are on, where the provider has several. */
  readonly host?: string;
  /** What it holds of another provider besides. */
  readonly besides?: HeldNodes;
}

/** What a job says of itself: the machines that it holds by a fence, or waits for. */
export interface NodesClaim {
  readonly provider: string;
  readonly request: NodesRequest;
  /** Null while it waits. */
  readonly fence: number | null;
  readonly machines?: readonly AssignedMachine[];
  /** The host that they are on, where the provider has several: the request's queue is that one's. */
  readonly host?: string;
  /** What it says of another provider besides. */
  readonly beside?: NodesClaim;
}

/** Input of the `nodes` workflow: the provider's name, and what an earlier run left. */
export interface NodesInput {
  readonly provider: string;
  readonly desk?: NodesDesk;
  /** The run that has last asked all jobs what they hold. */
  readonly recalledBy?: string;
  /** Forced for tests: history events until it continues as new, and seconds between looks at what holders do. */
  readonly historyBudget?: number;
  readonly lookEvery?: number;
}

/** A request for machines, with what the provider has now. */
export interface NodesAsk {
  readonly request: NodesRequest;
  readonly capacity: Capacity;
}

/** The word to a job that waited. */
export interface NodesWord {
  readonly token: string;
  readonly reply: NodesReply;
}

/** Those who hold or wait for machines of a provider. */
export interface NodesLook {
  readonly provider: string;
  /** The entity's run now, and the one that has last asked all jobs: another one was reset, and has forgotten some. */
  readonly run?: string;
  readonly recalledBy?: string;
  readonly holding: readonly Pick<NodesRequest, 'holder' | 'token'>[];
  /** Leases on one of several hosts; absent: there are none. */
  readonly placed?: readonly PlacedLease[];
}

export interface PlacedLease extends Pick<NodesLease, 'holder' | 'token' | 'queue' | 'lost'> {
  /** What an ended holder has left could not be removed; of workflows of the first version: absent. */
  readonly stuck?: boolean;
}

/** Tokens of those who have ended without giving back, and what the provider has now. */
export interface NodesNews {
  readonly lost: readonly string[];
  /** Those that are stuck on a host which is not configured any more; of workers of the first version: absent. */
  readonly left?: readonly string[];
  readonly capacity: Capacity;
  /** What all jobs say that they hold, and the run that has asked; absent where it needed not ask. */
  readonly recalled?: NodesClaims & { readonly by: string };
}

/** A node that is to stand ready. */
export interface ReadyMaking {
  readonly provider: string;
  /** What it carries in the place of a build's id. */
  readonly id: string;
  readonly label: string;
  /** The workflow that answers for it. */
  readonly holder: string;
}

/** What stands ready on one machine, as the entity knows it. */
export interface ReadyLook extends Pick<ReadyMaking, 'provider' | 'holder'> {
  readonly ready: readonly Pick<ReadyMaking, 'id' | 'label'>[];
  /** All that the holder answers for, what is lent or in the making too: of its own, anything else is removed. */
  readonly known: readonly string[];
}

/** What is asked of the worker of the machine that nodes stand ready on. */
export interface ReadyActivities {
  /** @returns milliseconds that it took, or why there is none: a worker's log would have what it throws each time */
  makeReady(input: ReadyMaking): Promise<{ readonly took: number } | { readonly failed: string }>;
  /** @returns ids of those that are not there, or not what would be made today */
  lookAtReady(input: ReadyLook): Promise<{ readonly gone: readonly string[] }>;
}
