import { isComplete } from '../jobs/result.ts';
import type { BuildSetEvent } from '../jobs/state.ts';
import type { GateAnswer, GateCommand } from './command.ts';
import { configure } from './configure.ts';
import { type Draft, emit, itemOf } from './draft.ts';
import { enqueue, liveItem } from './enqueue.ts';
import { latestKey } from './facts.ts';
import { submitted } from './finish.ts';
import { observe } from './observe.ts';
import { dropItem, dropStart, resetFrom } from './operations.ts';
import { promote } from './promote.ts';
import { retriggerAsked, retriggered, retriggerHeard } from './retrigger.ts';
import type { Item } from './state.ts';

type Command<Type extends GateCommand['type']> = Extract<GateCommand, { type: Type }>;

const done: GateAnswer = { ok: true };

/** Does what a command says by itself; what follows from it is left to the walk along the queues. */
export function carryOut(draft: Draft, command: GateCommand): GateAnswer {
  switch (command.type) {
    case 'configure':
      configure(draft, command);
      return done;
    case 'observe':
      observe(draft, command.changes);
      return done;
    case 'enqueue':
      return enqueued(draft, command);
    case 'dequeue':
      return dequeued(draft, command);
    case 'promote':
      return promote(draft, command);
    case 'retrigger':
      return retriggered(draft, command);
    case 'retrigger-asked':
      return retriggerAsked(draft, command);
    case 'submitted':
      return answered(draft, command);
    case 'done':
      concluded(draft, command);
      return done;
    default:
      return progressed(draft, command);
  }
}

/** What was given up is a fact from then on. */
function concluded(draft: Draft, { action: key, failed, time }: Command<'done'>): void {
  const action = draft.state.outbox.find((one) => one.key === key);
  if (action && failed !== undefined) {
    const changes = action.kind === 'report' ? action.changes : [action.change];
    emit(draft, { type: 'action-given-up', undelivered: { key, kind: action.kind, changes, reason: failed, time } });
  }
  emit(draft, { type: 'action-done', key });
}

function enqueued(draft: Draft, command: Command<'enqueue'>): GateAnswer {
  const key = latestKey(draft.state.facts, command.change);
  if (key === undefined) return no(`change ${command.change} is not known`);
  if (!draft.state.pipelines.some((one) => one.name === command.pipeline)) return no(`no pipeline ${command.pipeline}`);
  const verdict = enqueue(draft, command.pipeline, key, {
    ignoreRequirements: command.ignoreRequirements ?? false,
    debug: command.debug ?? false,
    quiet: false,
    trigger: key,
  });
  return verdict.in ? done : no(verdict.reason);
}

function dequeued(draft: Draft, command: Command<'dequeue'>): GateAnswer {
  const item = liveItem(draft, command);
  if (!item) return no(`${command.change} is not in ${command.pipeline}`);
  if (item.phase === 'submitting') return no(`${command.change} is being merged`);
  dropItem(draft, item);
  return done;
}

function answered(draft: Draft, command: Command<'submitted'>): GateAnswer {
  const item = draft.items.get(command.item);
  if (item?.phase !== 'submitting') return no(`item ${command.item} is not being merged`);
  submitted(draft, item, command);
  return done;
}

type BuildNews = Command<'build-started' | 'build-waiting' | 'build-failing' | 'build-paused' | 'build-ended'>;
type Progress = Command<'prepared' | 'build-set-lost' | 'retrigger-refused'> | BuildNews;

/** News of a build set; void when the item has another one by now. */
function progressed(draft: Draft, command: Progress): GateAnswer {
  const id = command.buildSet.slice(0, command.buildSet.lastIndexOf('.'));
  const item = draft.items.get(id);
  if (item?.buildSet.key !== command.buildSet) return no(`build set ${command.buildSet} is no longer wanted`);
  if (command.type === 'prepared') {
    const { base, builds, trouble } = item.buildSet;
    if (!base || builds || trouble) return no(`build set ${command.buildSet} is prepared already`);
    emit(draft, { type: 'item-prepared', item: id, outcome: command.outcome });
    return done;
  }
  if (command.type === 'build-set-lost') {
    if (item.phase !== 'queued') return no(`item ${id} has had its verdict`);
    resetFrom(draft, item);
    return done;
  }
  if (command.type === 'retrigger-refused') {
    retriggerHeard(draft, item, command.job);
    return done;
  }
  const change = buildEvent(command);
  const before = itemOf(draft, id);
  emit(draft, { type: 'builds-changed', item: id, change });
  if (itemOf(draft, id) !== before) {
    if (command.type === 'build-ended') dropNeedlessStart(draft, itemOf(draft, id));
    return done;
  }
  draft.events.pop();
  return no(`build ${command.build} is no longer wanted`);
}

/** Of jobs that are all over before it was told that they begin only the result is told, whenever that may be. */
function dropNeedlessStart(draft: Draft, item: Item): void {
  const { builds } = item.buildSet;
  if (draft.state.dropsStarts && builds !== null && isComplete(builds)) dropStart(draft, item);
}

function buildEvent(command: BuildNews): BuildSetEvent {
  const { build, time } = command;
  switch (command.type) {
    case 'build-started':
      return { type: 'started', build, time, ...(command.node === undefined ? {} : { node: command.node }) };
    case 'build-waiting':
      return { type: 'waiting', build, reasons: command.reasons, time };
    case 'build-failing':
      return { type: 'failing', build };
    case 'build-paused':
      return { type: 'paused', build, outcome: command.outcome };
    case 'build-ended':
      return { type: 'ended', build, outcome: command.outcome };
  }
}

function no(reason: string): GateAnswer {
  return { ok: false, reason };
}
