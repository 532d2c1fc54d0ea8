import type { ChangeFacts, PrepareOutcome } from '../../pipelines/gate/command.ts';
import {
  freezeJobs,
  isConfigPath,
  type Layout,
  placement,
  problemText,
  problemTextAnywhere,
  projectSettings,
  speculativeLayout,
} from '../../pipelines/language/language.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { JobGraph } from '../../pipelines/model/job.ts';
import type { Problem } from '../../pipelines/model/position.ts';
import type {
  ChangeRef,
  GraphRef,
  Prepared,
  PreparedItem,
  PrepareInput,
  PrepareItem,
  StoredGraph,
} from '../../workflows/contract.ts';
import type { ChainItem, ChainResult } from '../git/chain.ts';
import type { MergeMode } from '../git/merge.ts';
import type { Git } from '../git/port.ts';
import { failureOf } from '../outcome.ts';
import type { BlobStore } from '../ports.ts';
import type { Sealer } from '../secrets/port.ts';
import { readChangedFiles } from './config-files.ts';
import type { Layouts } from './layouts.ts';
import { bindSecrets } from './secrets.ts';
import { slim } from './slim.ts';

export interface PrepareDeps {
  readonly layouts: Layouts;
  readonly git: Git;
  readonly blobs: Pick<BlobStore, 'put' | 'read'>;
  /** Seals the jobs that have secrets. */
  readonly sealer: Pick<Sealer, 'seal'>;
}

/**
 * Prepares a batch of items in order, each onto the state that it stands on: merges, reads the configuration as it
 * would be, freezes the jobs, and stores graph and state. What is wrong with a change is an outcome.
 */
export function createPrepare(deps: PrepareDeps) {
  return async (given: PrepareInput): Promise<readonly Prepared[]> => {
    const input = { ...given, items: await Promise.all(given.items.map((item) => withFiles(deps, item))) };
    const layout = await deps.layouts.current();
    const known = new Map<string, StoredGraph>();
    for (const [key, ref] of Object.entries(input.graphs)) known.set(key, await recall(deps, ref));
    const prepareBatch = async (items: readonly PrepareItem[]): Promise<PreparedItem[]> => {
      const states = await mergeAll(deps, layout, { items, known });
      const all: (Frozen & { readonly key: string })[] = [];
      for (const item of items) {
        const result = states.get(item.key);
        const base = item.base === null ? undefined : known.get(item.base);
        const made = await freezeItem(deps, layout, { pipeline: input.pipeline, item, result, base });
        if (made.stored) known.set(item.key, made.stored);
        all.push({ key: item.key, ...made });
      }
      // Each is waited for until the disk has it: all at once.
      const keep = (state: StoredGraph) => deps.blobs.put(JSON.stringify(state));
      return Promise.all(
        all.map(async ({ stored, ...each }) => ({ ...each, graph: stored ? await keep(stored) : null })),
      );
    };
    // As one chain, which is fast; where something is wrong with one of them, each by itself, to find out with which.
    return prepareBatch(input.items).catch(() => prepareEach(deps.git, input.items, prepareBatch));
  };
}

/** What stands on an item that failed is left out: it is asked for again. */
async function prepareEach(
  git: Git,
  items: readonly PrepareItem[],
  prepare: (items: readonly PrepareItem[]) => Promise<readonly PreparedItem[]>,
): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  const failed = new Set<string>();
  for (const item of items) {
    if (item.base !== null && failed.has(item.base)) {
      failed.add(item.key);
      continue;
    }
    const failure = await failureOf(item.key, async () => void prepared.push(...(await prepare([item]))));
    if (!failure) continue;
    failed.add(item.key);
    const gone = await goneFrom(git, item);
    if (gone === undefined) prepared.push(failure);
    else prepared.push({ key: item.key, graph: null, outcome: { kind: 'config-error', message: gone } });
  }
  return prepared;
}

/** What is no longer there for an item: nothing that waiting mends. */
async function goneFrom(git: Git, { changes, ahead }: PrepareItem): Promise<string | undefined> {
  for (const { project, branch, kind } of [...ahead, ...changes]) {
    const tip = kind === 'tag' ? branch : await git.branchTip(project, branch).catch(() => branch);
    if (tip === null) return `${project} has no branch ${branch} any more`;
  }
  return undefined;
}

/** The item with the paths that its changes, and those ahead, touch: many of them are kept apart from the facts. */
async function withFiles(deps: PrepareDeps, item: PrepareItem): Promise<PrepareItem> {
  const read = async ({ filesIn, ...facts }: ChangeFacts): Promise<ChangeFacts> => {
    if (filesIn === undefined) return facts;
    return { ...facts, files: JSON.parse((await deps.blobs.read(filesIn.digest)).toString('utf8')) };
  };
  const [changes, ahead] = await Promise.all([item.changes, item.ahead].map((facts) => Promise.all(facts.map(read))));
  return { ...item, changes: changes ?? [], ahead: ahead ?? [] };
}

