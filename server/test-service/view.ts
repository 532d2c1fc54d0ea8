import { QueryNotRegisteredError, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { endedAs } from '../../pipelines/test-service/ended.ts';
import { testTaskQuery } from '../../workflows/messages.ts';
import type { BuildRecord } from '../../workflows/records.ts';
import { openTestStates, type TestTaskView } from '../../workflows/test-task-contract.ts';

/** What is kept of a task's build. */
export type TestBuild = Pick<BuildRecord, 'id' | 'result' | 'summary' | 'artifacts'>;

/** A task's workflow. */
export type TestTaskHandle = WorkflowHandle<() => Promise<TestTaskView>>;

/** How a task stands by its workflow, and why where that has failed; null where there is none any more, or never was. */
export async function viewOf(handle: TestTaskHandle): Promise<TestTaskView | null> {
  try {
    const view = await toldBy(handle);
    if (!openTestStates.has(view.state)) return view;
    // One that was ended from outside has said its last word before.
    const { name: status } = (await handle.describe()).status;
    return status === 'RUNNING' ? view : await endOf(handle, view);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

async function toldBy(handle: TestTaskHandle): Promise<TestTaskView> {
  try {
    return await handle.query(testTaskQuery);
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return { state: 'PENDING', stages: [] };
    throw error;
  }
}

async function endOf(handle: TestTaskHandle, view: TestTaskView): Promise<TestTaskView> {
  try {
    return await handle.result();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    return { ...view, state: 'FAILURE', reason: rootCause((error as Error).cause) ?? String(error) };
  }
}

/** How a task has ended by what is kept of its build; null for none. */
export function recordedView(build: TestBuild | undefined): TestTaskView | null {
  if (build === undefined) return null;
  const { id, result, summary, artifacts } = build;
  if (result === null) return { state: 'FAILURE', stages: [], build: id, reason: 'it was ended before its build was' };
  return { ...endedAs({ result, summary, artifacts }), stages: [], build: id };
}

/** Cancels a task that has not ended. @returns whether its workflow is known */
export async function cancelTask(handle: TestTaskHandle): Promise<boolean> {
  try {
    await handle.cancel();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return isKnown(handle);
    throw error;
  }
}

async function isKnown(handle: TestTaskHandle): Promise<boolean> {
  try {
    await handle.describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
