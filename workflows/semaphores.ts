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
  inTheWay,
  type SemaphoreDesk,
  type SemaphoreMessage,
  type SemaphoreRequest,
  waitsFor,
} from '../pipelines/gate/semaphore-desk.ts';
import { askedBy, control, type EntityActivities } from './activities.ts';
import { semaphoresId } from './ids.ts';
import { hear, messages, requireId, requireInput, requireMessage } from './input.ts';
import { semaphoresGrantedSignal, semaphoresQuery, semaphoresReleaseSignal, semaphoresUpdate } from './messages.ts';
import { has } from './patches.ts';
import { Resets } from './resets.ts';
import type { SemaphoresInput } from './semaphore-contract.ts';

/** History events after which the entity continues as new, when the server does not ask for it earlier. */
const defaultBudget = 2_000;

/** Seconds between two looks at those who keep others waiting. */
const defaultPeriod = 15;

/**
 * The entity of a tenant's semaphores: who holds them, and who waits, in order. As long as somebody waits it looks
 * whether the holders still run, for one that was terminated gives nothing back, and whether the limits have changed.
 */
export async function semaphores(input: SemaphoresInput): Promise<void> {
  requireInput('semaphores', input);
  requireId(semaphoresId(input.tenant));
  const isNew = input.desk === undefined && has('semaphores-recall');
  const ask = askedBy({ byTurn: has('entities-by-turn') });
  const resets = has('entity-resets') ? new Resets(ask) : undefined;
  const known = { ...(input.desk ?? emptyDesk), ...(isNew ? { closed: true } : {}) };
  const desk = resets === undefined ? known : { ...known, closed: true };
  const keeper = new Keeper(desk, { tenant: input.tenant, ask, resets });
  setHandler(
    semaphoresUpdate,
    async ({ request, limits }) => {
      // An earlier life of the entity may have granted them already.
      if (keeper.closed) await condition(() => !keeper.closed);
      keeper.attend({ type: 'ask', request, limits }, request.token);
      return waitsFor(keeper.desk, request.token);
    },
    {
      validator: (ask) => requireMessage(messages.semaphoreAsk, ask),
      description: 'Ask for semaphores; jobs speak by it.',
    },
  );
  hear(semaphoresReleaseSignal, messages.token, ({ token }) => keeper.attend({ type: 'release', tokens: [token] }));
  setHandler(semaphoresQuery, () => keeper.desk);
  if (!isNew) await keeper.goOn(known.closed === true);
  const budget = input.historyBudget ?? defaultBudget;
  const spent = () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > budget;
  const done = () => keeper.idle && allHandlersFinished();
  while (keeper.closed || !spent() || !done()) {
    if (keeper.closed) await keeper.recall();
    await condition(() => keeper.closed || (spent() ? done() : keeper.desk.waiting.length > 0));
    const over = () => keeper.closed || spent() || keeper.desk.waiting.length === 0;
    if (!spent() && !(await condition(over, `${input.lookEvery ?? defaultPeriod}s`))) await keeper.look();
  }
  await continueAsNew<typeof semaphores>({ ...input, desk: keeper.desk });
}

interface Keeping {
  readonly tenant: string;
  readonly ask: EntityActivities;
  readonly resets: Resets | undefined;
}

/** What the entity knows, and its words to jobs. */
class Keeper {
  readonly #tenant: string;
  readonly #ask: Keeping['ask'];
  readonly #resets: Resets | undefined;
  desk: SemaphoreDesk;
  #telling = 0;

  constructor(desk: SemaphoreDesk, { tenant, ask, resets }: Keeping) {
    this.#tenant = tenant;
    this.#ask = ask;
    this.desk = desk;
    this.#resets = resets;
  }

  /** Nobody is served before all jobs were asked what they hold: the entity is new, or was reset. */
  get closed(): boolean {
    this.#notice();
    return this.desk.closed === true;
  }

  /**
   * Begins where an earlier run has stopped: what that knew is all there is, unless this run was reset, or that one had
   * still to ask.
   */
  async goOn(wasClosed: boolean): Promise<void> {
    if (this.#resets === undefined) return;
    await this.#resets.begin();
    if (this.#resets.notice() || wasClosed) return;
    this.attend({ type: 'recall', holding: [], waiting: [], limits: {} });
  }

  /** Asks all jobs what they hold. */
  async recall(): Promise<void> {
    const { runId: run } = workflowInfo();
    const { by, ...claims } = await this.#ask.recallSemaphores({ tenant: this.#tenant, run });
    this.attend({ type: 'recall', ...claims });
    this.#resets?.settle(by);
  }

  /** Every word has arrived. */
  get idle(): boolean {
    return this.#telling === 0;
  }

  /** Folds a message and tells those to whom it brings their semaphores, but for the one who `hears` it anyway. */
  attend(message: SemaphoreMessage, hears?: string): void {
    this.#notice();
    const { desk, granted } = attend(this.desk, message);
    this.desk = desk;
    setCurrentDetails(`${desk.holding.length} hold semaphores, ${desk.waiting.length} wait`);
    for (const request of granted) if (request.token !== hears) void this.#tell(request);
  }

  /** Takes back what ended holders have left behind, and reads the limits again. */
  async look(): Promise<void> {
    const holding = inTheWay(this.desk).map(({ holder, token }) => ({ holder, token }));
    const names = [...new Set(this.desk.waiting.flatMap((request) => request.names))];
    const { over, limits } = await control.lookAtSemaphores({ holding, names });
    this.attend({ type: 'limits', limits });
    if (over.length > 0) this.attend({ type: 'release', tokens: over });
  }

  /** A run that was reset has forgotten whom it has granted what. */
  #notice(): void {
    if (this.#resets?.notice()) this.desk = { ...this.desk, closed: true };
  }

  async #tell({ holder, token }: SemaphoreRequest): Promise<void> {
    this.#telling += 1;
    try {
      await getExternalWorkflowHandle(holder).signal(semaphoresGrantedSignal, { token });
    } catch (error) {
      log.warn('a job has ended while it waited for semaphores', { holder, reason: rootCause(error) });
      this.attend({ type: 'release', tokens: [token] });
    } finally {
      this.#telling -= 1;
    }
  }
}
