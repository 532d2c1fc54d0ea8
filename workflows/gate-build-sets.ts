import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  rootCause,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuildSetAction, GateAction } from '../pipelines/gate/action.ts';
import { buildSet } from './build-set.ts';
import type { BuildSetInput, GraphRef } from './contract.ts';
import type { GateBook } from './gate-book.ts';
import { buildSetId, type GateName } from './ids.ts';
import { closeSignal, permissionsSignal, retriggerSignal } from './messages.ts';
import { attributes } from './search-attributes.ts';

/** The build sets of a gate: children that outlive its runs, addressed by their workflow ids alone. */
export class GateBuildSets {
  readonly #name: GateName;
  readonly #book: GateBook;
  #open = 0;

  constructor(name: GateName, book: GateBook) {
    this.#name = name;
    this.#book = book;
  }

  /** Nothing is being started or told just now. */
  get idle(): boolean {
    return this.#open === 0;
  }

  /** Starts what is wanted and not started, tells changed permissions, closes what is no longer wanted. */
  advance(actions: readonly GateAction[]): void {
    const wanted = new Map(actions.filter((action) => action.kind === 'build-set').map((one) => [one.key, one]));
    const started = this.#book.buildSets;
    const next: Record<string, { workflow: string; told: string }> = {};
    for (const [key, { workflow }] of Object.entries(started)) {
      if (!wanted.has(key)) this.#send(workflow, (handle) => handle.signal(closeSignal));
    }
    for (const [key, action] of wanted) {
      const entry = started[key];
      const entered = entry ? this.#permit(entry, action) : this.#start(action);
      if (entered) next[key] = entered;
    }
    this.#book.buildSets = next;
  }

  /** Passes a retrigger on: the build set decides, and tells the gate like of any build. */
  retrigger(key: string, job: string): boolean {
    const found = this.#book.buildSets[key];
    if (found) this.#send(found.workflow, (handle) => handle.signal(retriggerSignal, { job }));
    return found !== undefined;
  }

  #permit(entry: { workflow: string; told: string }, action: BuildSetAction) {
    const told = JSON.stringify(action.permissions);
    if (told !== entry.told) {
      this.#send(entry.workflow, (handle) => handle.signal(permissionsSignal, action.permissions));
    }
    return { workflow: entry.workflow, told };
  }

  #start(action: BuildSetAction) {
    const graph = this.#book.graphs[action.key];
    const input = graph && this.#input(action, graph);
    if (!input) return undefined;
    const workflow = buildSetId(input);
    void this.#track(this.#startChild(workflow, input));
    return { workflow, told: JSON.stringify(action.permissions) };
  }

  #input(action: BuildSetAction, graph: GraphRef): BuildSetInput | undefined {
    const change = this.#book.state.facts.changes[action.changes.at(-1) ?? ''];
    if (!change) return undefined;
    return {
      ...this.#name,
      project: change.project,
      change: change.id,
      patchset: change.patchset,
      key: action.key,
      gate: workflowInfo().workflowId,
      changes: action.changes,
      graph,
      permissions: action.permissions,
    };
  }

  async #startChild(workflowId: string, input: BuildSetInput): Promise<void> {
    const { tenant, pipeline, queue, project, change, patchset, changes } = input;
    try {
      await startChild(buildSet, {
        args: [input],
        workflowId,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${pipeline}: ${project} ${change},${patchset}`,
        staticDetails: `Jobs of pipeline **${pipeline}** for ${changes.join(', ')} (queue ${queue}).`,
        typedSearchAttributes: attributes({ tenant, pipeline, queue, project, change }),
      });
    } catch (error) {
      // The same key is the same workflow: an earlier run of the gate has started it.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  #send(workflow: string, message: (handle: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): void {
    void this.#track(message(getExternalWorkflowHandle(workflow)));
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#open += 1;
    try {
      await work;
    } catch (error) {
      log.warn('build set out of reach', { reason: rootCause(error) });
    } finally {
      this.#open -= 1;
      this.#book.changed = true;
    }
  }
}
