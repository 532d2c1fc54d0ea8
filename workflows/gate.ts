import { allHandlersFinished, condition, continueAsNew, setHandler } from '@temporalio/workflow';
import type { GateAction } from '../pipelines/gate/action.ts';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { FirstGateMemory, GateMemory } from '../pipelines/gate/memory.ts';
import { control } from './activities.ts';
import type { GateInput, GateMessage } from './contract.ts';
import { Alarm } from './gate-alarm.ts';
import { GateBook } from './gate-book.ts';
import { GateBuildSets } from './gate-build-sets.ts';
import { GateClock } from './gate-clock.ts';
import { GateLanes } from './gate-lanes.ts';
import { GateScreen } from './gate-screen.ts';
import { snapshot } from './gate-snapshot.ts';
import { gateId } from './ids.ts';
import { hear, messages, requireId, requireInput, requireMessage } from './input.ts';
import { commandsSignal, commandsUpdate, messagesUpdate, queueQuery } from './messages.ts';
import { has } from './patches.ts';

/** How long it waits then for what is under way: what has not ended by then is handed over, and asked for again. */
const grace = '10s';

/** Bytes of carried state above which runs of the first version put it into artifact storage themselves. */
const firstCarriedLimit = 64 * 1024;

/**
 * The entity of one queue of one pipeline. Handlers fold messages at once; the loop compares what the core wants
 * with what is under way, and starts and cancels the difference.
 */
export async function gate(input: GateInput): Promise<void> {
  requireInput('gate', input);
  requireId(gateId(input));
  const { tenant, pipeline, queue } = input;
  const name = { tenant, pipeline, queue };
  const second = has('gate-lives');
  const holds = has('gate-holds');
  const carried = await recall(input);
  const seldom = has('gate-shows-seldom');
  const core = {
    keepsMerged: has('gate-keeps-merged'),
    stacksOnMerging: has('gate-stacks-on-merging'),
    mergesTogether: has('gate-merges-together'),
    startsLate: has('gate-starts-late'),
    dropsStarts: has('gate-drops-starts'),
  };
  const changes = has('gate-shows-changes');
  const alarm = changes ? new Alarm() : undefined;
  const byTurn = has('gate-by-turn');
  const clock = new GateClock(input.historyBudget, { byTurn });
  const book = new GateBook(carried, { named: second, holds, ...core });
  const parts = { name, book, clock };
  const lanes = new GateLanes(parts, { bounded: second, holds });
  const buildSets = new GateBuildSets(parts, { ordered: second, holds });
  listen(name, book, buildSets);
  const still = () => lanes.idle && buildSets.idle;
  const screen = new GateScreen(name, book, { second, seldom, changes, byTurn });
  for (;;) {
    clock.turn();
    const acted = book.state;
    let actions: readonly GateAction[] = [];
    if (!clock.spent) {
      actions = book.wanted();
      buildSets.advance(actions);
      lanes.advance(actions);
    } else if (second) {
      await condition(still, grace);
      break;
    } else if (still()) break;
    await screen.update();
    const { troubles } = book;
    const changed = () => book.state !== acted || book.troubles !== troubles;
    const more = () => (clock.spent ? second || still() : lanes.canStart(actions) || buildSets.canTell(actions));
    const pause = clock.spent ? undefined : least(lanes.pauseFor(actions), screen.rest);
    alarm?.set(pause === undefined ? undefined : Date.now() + pause);
    if (alarm) await condition(() => changed() || more() || alarm.rang);
    else await conditionWithin(() => changed() || more(), pause);
  }
  // A handler counts as running until its answer is on its way.
  await condition(allHandlersFinished);
  buildSets.takeBack();
  await goOn(input, book, second);
}

function listen(name: Parameters<typeof snapshot>[0], book: GateBook, buildSets: GateBuildSets): void {
  const ask = (message: GateMessage): GateAnswer => {
    return book.receive(message, (key, job) => buildSets.retrigger(key, job));
  };
  hear(commandsSignal, messages.commands, (message) => void book.receive(message));
  setHandler(commandsUpdate, ask, {
    validator: (message) => requireMessage(messages.commands, message),
    description: 'Enqueue, dequeue, promote or retrigger; `sluice` speaks by it.',
  });
  setHandler(messagesUpdate, (several) => several.map(ask), {
    validator: (several) => requireMessage(messages.manyCommands, several),
    description: 'Several messages in order, as the server delivers them.',
  });
  setHandler(queueQuery, () => snapshot(name, book, Date.now()));
}

/** The shorter one of two pauses, as far as there are any. */
function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

async function conditionWithin(holds: () => boolean, milliseconds: number | undefined): Promise<void> {
  if (milliseconds === undefined) await condition(holds);
  else await condition(holds, milliseconds);
}

async function recall(input: GateInput): Promise<GateMemory | FirstGateMemory | undefined> {
  if (input.stored) return (await control.loadState(input.stored)) as FirstGateMemory;
  return input.carried;
}

/** Large memory travels by digest, as every large payload does: nothing comes between taking it and handing it on. */
async function goOn({ carried: _, stored: __, ...name }: GateInput, book: GateBook, second: boolean): Promise<never> {
  const carried = book.memory();
  if (second || JSON.stringify(carried).length <= firstCarriedLimit) return continueAsNew({ ...name, carried });
  const before = book.state;
  const stored = await control.keepState(carried);
  return book.state === before ? continueAsNew({ ...name, stored }) : goOn(name, book, second);
}