async function recall(deps: PrepareDeps, ref: GraphRef): Promise<StoredGraph> {
  return JSON.parse((await deps.blobs.read(ref.digest)).toString('utf8'));
}

interface Batch {
  readonly items: readonly PrepareItem[];
  readonly known: ReadonlyMap<string, StoredGraph>;
}

/** The Git part for the whole batch: branches and merged changes as they are, proposed changes merged in a chain. */
async function mergeAll(
  deps: PrepareDeps,
  layout: Layout,
  { items: all, known }: Batch,
): Promise<Map<string, ChainResult>> {
  const results = new Map<string, ChainResult>();
  const proposed = all.filter((item) => isProposed(item.changes));
  await ensureAll(deps.git, all);
  for (const item of all.filter((one) => !proposed.includes(one))) {
    const sources = await Promise.all(item.changes.map((change) => stateOf(deps.git, change)));
    results.set(item.key, { key: item.key, kind: 'ready', sources, steps: [] });
  }
  const sources = Object.fromEntries([...known].map(([key, stored]) => [key, stored.sources]));
  const items = proposed.flatMap((item) => chainItems(layout, item));
  for (const result of await deps.git.merge({ items, known: sources })) results.set(result.key, result);
  return results;
}

function isProposed(changes: readonly ChangeFacts[]): boolean {
  return changes.some(({ kind, status }) => kind === 'change' && status === 'open');
}

/** What a branch or a merged change is: the commit that it names, or else the branch's tip. */
async function stateOf(git: Git, { project, branch, newrev, ref }: ChangeFacts): Promise<SourceState> {
  return { project, branch, ...(await git.resolve(project, newrev ?? ref)) };
}

/** What the changes of a batch, and those that they need, are kept under, and the branches that they begin on. */
async function ensureAll(git: Git, items: readonly PrepareItem[]): Promise<void> {
  const wanted = items.flatMap(({ changes, ahead, base }) => [...changes, ...ahead].map((each) => ({ ...each, base })));
  const projects = Object.entries(Object.groupBy(wanted, ({ project }) => project));
  await Promise.all(
    projects.map(([project, all = []]) => {
      // What stands on a state that was made has its branches from that.
      const branches = all.flatMap(({ base, branch }) => (base === null ? [branch] : []));
      return git.ensure(project, [...new Set(all.map(({ ref }) => ref))], { branches: [...new Set(branches)] });
    }),
  );
}

/** An item without a prepared base stands on its own merge of all that is ahead of it. */
function chainItems(layout: Layout, item: PrepareItem): ChainItem[] {
  const changes = item.changes.map((change) => proposal(layout, change));
  const ahead = item.ahead.filter(({ status }) => status === 'open').map((change) => proposal(layout, change));
  if (item.base !== null || ahead.length === 0) return [{ key: item.key, base: item.base, changes }];
  const below = `${item.key}/ahead`;
  return [
    { key: below, base: null, changes: ahead },
    { key: item.key, base: below, changes },
  ];
}

/** A change is its head's commit where a host says it, for what its ref is at may move; else what its ref is at. */
function proposal(layout: Layout, { id, project, branch, ref, newrev }: ChangeFacts) {
  const { mergeMode, series } = projectSettings(layout, project) ?? {};
  const mode = mergeMode as MergeMode | undefined;
  return { id, project, branch, commit: newrev ?? ref, ...(mode && { mode }), ...(series && { series }) };
}

interface ItemToFreeze {
  readonly pipeline: string;
  readonly item: PrepareItem;
  readonly result: ChainResult | undefined;
  readonly base: StoredGraph | undefined;
}

interface Frozen {
  readonly outcome: PrepareOutcome;
  readonly stored?: StoredGraph;
}

async function freezeItem(deps: PrepareDeps, layout: Layout, job: ItemToFreeze): Promise<Frozen> {
  const { item, result } = job;
  if (result?.kind === 'conflict') return { outcome: { kind: 'conflict', message: result.message } };
  if (result?.kind !== 'ready') {
    return { outcome: { kind: 'conflict', message: 'the state that the change stands on could not be merged' } };
  }
  const { sources, steps } = result;
  const { reconfigured, own } = reconfiguration(job);
  const speculative = await speculate(deps, layout, { sources, reconfigured, own });
  if (speculative.error !== undefined) return { outcome: { kind: 'config-error', message: speculative.error } };
  const jobs = freezeAll(speculative.layout, job, layout);
  if (typeof jobs === 'string') {
    const placed = item.changes.some((change) => isPlacedIn(speculative.layout, job.pipeline, change));
    return { outcome: { kind: 'config-error', message: jobs, placed } };
  }
  const frozen = { ...jobs, warnings: [...new Set([...speculative.warnings, ...jobs.warnings])] };
  const changes = item.changes.map((change) => testedChange(layout, change));
  const graph = await bindSecrets(deps, speculative.layout, { graph: frozen, sources });
  const stored = { graph, sources, changes, reconfigured, steps };
  return { stored, outcome: { kind: 'ready', graph: slim(frozen) } };
}

