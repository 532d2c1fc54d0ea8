import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { GateState } from '../pipelines/gate/state.ts';
import { control, local } from './activities.ts';
import type { GateInput, GateMemory, GateMessage } from './contract.ts';
import { GateBook } from './gate-book.ts';
import { GateBuildSets } from './gate-build-sets.ts';
import { GateLanes } from './gate-lanes.ts';
import { snapshot, summaryLine } from './gate-snapshot.ts';
import { commandsSignal, commandsUpdate, queueQuery } from './messages.ts';

/** History events after which a gate continues as new, when the server does not ask for it earlier. */
const defaultBudget = 2_000;

/** Bytes of carried state above which it goes to artifact storage. */
const carriedLimit = 64 * 1024;

/**
 * The entity of one queue of one pipeline. Handlers fold messages at once; the loop compares what the core wants
 * with what is under way, and starts and cancels the difference.
 */
export async function gate(input: GateInput): Promise<void> {
  const { tenant, pipeline, queue } = input;
  const name = { tenant, pipeline, queue };
  const book = new GateBook(await recall(input));
  const lanes = new GateLanes(name, book);
  const buildSets = new GateBuildSets(name, book);
  setHandler(commandsSignal, (message) => void book.receive(message));
  setHandler(commandsUpdate, (message) => answer(message, book, buildSets), {
    description: 'Enqueue, dequeue, promote or retrigger; `sluice` speaks by it.',
  });
  setHandler(queueQuery, () => snapshot(name, book, Date.now()));
  const spent = () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > budgetOf(input);
  const still = () => lanes.idle && buildSets.idle;
  let shown: GateState | undefined;
  for (;;) {
    book.changed = false;
    if (!spent()) {
      const actions = book.wanted();
      buildSets.advance(actions);
      lanes.advance(actions);
    } else if (still()) {
      // A handler counts as running until its answer is on its way.
      await condition(allHandlersFinished);
      await goOn(input, book);
    }
    if (book.state !== shown) {
      shown = book.state;
      await show(name, book);
    }
    await condition(() => book.changed);
  }
}

function budgetOf(input: GateInput): number {
  return input.historyBudget ?? defaultBudget;
}

/** A retrigger goes to the build set, which runs the job; everything else is the core's to answer. */
function answer(message: GateMessage, book: GateBook, buildSets: GateBuildSets): GateAnswer {
  const last = message.commands.at(-1);
  if (last?.type !== 'retrigger') return book.receive(message);
  const verdict = book.ask(last);
  if (!verdict.ok) return verdict;
  const key = book.itemOf(last.pipeline, last.change)?.buildSet.key;
  if (key !== undefined && buildSets.retrigger(key, last.job)) return { ok: true };
  return { ok: false, reason: `${last.change} has no jobs to run again yet` };
}

/** Hands the current snapshot to the store: within the workflow task, so that many messages make one. */
async function show(name: Parameters<typeof snapshot>[0], book: GateBook): Promise<void> {
  book.sequence += 1;
  const shown = snapshot(name, book, Date.now());
  setCurrentDetails(summaryLine(shown));
  await local.projectQueue(shown);
}

async function recall(input: GateInput): Promise<GateMemory | undefined> {
  if (input.stored) return (await control.loadState(input.stored)) as GateMemory;
  return input.carried;
}

async function goOn({ carried: _, stored: __, ...name }: GateInput, book: GateBook): Promise<never> {
  const memory = book.memory();
  if (JSON.stringify(memory).length <= carriedLimit) return continueAsNew({ ...name, carried: memory });
  book.changed = false;
  const stored = await control.keepState(memory);
  // Messages that came while the state was being stored are in the new run's hands only if they are in it.
  return book.changed ? goOn(name, book) : continueAsNew({ ...name, stored });
}
