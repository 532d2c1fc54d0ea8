import type { BuildResult } from '../model/job.ts';
import { counted } from '../model/words.ts';

/** Where a change is in a pipeline. */
export interface PlaceInQueue {
  readonly pipeline: string;
  readonly queue: string;
  /** From 1. */
  readonly place: number;
  readonly length: number;
  readonly window: number;
  readonly active: boolean;
  readonly state: string;
  readonly reason: string;
  /** The changes that it is tested on top of, nearest first. */
  readonly ahead: readonly string[];
  readonly jobs: readonly {
    readonly name: string;
    readonly voting: boolean;
    readonly result: BuildResult | null;
    readonly summary: string;
    readonly startTime: number | null;
    readonly waiting: readonly string[];
  }[];
}

export function placeSentence({ pipeline, place, length, state, queue }: PlaceInQueue): string {
  const where = length > 1 ? `number ${place} of ${counted(length, 'item')}` : 'alone';
  return `In ${pipeline}, ${where} in the queue ${queue}: ${state}.`;
}

/** Why an item has failed already while others of its jobs run: its verdict is clear, its report is to come. */
export function failingIn({ pipeline, jobs, state, reason }: PlaceInQueue): readonly string[] {
  const failures = jobs
    .filter(({ voting, result }) => voting && result !== null && !['SUCCESS', 'SKIPPED', 'CANCELED'].includes(result))
    .map(({ name, result, summary }) => `${pipeline}: ${name} has ended with ${result}${summary && `: ${summary}`}.`);
  return failures.length === 0 && state === 'failing' && reason !== '' ? [`${pipeline}: ${reason}`] : failures;
}

/** What an item waits for, a sentence for each thing. */
export function waitingIn({ pipeline, active, window, reason, ahead, jobs, state }: PlaceInQueue): readonly string[] {
  const said: string[] = [];
  if (!active)
    said.push(`${pipeline}: its turn: ${counted(window, 'item')} at a time can be worked on, others come first.`);
  else if (reason !== '' && state !== 'failing') said.push(`${pipeline}: ${reason.replace(/\.$/, '')}.`);
  if (ahead.length > 0) said.push(`${pipeline}: ${ahead.join(', ')} ahead of it, on top of which it is tested.`);
  if (active && jobs.length === 0 && state !== 'merging')
    said.push(`${pipeline}: its merged state, which is being prepared.`);
  for (const { name, startTime, waiting } of jobs.filter(({ result }) => result === null)) {
    if (startTime !== null)
      said.push(`${pipeline}: ${name}, ${waiting.length > 0 ? waiting.join('; ') : 'which runs'}.`);
    else if (waiting.length > 0) said.push(`${pipeline}: ${name}, which waits for ${waiting.map(awaited).join('; ')}.`);
    else said.push(`${pipeline}: ${name}, which has not begun.`);
  }
  return said;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** In words what `sluice status` has as `semaphores: a`, and so on. */
function awaited(reason: string): string {
  const [, kind = '', list = ''] = /^(dependencies|semaphores|nodes|requirements): (.*)$/s.exec(reason) ?? [];
  const names = list.split(', ');
  const one = names.length === 1;
  switch (kind) {
    case 'dependencies':
      return `${listed(names)}, which ${one ? 'comes' : 'come'} first`;
    case 'semaphores':
      return `the ${one ? 'semaphore' : 'semaphores'} ${listed(names)}, which other jobs hold`;
    case 'nodes':
      return `machines of ${list}, which other jobs have`;
    case 'requirements':
      return list;
    default:
      return reason;
  }
}
