import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { PlanBook } from '../activities/release/plan-book.ts';
import type { Begun, PlannedState } from '../activities/release/plan-port.ts';
import type { TakeBackWish } from '../activities/release/take-back.ts';
import type {
  PlanAction,
  PlanDone,
  PlanPreview,
  ReleasePlanRecord,
  RepositoryPreview,
} from '../activities/report/types.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import { type ReleaseRules, repositoriesIn } from '../pipelines/model/release-line.ts';
import { demand } from '../pipelines/policy/access.ts';
import type { PlanWish } from '../pipelines/policy/release-plan.ts';
import { type ReleasePlanInput, type ReleasePlanOutcome, taskQueues } from '../workflows/contract.ts';
import { releasePlanId } from '../workflows/ids.ts';
import { attributes } from '../workflows/search-attributes.ts';
import { unknownName } from './api/unknown-name.ts';

/** A refusal, as the API answers it. */
export interface Refusal {
  readonly ok: false;
  readonly reason: string;
}

/** What people ask for about release plans. */
export interface ReleasePlans {
  /** @throws `UnknownName` for a line or a platform that is not there */
  make(actor: Actor, wish: PlanWish, name?: string): Promise<ReleasePlanRecord | Refusal>;
  /** Newest first. */
  list(limit: number): Promise<readonly ReleasePlanRecord[]>;
  /** What each released repository would gain and lose; writes nothing that anybody sees. */
  preview(of: { readonly plan: string; readonly action: PlanAction }): Promise<PlanPreview | Refusal>;
  /** Ends when the plan was carried out, or taken back. */
  act(actor: Actor, of: { readonly plan: string; readonly action: PlanAction }): Promise<PlanDone | Refusal>;
  /** What taking back what is released of a change would do; writes nothing that anybody sees. */
  previewTakingBack(wish: TakeBackWish): Promise<PlanPreview | Refusal>;
  /** Takes back what is released of a change, as a plan of its own. @throws `UnknownName` for a line that is not there */
  takeBack(actor: Actor, wish: TakeBackWish): Promise<PlanDone | Refusal>;
  /** Forgets a plan that was not carried out. */
  remove(actor: Actor, plan: string): Promise<PlanDone | Refusal>;
}

export interface ReleasePlansDeps {
  readonly client: Client;
  readonly tenant: string;
  readonly book: Pick<PlanBook, 'make' | 'makeReleased' | 'look' | 'lookAtChange' | 'remove'>;
  readonly rules: ReleaseRules;
  /** The names of all that packages are built for. */
  readonly platforms: readonly string[];
  readonly list: (limit: number) => Promise<readonly ReleasePlanRecord[]>;
  readonly preview: (state: PlannedState) => Promise<RepositoryPreview>;
}

export function createReleasePlans(deps: ReleasePlansDeps): ReleasePlans {
  const { client, tenant, book, list, rules, platforms } = deps;
  const previewAll = (of: Asked, begun: Begun) => previewStates(deps, of, begun);
  const act = (actor: Actor, of: Asked) => carryOut(client, actor, { tenant, ...of });
  return {
    async make(actor, wish, name) {
      demand(actor, 'release', { name: name ?? 'a new plan' });
      const atOnce = requireLines(rules, wish.lines);
      const unknown = wish.platforms.find((platform) => !platforms.includes(platform));
      if (unknown !== undefined) throw unknownName('platform', unknown, platforms);
      const made = await book.make(actor.name, wish, name);
      if (!('refused' in made)) return made;
      const why = atOnce.map((line) => `; what is merged into ${line} is shown at once`);
      return refused(made.refused + why.join(''));
    },
    list,
    preview: async (of) => previewAll(of, await book.look(of)),
    async previewTakingBack(wish) {
      requireLines(rules, wish.lines);
      return previewAll({ plan: 'change', action: 'revert' }, await book.lookAtChange(wish));
    },
    act,
    async takeBack(actor, wish) {
      demand(actor, 'release', { name: wish.change });
      requireLines(rules, wish.lines);
      const made = await book.makeReleased(actor.name, wish);
      return 'refused' in made ? refused(made.refused) : act(actor, { plan: made.id, action: 'revert' });
    },
    async remove(actor, plan) {
      demand(actor, 'release', { name: plan });
      const why = await book.remove(plan);
      return why === null ? { plan, summary: `removed ${plan}: what it named waits on` } : refused(why);
    },
  };
}

/** @returns those that no plan is for @throws `UnknownName` for a line that is not there */
function requireLines(rules: ReleaseRules, wanted: readonly string[]): readonly string[] {
  const planned = rules.lines.flatMap(({ name, publish }) => (publish === 'planned' ? [name] : []));
  const all = repositoriesIn(rules);
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) throw unknownName('line', unknown, all);
  return wanted.filter((name) => !planned.includes(name));
}

function refused(reason: string): Refusal {
  return { ok: false, reason };
}

interface Asked {
  readonly plan: string;
  readonly action: PlanAction;
}

async function previewStates(
  { preview }: ReleasePlansDeps,
  { plan, action }: Asked,
  begun: Begun,
): Promise<PlanPreview | Refusal> {
  if ('refused' in begun) return refused(begun.refused);
  const repositories: RepositoryPreview[] = [];
  for (const state of begun.states) repositories.push(await preview(state));
  return { plan, action, repositories };
}

async function carryOut(client: Client, actor: Actor, of: Omit<ReleasePlanInput, 'by'>): Promise<PlanDone | Refusal> {
  const { plan } = of;
  demand(actor, 'release', { name: plan });
  try {
    const { ok, summary } = await execute(client, { ...of, by: actor.name });
    return ok ? { plan, summary } : refused(summary);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return refused(`the release plan ${plan} is being carried out or taken back: see \`sluice release list\``);
  }
}

function execute(client: Client, input: ReleasePlanInput): Promise<ReleasePlanOutcome> {
  const { tenant, plan, action } = input;
  return client.workflow.execute<(input: ReleasePlanInput) => Promise<ReleasePlanOutcome>>('releasePlan', {
    workflowId: releasePlanId({ tenant, plan }),
    taskQueue: taskQueues.control,
    args: [input],
    staticSummary: `${action === 'commit' ? 'Release' : 'Take back'} ${plan}`,
    staticDetails: 'The next state of each released repository is made and signed; then all are shown.',
    typedSearchAttributes: attributes({ tenant }),
  });
}
