import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  attend,
  emptyDesk,
  forgetful,
  grantOf,
  holds,
  type NodesDesk,
  type NodesLease,
  type NodesMessage,
  type NodesReply,
  type NodesRequest,
  replyTo,
} from '../pipelines/nodes/desk.ts';
import { readyIdsIn } from '../pipelines/nodes/ready.ts';
import { askedBy, control, sweepActivities } from './activities.ts';
import { nodesId } from './ids.ts';
import { hear, messages, requireId, requireInput, requireMessage } from './input.ts';
import {
  nodesAnsweredSignal,
  nodesCapacitySignal,
  nodesHandedSignal,
  nodesHeldQuery,
  nodesLostSignal,
  nodesQuery,
  nodesReleaseSignal,
  nodesUpdate,
} from './messages.ts';
import type { NodesInput } from './nodes-contract.ts';
import { ReadyNodes } from './nodes-ready.ts';
import { has } from './patches.ts';
import { Resets } from './resets.ts';
import { SaidOnce } from './said-once.ts';

/** History events after which the entity continues as new, when the server does not ask for it earlier. */
const defaultBudget = 2_000;

/** Seconds between two looks at those who hold machines, or wait for them. */
const defaultPeriod = 30;

/** Seconds between two looks at nodes that stand ready. */
const readyPeriod = 60;

/**
 * The entity of a provider's machines: who holds them, and who waits, in order. A lease lives as long as its holder's
 * workflow does. As long as there are any it looks whether the holders still run; what one has left is removed first,
 * and lent to others afterwards.
 */
export async function nodes(input: NodesInput): Promise<void> {
  requireInput('nodes', input);
  requireId(nodesId(input.provider));
  const isNew = input.desk === undefined && has('nodes-recall');
  const resets = has('entity-resets') ? new Resets(askedBy({ byTurn: has('entities-by-turn') })) : undefined;
  // Asked before anything is waited for: what a local activity delays is elsewhere when the history is played again.
  const byTurn = has('ready-by-turn');
  // A later life of the entity knows nothing of an earlier one's fences, and gives higher ones.
  const known = input.desk ?? { ...emptyDesk, fence: Date.now(), closed: isNew };
  const desk = resets === undefined ? known : { ...known, closed: true };
  const keeper = new Keeper(input, desk, resets);
  setHandler(
    nodesUpdate,
    ({ request, capacity }) => {
      keeper.attend({ type: 'ask', request, capacity }, request.token);
      return replyTo(keeper.desk, request);
    },
    {
      validator: (ask) => requireMessage(messages.nodesAsk, ask),
      description: 'Ask for machines; jobs speak by it.',
    },
  );
  hear(nodesReleaseSignal, messages.token, ({ token }) => keeper.attend({ type: 'release', tokens: [token] }));
  hear(nodesLostSignal, messages.token, ({ token }) => keeper.attend({ type: 'lose', tokens: [token] }));
  hear(nodesHandedSignal, messages.nodesHanded, (handed) => keeper.attend({ type: 'hand', ...handed }));
  hear(nodesCapacitySignal, messages.nodesCapacity, ({ capacity }) => keeper.attend({ type: 'capacity', capacity }));
  setHandler(nodesQuery, () => keeper.desk);
  setHandler(nodesHeldQuery, (held) => holds(keeper.desk, held));
  const spent = () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > budget;
  const budget = input.historyBudget ?? defaultBudget;
  if (!isNew) await keeper.goOn(known.closed === true);
  let stuck = isNew ? await keeper.look() : 0;
  const tending = new ReadyNodes(keeper, input.lookEvery ?? readyPeriod).tend(spent, { byTurn });
  while (!spent()) {
    await condition(() => spent() || keeper.busy);
    const isNew = () => keeper.closed || keeper.lost.length > stuck;
    const news = () => spent() || !keeper.busy || isNew();
    const heard = await condition(news, `${input.lookEvery ?? defaultPeriod}s`);
    if (!spent() && keeper.busy && (!heard || isNew())) stuck = await keeper.look();
  }
  await tending;
  await condition(() => keeper.idle && allHandlersFinished());
  await continueAsNew<typeof nodes>({ ...input, ...keeper.memory });
}

/** What the entity knows, and its words to jobs. */
class Keeper {
  readonly provider: string;
  readonly #resets: Resets | undefined;
  desk: NodesDesk;
  #recalledBy: string | undefined;
  #telling = 0;
  /** Tokens of what the last look could not remove. */
  #stuck: readonly string[] = [];
  readonly #said = new SaidOnce();

  constructor({ provider, recalledBy }: NodesInput, desk: NodesDesk, resets: Resets | undefined) {
    this.provider = provider;
    this.#recalledBy = recalledBy;
    this.#resets = resets;
    this.desk = desk;
  }

