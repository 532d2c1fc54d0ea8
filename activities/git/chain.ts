import type { MergeStep, SourceState } from '../../pipelines/model/artifact.ts';
import { standsOnTaken } from '../../pipelines/report/taken.ts';
import { broughtBack, type History } from './brought-back.ts';
import { load, mergeOnto, openWorkspace, type Proposal, type Workspace } from './merge.ts';
import { inCommon, isAncestor, readBranch } from './refs.ts';
import { keepStates } from './states.ts';
import { noteTaken, readTaken, watchBranch } from './taken.ts';

/** A change as a chain merges it. */
export interface ChainChange extends Proposal {
  readonly id: string;
  readonly project: string;
  readonly branch: string;
}

/** One item of a chain: its changes are merged in order, onto the state called `base`. */
export interface ChainItem {
  readonly key: string;
  /** Key of an item before this one, or of `known`; null stands for the tips of the branches. */
  readonly base: string | null;
  readonly changes: readonly ChainChange[];
}

interface Merged {
  readonly key: string;
  readonly kind: 'ready';
  /** Each project and branch that this item or one ahead of it changes, with the merged state. */
  readonly sources: readonly SourceState[];
  /** What each change of the item has made, in order. */
  readonly steps: readonly MergeStep[];
}

interface Unmergeable {
  readonly key: string;
  readonly kind: 'conflict';
  /** The id of the change that could not be merged. */
  readonly change: string;
  readonly message: string;
  /** It merges, and would bring back what was taken from its branch. */
  readonly taken?: true;
}

export type ChainResult =
  | Merged
  | Unmergeable
  /** The state that it should stand on could not be made. */
  | { readonly key: string; readonly kind: 'no-base'; readonly base: string };

export interface ChainInput {
  /** Where the bare repository of a project is. */
  readonly at: (project: string) => string;
  readonly items: readonly ChainItem[];
  /** States that were made before, by key. */
  readonly known?: Readonly<Record<string, readonly SourceState[]>>;
}

/**
 * Merges items in order, across repositories, each onto the state that it stands on and never from the beginning.
 * A conflict is a result; what stands on it is not made.
 */
export async function prepareChain({ at, items, known = {} }: ChainInput): Promise<ChainResult[]> {
  const spaces = new Map<string, Workspace>();
  const open = (project: string) => {
    const space = spaces.get(project) ?? openWorkspace(at(project));
    spaces.set(project, space);
    return space;
  };
  const states = new Map<string, readonly SourceState[]>(Object.entries(known));
  const results: ChainResult[] = [];
  for (const item of items) {
    const base = item.base === null ? [] : states.get(item.base);
    const result: ChainResult =
      base === undefined
        ? { key: item.key, kind: 'no-base', base: item.base ?? '' }
        : await mergeItem(item, base, open);
    if (result.kind === 'ready') states.set(item.key, result.sources);
    results.push(result);
  }
  await keepAll(results, open);
  return results;
}

async function mergeItem(
  item: ChainItem,
  base: readonly SourceState[],
  open: (project: string) => Workspace,
): Promise<ChainResult> {
  let sources = base;
  const steps: MergeStep[] = [];
  for (const change of item.changes) {
    const { project, branch } = change;
    const space = open(project);
    const at = sources.find((state) => state.project === project && state.branch === branch);
    const onto = at?.commit ?? (await tipToMergeOnto(space.repo, branch));
    const failed = { key: item.key, kind: 'conflict', change: change.id } as const;
    const back = onto === null ? null : await takenBelow(space, onto, change);
    if (back !== null) return { ...failed, message: `${change.id}: ${back}`, taken: true };
    const result = await mergeOnto(space, onto, change);
    if (result.kind === 'conflict') return { ...failed, message: `${change.id}: ${result.message}` };
    const state = { project, branch, commit: result.commit, tree: result.tree };
    sources = [...sources.filter((each) => each !== at), state];
    steps.push({ ...state, change: change.id, onto });
  }
  return { key: item.key, kind: 'ready', sources, steps };
}

/** Says what the merge would bring back: nobody merges that after the jobs, so that it is told before any runs. */
async function takenBelow(space: Workspace, onto: string, change: ChainChange): Promise<string | null> {
  const { repo } = space;
  const taken = () => readTaken(repo, change.branch);
  const [commit] = await load(space, [change.commit]);
  const history: History = {
    isAncestor: (older, newer) => isAncestor(repo, older, newer),
    inCommon: (one, others) => inCommon(repo, one, others),
  };
  const head = commit?.id ?? '';
  const { mode = 'rebase', series } = change;
  const back = await broughtBack(history, { tip: onto, head, mode, series, taken });
  return back === null ? null : standsOnTaken(back, { ...change, head });
}

/** What a change is tested on, no later merge is to bring back once it is taken from its branch. */
async function tipToMergeOnto(repo: string, branch: string): Promise<string | null> {
  // Where Sluice is the host, no fetch has noticed.
  await noteTaken(repo);
  const tip = await readBranch(repo, branch);
  if (tip !== null) await watchBranch(repo, branch, tip);
  return tip;
}

async function keepAll(results: readonly ChainResult[], open: (project: string) => Workspace): Promise<void> {
  const commits = new Map<string, Set<string>>();
  for (const { project, commit } of results.flatMap((result) => (result.kind === 'ready' ? result.sources : []))) {
    commits.set(project, (commits.get(project) ?? new Set()).add(commit));
  }
  for (const [project, made] of commits) await keepStates(open(project).repo, [...made]);
}
