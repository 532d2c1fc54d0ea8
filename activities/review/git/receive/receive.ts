import type { Actor } from '../../../../pipelines/model/actor.ts';
import { may, type Operation } from '../../../../pipelines/policy/access.ts';
import { repositoryPath } from '../../../git/names.ts';
import { readBranches, readRefs } from '../../../git/refs.ts';
import { Refused } from '../../people.ts';
import { type HostSettings, pause } from '../client.ts';
import { changeId } from '../map.ts';
import { takeNumber } from '../numbers.ts';
import { changesPrefix, votesRef } from '../refs.ts';
import { writeAll } from '../store.ts';
import type { Command, Plan, PushContext } from './context.ts';
import { planChanges } from './plan-changes.ts';
import { planVotes } from './plan-votes.ts';

export interface Push {
  readonly project: string;
  readonly commands: readonly Command[];
  readonly options: readonly string[];
  readonly pusher: Actor;
  /** Refs that the same push brings all or nothing, and that git takes by itself. */
  readonly atomicWith?: readonly string[];
  /** What the pusher calls this repository, for commands in messages. */
  readonly remote: string;
}

/** What became of one command; `refused` is for the pusher's git, one line. */
export interface Outcome {
  readonly command: Command;
  readonly refused: string | null;
  readonly made: Plan['made'];
}

export interface Receipt {
  readonly outcomes: readonly Outcome[];
  /** For the pusher to read. */
  readonly messages: readonly string[];
  /** Ids of the changes that were touched. */
  readonly changes: readonly string[];
}

/** How often a push is planned again because another one was faster. */
const patience = 50;
const zero = /^0+$/;

/**
 * Takes a push: all of it, or, when any part is refused, nothing. Whatever was planned is written in one transaction,
 * which fails when another push changed what the plan was made from; then it is planned again.
 */
export async function receive(settings: HostSettings, push: Push): Promise<Receipt> {
  const [other] = push.atomicWith ?? [];
  if (other !== undefined) return refuse(push, new Refused(notTogether(other)));
  const numbers = new Map<string, number>();
  for (let attempt = 0; attempt < patience; attempt++) {
    const context = await openContext(settings, push, numbers);
    const planned = await planAll(context, push);
    if (planned instanceof Refused) return refuse(push, planned);
    const writes = planned.flatMap((plan) => plan.writes);
    const refs = planned.flatMap((plan) => plan.refs);
    if (await writeAll(context.repo, writes, refs)) return accept(settings, push, planned);
    await pause(attempt);
  }
  return refuse(push, new Refused('too many pushes at once, or a lock file was left in the repository: push again'));
}

async function openContext(settings: HostSettings, push: Push, numbers: Map<string, number>): Promise<PushContext> {
  const { project, options, pusher } = push;
  const repo = repositoryPath(settings.root, project);
  const [heads, changes] = await Promise.all([readBranches(repo), readRefs(repo, changesPrefix)]);
  const number = async (id: string, branch: string) => {
    const key = `${id} ${branch}`;
    const taken = numbers.get(key) ?? (await takeNumber(settings.root, project));
    numbers.set(key, taken);
    return taken;
  };
  return { settings, project, repo, options, pusher, time: Date.now(), heads, changes, number };
}

async function planAll(context: PushContext, push: Push): Promise<Plan[] | Refused> {
  const plans: Plan[] = [];
  try {
    if (push.commands.length > 1 && new Set(push.commands.map(branchOf)).size < push.commands.length) {
      throw new Refused('one push can bring a branch only once');
    }
    for (const command of push.commands) plans.push(await planOne(context, command, push.remote));
    return plans;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

function planOne(context: PushContext, command: Command, remote: string): Promise<Plan> {
  if (zero.test(command.new)) throw new Refused(`${command.ref} cannot be deleted: use sluice abandon CHANGE`);
  const operation: Operation = command.ref === votesRef ? 'vote' : 'propose';
  const access = may(context.pusher, operation, { name: `${context.project} ${command.ref}` });
  if (!access.ok) throw new Refused(access.reason);
  return operation === 'vote' ? planVotes(context, command) : planChanges(context, command, remote);
}

function branchOf({ ref }: Command): string {
  return ref.split('%', 1)[0] ?? ref;
}

function accept(settings: HostSettings, push: Push, plans: readonly Plan[]): Receipt {
  const numbers = [...new Set(plans.flatMap((plan) => plan.numbers))];
  return {
    outcomes: push.commands.map((command, index) => ({ command, refused: null, made: plans[index]?.made ?? [] })),
    messages: plans.flatMap((plan) => plan.messages),
    changes: numbers.map((number) => changeId(settings.connection, number)),
  };
}

/** Git asks for the changes first, and moves its own refs later, or not: nothing could take the changes back then. */
function notTogether(other: string): string {
  return `an atomic push brings changes and votes only: push them without ${other}`;
}

function refuse(push: Push, { message }: Refused): Receipt {
  const line = message.split('\n', 1)[0] ?? 'refused';
  return {
    outcomes: push.commands.map((command) => ({ command, refused: line, made: [] })),
    messages: message.split('\n'),
    changes: [],
  };
}
