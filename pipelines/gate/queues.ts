import type { Pipeline, QueuePlacement } from '../model/pipeline.ts';
import type { ChangeFacts } from './command.ts';
import { type Draft, emit } from './draft.ts';
import { factsOf } from './operations.ts';
import type { Queue } from './state.ts';

/** Id of the queue that a change goes to where queues are shared; for a project that has none, one for the time being. */
export function queueFor(pipeline: Pipeline, change: ChangeFacts): string {
  const place = lastingPlace(pipeline, change);
  return `${pipeline.name}/${place?.queue ?? `${change.project}#`}`;
}

function lastingPlace(pipeline: Pipeline, change: ChangeFacts): QueuePlacement | undefined {
  const place = change.placements[pipeline.name];
  return place?.uses === 'no' ? undefined : place;
}

/** Whether the change's project uses the pipeline on its branch: if not, nobody expects a word from it. */
export function isPlaced(change: ChangeFacts | undefined, pipeline: string): boolean {
  return change?.placements[pipeline]?.uses === 'here';
}

/** The queue that a change goes to, opened when it is not there. Answers with its id. */
export function openQueueFor(draft: Draft, pipeline: Pipeline, change: ChangeFacts): string {
  const { queues } = draft.state;
  if (pipeline.manager === 'supercedent') {
    const found = queues.find((queue) => queue.pipeline === pipeline.name && isSameRef(draft, queue, change));
    return found?.id ?? open(draft, temporary(draft, pipeline, change));
  }
  if (pipeline.manager === 'independent') return open(draft, temporary(draft, pipeline, change));
  const id = queueFor(pipeline, change);
  if (queues.some((queue) => queue.id === id)) return id;
  const name = lastingPlace(pipeline, change)?.queue;
  if (name === undefined) return open(draft, { ...temporary(draft, pipeline, change), id });
  const window = pipeline.manager === 'serial' ? 1 : pipeline.window.size;
  return open(draft, { id, pipeline: pipeline.name, name, lasting: true, window, items: [] });
}

function open(draft: Draft, queue: Queue): string {
  emit(draft, { type: 'queue-opened', queue });
  return queue.id;
}

/** A queue that goes when its items have gone. */
function temporary(draft: Draft, pipeline: Pipeline, change: ChangeFacts): Queue {
  const id = `${pipeline.name}/${change.project}#${draft.state.serial + 1}`;
  const window = pipeline.manager === 'supercedent' ? 1 : 0;
  return { id, pipeline: pipeline.name, name: change.project, lasting: false, window, items: [] };
}

function isSameRef(draft: Draft, queue: Queue, change: ChangeFacts): boolean {
  const newest = factsOf(draft, queue.items.at(-1)?.changes[0] ?? '');
  if (newest?.project !== change.project) return false;
  return newest.ref === change.ref || (change.branch !== '' && newest.branch === change.branch);
}
