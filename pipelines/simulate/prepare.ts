import type { PrepareAction } from '../gate/action.ts';
import type { ChangeFacts, PrepareOutcome } from '../gate/command.ts';
import { type Layout, placement, problemText } from '../language/language.ts';
import type { Problem } from '../model/position.ts';
import { brokenBelow } from '../report/sentences.ts';
import type { Layouts, ProposedFile } from './layouts.ts';
import type { World } from './world.ts';

/** What preparing needs: the simulated repositories, and what the gate knows of changes by the keys of patch sets. */
export interface Preparation {
  readonly world: World;
  readonly layouts: Layouts;
  readonly facts: (key: string) => ChangeFacts;
}

/** Merges and freezes an item, as the activities of a real gate do. */
export function prepare(of: Preparation, action: PrepareAction): PrepareOutcome {
  const changes = action.changes.map(of.facts);
  const ahead = action.ahead.map(of.facts);
  const conflict = conflictOf(of, action);
  const proposed = proposedFiles(of, [...ahead, ...changes]);
  const own = proposedFiles(of, changes);
  const broken = brokenAhead(of, action);
  if (broken !== undefined) return { kind: 'config-error', message: broken };
  const base = of.layouts.speculative(proposedFiles(of, ahead)).layout;
  if (own.length > 0 && conflict !== undefined) {
    const placed = changes.some((change) => isPlacedIn(base, action.pipeline, change));
    return { kind: 'conflict', message: conflict, placed };
  }
  const { layout, problems } =
    own.length > 0 ? of.layouts.speculative(proposed, own.length) : { layout: base, problems: [] };
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { kind: 'config-error', message: listed(errors) };
  const frozen = of.layouts.freeze(layout, {
    pipeline: action.pipeline,
    changes: changes.map(({ id, project, branch, ref, files }) => ({ id, project, branch, ref, files })),
    primary: of.facts(action.trigger).id,
    runOptional: true,
    ...(own.length > 0 ? { ahead: base } : {}),
  });
  const placed = () => changes.some((change) => isPlacedIn(layout, action.pipeline, change));
  if ('errors' in frozen) {
    const message = `The jobs cannot be frozen. ${listed(frozen.errors)}`;
    return { kind: 'config-error', message, placed: placed() };
  }
  // What has nothing to run is merged only where it has to wait for what is ahead: else it is done before.
  const merges = action.base !== null || frozen.graph.jobs.length > 0;
  if (conflict !== undefined && merges) return { kind: 'conflict', message: conflict, placed: placed() };
  return { kind: 'ready', graph: frozen.graph };
}

function isPlacedIn(layout: Layout, pipeline: string, { project, branch }: ChangeFacts): boolean {
  return placement(layout, pipeline, project, branch)?.uses === 'here';
}

/** Why the changes cannot be merged, one after the other, onto the branches and what is ahead. */
function conflictOf(of: Preparation, action: PrepareAction): string | undefined {
  const below: string[] = [];
  for (const key of [...action.ahead, ...action.changes]) {
    const { kind, id } = of.facts(key);
    if (kind !== 'change') continue;
    const other = of.world.conflict(id, below);
    if (other !== undefined) return `${id} conflicts with ${other}.`;
    below.push(id);
  }
  return undefined;
}

/** The configuration files that changes propose, each change's own patch set of it. */
function proposedFiles(of: Preparation, changes: readonly ChangeFacts[]): readonly ProposedFile[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'change' || change.status === 'merged') return [];
    const { config } = of.world.change(change.id).made;
    return config === undefined ? [] : [{ project: change.project, branch: change.branch, text: config }];
  });
}

/** Of what is ahead and not tested by itself, the first item whose configuration cannot be used. */
function brokenAhead(of: Preparation, { untested = [], changes }: PrepareAction): string | undefined {
  for (const [index, item] of untested.entries()) {
    const own = proposedFiles(of, item.map(of.facts)).length;
    if (own === 0) continue;
    const upToItem = untested.slice(0, index + 1).flat();
    const { problems } = of.layouts.speculative(proposedFiles(of, upToItem.map(of.facts)), own);
    if (!problems.some(({ severity }) => severity === 'error')) continue;
    const below = item.map((key) => of.facts(key).id);
    return brokenBelow(changes.length, below);
  }
  return undefined;
}

function listed(problems: readonly Problem[]): string {
  return problems.map(problemText).join('\n');
}