  /**
   * Begins where an earlier run has stopped: what that knew is all there is, unless this run was reset, or that one had
   * still to ask.
   */
  async goOn(wasClosed: boolean): Promise<void> {
    if (this.#resets === undefined) return;
    const origin = await this.#resets.begin();
    if (this.#resets.notice() || wasClosed) return;
    this.#recalledBy = origin;
    this.attend({ type: 'recall', capacity: this.desk.capacity, leases: [], waiting: [] });
  }

  get memory(): Pick<NodesInput, 'desk' | 'recalledBy'> {
    return { desk: this.desk, ...this.#recalled() };
  }

  /** Every word has arrived. */
  get idle(): boolean {
    return this.#telling === 0;
  }

  /** Nobody is served before all jobs were asked what they hold: the entity is new, or was reset. */
  get closed(): boolean {
    this.#notice();
    return this.desk.closed === true;
  }

  /** There is somebody to look at. */
  get busy(): boolean {
    return this.closed || this.desk.leases.length > 0 || this.desk.waiting.length > 0;
  }

  get lost(): readonly NodesLease[] {
    return this.desk.leases.filter(({ lost }) => lost);
  }

  /** Folds a message and tells those whose request it has answered, but for the one who `hears` it anyway. */
  attend(message: NodesMessage, hears?: string): void {
    this.#notice();
    const { desk, granted, refused } = attend(this.desk, message);
    this.desk = desk;
    setCurrentDetails(`${desk.leases.length} hold machines, ${desk.waiting.length} wait`);
    for (const lease of granted) this.#answer(lease, grantOf(lease), hears);
    for (const { request, reason } of refused) this.#answer(request, { state: 'refused', reason }, hears);
  }

  /**
   * Removes what ended holders have left behind, and reads what the provider has now. What a run that was reset has
   * forgotten, it is told: the run is an argument, for a history that is played again must give the same commands.
   *
   * @returns of how many that could not be done yet
   */
  async look(): Promise<number> {
    const { provider } = this;
    const holding = [...this.desk.leases.filter(({ lost }) => !lost), ...this.desk.waiting];
    const asked = holding.map(({ holder, token }) => ({ holder, token }));
    const { runId: run } = workflowInfo();
    const onHosts = this.desk.leases.filter(({ host }) => host !== undefined);
    const placed = onHosts.map(({ holder, token, queue, lost }) => {
      return { holder, token, queue, lost, stuck: this.#stuck.includes(token) };
    });
    const look = { provider, run, ...this.#recalled(), holding: asked, ...(placed.length > 0 && { placed }) };
    const { lost, left = [], capacity, recalled } = await control.lookAtNodes(look);
    if (recalled !== undefined) {
      const { by, ...claims } = recalled;
      this.#recalledBy = by;
      this.attend({ type: 'recall', capacity, ...claims });
      this.#resets?.settle(by);
    }
    this.attend({ type: 'lose', tokens: lost });
    this.attend({ type: 'capacity', capacity });
    this.#giveUp(left);
    const tried = this.lost;
    const swept = (await Promise.all(tried.map((lease) => this.#sweep(lease)))).flat();
    this.attend({ type: 'release', tokens: swept });
    this.#stuck = tried.map(({ token }) => token).filter((token) => !swept.includes(token));
    this.#said.keep(this.lost.map(({ token }) => token));
    return this.#stuck.length;
  }

  /** Of a host that nobody has any more nobody will ever say that the machines are gone. */
  #giveUp(tokens: readonly string[]): void {
    if (tokens.length === 0) return;
    for (const { holder, host } of this.lost.filter(({ token }) => tokens.includes(token))) {
      log.warn('what a job has left is given up: its host is not configured any more', { holder, host });
    }
    this.attend({ type: 'release', tokens });
  }

  /** A run that was reset has forgotten whom it has lent what. */
  #notice(): void {
    if (this.#resets?.notice()) this.desk = forgetful(this.desk);
  }

  #recalled(): Pick<NodesInput, 'recalledBy'> {
    return this.#recalledBy === undefined ? {} : { recalledBy: this.#recalledBy };
  }

  #answer(request: NodesRequest, reply: NodesReply, hears: string | undefined): void {
    if (request.token !== hears) void this.#tell(request, reply);
  }

  async #tell({ holder, token }: NodesRequest, reply: NodesReply): Promise<void> {
    this.#telling += 1;
    try {
      await getExternalWorkflowHandle(holder).signal(nodesAnsweredSignal, { token, reply });
    } catch (error) {
      log.warn('a job has ended while it waited for machines', { holder, reason: rootCause(error) });
      // It never knew that it held them: nothing was made.
      this.attend({ type: 'release', tokens: [token] });
    } finally {
      this.#telling -= 1;
    }
  }

  /** @returns the lease's token when nothing of it is left; none where that is not known: the next look tries again */
  async #sweep({ token, build, queue, holder, machines }: NodesLease): Promise<readonly string[]> {
    try {
      await sweepActivities(queue).sweepNodes({ build, ready: readyIdsIn(machines) });
      return [token];
    } catch (error) {
      const reason = rootCause(error);
      if (this.#said.isNews(token, reason)) log.warn('what a job has left cannot be removed yet', { holder, reason });
      return [];
    }
  }
}