/** With the merge mode that is named where it was merged by it: by the configuration in force, not by its own. */
function testedChange(layout: Layout, { id, patchset, project, branch }: ChangeFacts): ChangeRef {
  const mergeMode = projectSettings(layout, project)?.namedMergeMode;
  return { id, patchset, project, branch, ...(mergeMode !== undefined && { mergeMode }) };
}

function touchesConfig({ files }: ChangeFacts): boolean {
  return files === null || files.some(isConfigPath);
}

/** The branches whose configuration the item, and what it stands on, would change; the item's own last. */
function reconfiguration({ item, base }: ItemToFreeze): Pick<Speculation, 'reconfigured' | 'own'> {
  const below = base?.reconfigured ?? [];
  if (!isProposed(item.changes)) return { reconfigured: below, own: 0 };
  const branches = new Map<string, StoredGraph['reconfigured'][number]>();
  const own = new Set<string>();
  for (const { project, branch } of [...below, ...item.ahead.filter(touchesConfig)]) {
    branches.set(`${project}\n${branch}`, { project, branch });
  }
  for (const { project, branch } of item.changes.filter(touchesConfig)) {
    const key = `${project}\n${branch}`;
    branches.delete(key);
    branches.set(key, { project, branch });
    own.add(key);
  }
  return { reconfigured: [...branches.values()], own: own.size };
}

function isPlacedIn(layout: Layout, pipeline: string, { project, branch }: ChangeFacts): boolean {
  return placement(layout, pipeline, project, branch)?.uses === 'here';
}

interface Speculation {
  readonly sources: readonly SourceState[];
  /** Branches whose configuration is another one than in force, the item's own last. */
  readonly reconfigured: StoredGraph['reconfigured'];
  /** Number of the item's own. */
  readonly own: number;
}

/** The configuration with the item merged; an error, or warnings, only for what the item, or one ahead, brings in. */
async function speculate(
  deps: PrepareDeps,
  layout: Layout,
  { sources, reconfigured, own }: Speculation,
): Promise<{ readonly layout: Layout; readonly error?: string; readonly warnings: readonly string[] }> {
  if (reconfigured.length === 0) return { layout, warnings: [] };
  const changes = await Promise.all(
    reconfigured.map(({ project, branch }) => {
      const state = sources.find((one) => one.project === project && one.branch === branch);
      return readChangedFiles(deps.git, layout, { project, branch, commit: state?.commit ?? null });
    }),
  );
  const made = speculativeLayout(layout, changes, own);
  const { error: errors = [], warning = [] } = Object.groupBy(made.problems, ({ severity }) => severity);
  // Those of what is ahead are in its own reports.
  const ofItem = new Set(reconfigured.slice(reconfigured.length - own).map(({ project }) => project));
  const text = textBeside(ofItem);
  const warnings = own === 0 ? [] : warning.map(text);
  if (errors.length > 0) return { layout, error: errors.map(text).join('\n'), warnings };
  return { layout: made.layout, warnings };
}

/** @returns the item's graph, or what is wrong, as text */
function freezeAll(layout: Layout, { pipeline, item }: ItemToFreeze, inForce: Layout): JobGraph | string {
  const changes = item.changes.map(({ id, project, branch, ref, files }) => ({ id, project, branch, ref, files }));
  const primary = item.changes.find(({ key }) => key === item.trigger)?.id;
  const frozen = freezeJobs(layout, {
    pipeline,
    changes,
    ...(item.changes.some(touchesConfig) && { ahead: inForce }),
    ...(primary !== undefined && { primary }),
  });
  const text = textBeside(new Set(changes.map(({ project }) => project)));
  return 'errors' in frozen ? frozen.errors.map(text).join('\n') : frozen.graph;
}

/** Problems as they are told on changes: files of other projects than theirs are told with the project. */
function textBeside(projects: ReadonlySet<string>): (problem: Problem) => string {
  return (problem) =>
    (problem.project === undefined || projects.has(problem.project) ? problemText : problemTextAnywhere)(problem);
}
