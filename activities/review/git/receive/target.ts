import { BadName, checkBranch, show } from '../../../git/names.ts';
import { Refused } from '../../people.ts';

/** What a push to `refs/for/BRANCH` asks for. */
export interface Target {
  readonly branch: string;
  /** Null: as it was. */
  readonly topic: string | null;
  readonly wip: boolean | null;
}

const prefix = 'refs/for/';
const topicPattern = /^[\w.+/-]{1,100}$/;

/**
 * Parses `refs/for/BRANCH` with options, in the ref (`%topic=T,wip`) or as push options (`-o topic=T`).
 *
 * @throws Refused
 */
export function parseTarget(ref: string, pushOptions: readonly string[]): Target {
  const [name = '', ...rest] = ref.slice(prefix.length).split('%');
  const options = [...rest.join('%').split(','), ...pushOptions].filter((option) => option !== '');
  let target: Target = { branch: checked(name.replace(/^refs\/heads\//, '')), topic: null, wip: null };
  for (const option of options) target = { ...target, ...parseOption(option) };
  return target;
}

function parseOption(option: string): Partial<Target> {
  if (option === 'wip') return { wip: true };
  if (option === 'ready') return { wip: false };
  const topic = /^topic=(.*)$/s.exec(option)?.[1];
  if (topic !== undefined && topicPattern.test(topic)) return { topic };
  throw new Refused(`${show(option)} is no option of a push here: there are topic=NAME, wip and ready`);
}

function checked(branch: string): string {
  try {
    return checkBranch(branch);
  } catch (error) {
    throw error instanceof BadName ? new Refused(error.message) : error;
  }
}
